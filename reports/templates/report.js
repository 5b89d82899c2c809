"use strict";
{
  const rows = document.getElementById("rows");
  const form = document.getElementById("filters");
  const items = [...rows.children];
  const haystacks = new Map(items.map((item) => [item, item.textContent.toLowerCase()]));
  const EVENTS = 200; // shown at first; a long stream has a button for the rest

  // Elements. Whatever a server sent enters the page as text, never as markup.

  function element(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  function visible(text) {
    return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, (character) =>
      String.fromCharCode(0x2400 + character.charCodeAt(0)));
  }

  function milliseconds(seconds) {
    const value = seconds * 1000;
    return `${value.toFixed(value < 100 ? 1 : 0)} ms`;
  }

  function block(text, ...tools) {
    const pre = element("pre", { tabindex: "0" }, visible(text));
    const copy = element("button", { type: "button", class: "copy" }, "Copy");
    const node = element("div", { class: "block" }, pre, ...tools, copy);
    node.raw = text;
    return node;
  }

  // Bodies. JSON is indented token by token, so 1.0 stays 1.0 and no key is lost.

  function indented(text) {
    JSON.parse(text);
    const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
    let depth = 0;
    let out = "";
    const fresh = () => `\n${"  ".repeat(depth)}`;
    tokens.forEach((token, index) => {
      const empty = "{[".includes(tokens[index - 1]) && "}]".includes(token);
      if ("}]".includes(token)) {
        depth -= 1;
        if (!empty) out += fresh();
      } else if ("{[,".includes(tokens[index - 1])) {
        out += fresh();
      }
      if ("{[".includes(token)) depth += 1;
      out += token === ":" ? ": " : token;
    });
    return out;
  }

  function hexdump(base64) {
    const bytes = atob(base64.slice(0, 4096 * 4 / 3));
    return (bytes.match(/[^]{1,16}/g) ?? []).map((line, index) => {
      const hex = [...line].map((c) => c.charCodeAt(0).toString(16).padStart(2, "0"));
      const address = (index * 16).toString(16).padStart(6, "0");
      return `${address}  ${hex.join(" ").padEnd(48)} ${line.replace(/[^\x20-\x7e]/g, ".")}`;
    }).join("\n");
  }

  function forTheEye(body) {
    if ("base64" in body) return hexdump(body.base64);
    try {
      return indented(body.text);
    } catch {
      return body.text;
    }
  }

  function measure(body) {
    const size = `${body.bytes.toLocaleString("en")} ${body.bytes === 1 ? "byte" : "bytes"}`;
    const cut = body.truncated ? " · cut at 64 KiB" : "";
    const hash = element("span", { title: body.sha256 }, body.sha256.slice(0, 12));
    return element("p", { class: "quiet" }, `${size}${cut} · sha256 `, hash);
  }

  function bodyView(body) {
    if (body === null) return element("p", { class: "quiet" }, "No body.");
    const raw = body.text ?? body.base64;
    const eye = forTheEye(body);
    if (raw === "") return element("p", { class: "quiet" }, "Empty body.");
    if (eye === raw) return element("div", {}, block(raw), measure(body));
    const toggle = element("button", { type: "button", "aria-pressed": "false" }, "Raw");
    const view = block(eye, toggle);
    view.raw = raw;
    toggle.addEventListener("click", () => {
      const pressed = toggle.getAttribute("aria-pressed") !== "true";
      toggle.setAttribute("aria-pressed", pressed);
      view.firstChild.textContent = visible(pressed ? raw : eye);
    });
    return element("div", {}, view, measure(body));
  }

  // Exchanges, built when their row is opened.

  function headerTable(headers) {
    const lines = headers.map(([name, value]) =>
      element("tr", {}, element("th", { scope: "row" }, visible(name)),
        element("td", {}, visible(value))));
    const title = `${headers.length} ${headers.length === 1 ? "header" : "headers"}`;
    return element("details", { class: "headers" }, element("summary", {}, title),
      element("table", {}, element("tbody", {}, ...lines)));
  }

  function eventRow(event) {
    return element("tr", {},
      element("td", { class: "number" }, milliseconds(event.at)),
      element("td", {}, element("code", {}, visible(event.data))));
  }

  function eventList(events) {
    const head = element("tr", {}, element("th", { scope: "col" }, "After"),
      element("th", { scope: "col" }, "Data"));
    const body = element("tbody", {}, ...events.slice(0, EVENTS).map(eventRow));
    const table = element("table", { class: "events" }, element("thead", {}, head), body);
    const rest = events.slice(EVENTS);
    if (!rest.length) return table;
    const more = element("button", { type: "button" }, `Show ${rest.length} more events`);
    more.addEventListener("click", () => {
      body.append(...rest.map(eventRow));
      more.remove();
    });
    return element("div", {}, table, more);
  }

  function answer(response) {
    const parts = [element("h4", {}, `Response ${response.status}`),
      headerTable(response.headers)];
    if (response.events === null) return [...parts, bodyView(response.body)];
    const count = response.events.length;
    return [...parts,
      element("h4", {}, `${count} ${count === 1 ? "event" : "events"}`),
      eventList(response.events),
      element("details", { class: "headers" }, element("summary", {}, "Body as received"),
        bodyView(response.body))];
  }

  function fillExchange(details, exchange) {
    details.append(element("div", { class: "parts" },
      block(exchange.curl),
      element("h4", {}, "Request"),
      headerTable(exchange.request.headers),
      bodyView(exchange.request.body),
      ...(exchange.response ? answer(exchange.response) : []),
      ...(exchange.error ? [element("h4", {}, "Error"),
        element("p", { class: "error" }, visible(exchange.error))] : [])));
  }

  function path(url) {
    return url.replace(/^[a-z]+:\/\/[^/]*/i, "") || url;
  }

  function exchangeView(exchange) {
    const status = exchange.response ? String(exchange.response.status) : "no answer";
    const good = exchange.response && exchange.response.status < 400;
    const stream = exchange.response?.events ? `${exchange.response.events.length} events` : "";
    const details = element("details", { class: "exchange" },
      element("summary", {},
        element("span", { class: "method" }, visible(exchange.method)),
        element("span", { class: "path" }, visible(path(exchange.url))),
        element("span", { class: "quiet" }, stream),
        element("span", { class: good ? "status" : "status refused" }, status),
        element("span", { class: "quiet number" }, milliseconds(exchange.seconds))));
    details.addEventListener("toggle", () => fillExchange(details, exchange), { once: true });
    return details;
  }

  function unroll(item) {
    const tape = item.querySelector(".tape[data-tape]");
    if (!tape) return;
    const data = document.getElementById(tape.dataset.tape);
    tape.append(...JSON.parse(data.textContent).map(exchangeView));
    tape.removeAttribute("data-tape");
    data.remove();
  }

  // Filters. What the form says and which row is open live in the address.

  const orders = {
    "": (a, b) => a.dataset.worst - b.dataset.worst,
    run: (a, b) => a.dataset.run - b.dataset.run,
    clause: (a, b) => (a.dataset.clause < b.dataset.clause ? -1 : 1),
    slowest: (a, b) => b.dataset.seconds - a.dataset.seconds,
  };
  let order = "";
  let open = "";

  function fits(item, wanted) {
    const outcomes = wanted.getAll("outcome");
    const words = wanted.get("text").toLowerCase().split(/\s+/);
    return (!wanted.get("resource") || item.dataset.resource === wanted.get("resource"))
      && (!wanted.get("level") || item.dataset.level === wanted.get("level"))
      && (!outcomes.length || outcomes.includes(item.dataset.outcome))
      && words.every((word) => haystacks.get(item).includes(word));
  }

  function apply() {
    const wanted = new FormData(form);
    let count = 0;
    for (const item of items) {
      item.hidden = !fits(item, wanted);
      count += !item.hidden;
    }
    document.getElementById("shown").textContent =
      count === items.length ? `${count} shown` : `${count} of ${items.length} shown`;
    document.getElementById("none").hidden = count > 0;
    if (wanted.get("order") !== order) {
      order = wanted.get("order");
      rows.append(...items.sort(orders[order]));
    }
  }

  function remember() {
    const state = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value) state.append(name, value);
    if (open) state.append("clause", open);
    const hash = String(state);
    const here = location.pathname + location.search;
    history.replaceState(null, "", hash ? `#${hash}` : here);
  }

  function choose(select, value) {
    const known = [...select.options].some((option) => option.value === value);
    select.value = known ? value : "";
  }

  function fill(state) {
    form.elements.text.value = state.get("text") ?? "";
    for (const name of ["resource", "level", "order"]) {
      choose(form.elements[name], state.get(name) ?? "");
    }
    for (const box of form.querySelectorAll("[name=outcome]")) {
      box.checked = state.getAll("outcome").includes(box.value);
    }
  }

  function show(item) {
    if (item.hidden) {
      form.reset();
      apply();
    }
    item.querySelector("details").open = true;
    item.scrollIntoView({ block: "start" });
  }

  function restore() {
    const state = new URLSearchParams(location.hash.slice(1));
    if (location.hash && !location.hash.includes("=")) return; // a plain anchor
    fill(state);
    apply();
    open = state.get("clause") ?? "";
    const item = items.find((candidate) => candidate.dataset.clause === open);
    if (item) show(item);
    else if (location.hash) document.getElementById("clauses").scrollIntoView();
  }

  function toggled(event) {
    if (!event.target.matches(".clause")) return;
    const item = event.target.parentElement;
    if (event.target.open) {
      unroll(item);
      open = item.dataset.clause;
    } else if (open === item.dataset.clause) {
      open = "";
    }
    remember();
  }

  // Copying: the clipboard where the browser allows it from a file, a selection elsewhere.

  async function copy(button) {
    const view = button.closest(".block");
    const pre = view.querySelector("pre");
    try {
      await navigator.clipboard.writeText(view.raw ?? pre.textContent);
    } catch {
      getSelection().selectAllChildren(pre);
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => { apply(); remember(); });
  form.addEventListener("reset", () => setTimeout(() => { apply(); remember(); }));
  rows.addEventListener("toggle", toggled, true);
  addEventListener("hashchange", restore);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.copy");
    if (button) copy(button);
  });
  restore();
}
