// What the drivers for Node share: a line for each step, and the control page.
"use strict";

const asked = require("../asked.json");

const [baseUrl, key, edition] = process.argv.slice(2);
const FAULTS = ["server-fault", "overloaded", "no-organization"];

class Untold extends Error {} // a step failed that the next ones may build on

function say(row) {
  process.stdout.write(JSON.stringify(row) + "\n");
}

// Every act, whatever becomes of the others.
async function drive(version, acts, bare = []) {
  say({ version, bare });
  for (const act of acts) {
    await act().catch((fault) => {
      if (!(fault instanceof Untold)) throw fault;
    });
  }
}

// Says how `ask` answers the step's request, and gives the answer.
async function tell(step, ask) {
  try {
    const seen = await ask(asked[step]);
    say({ step, seen: Buffer.isBuffer(seen) ? seen.toString("base64") : seen });
    return seen;
  } catch (fault) {
    say({ step, fault: String(fault), refused: refused(fault) });
    throw new Untold();
  }
}

// Says how `ask` refuses the step's request.
async function tellRefusal(step, ask) {
  try {
    say({ step, seen: await ask(asked[step]) });
  } catch (fault) {
    say({ step, seen: refused(fault) });
  }
}

// The class, the status and the code of an exception; axios keeps them in its reply.
function refused(fault) {
  const { status, code } = fault.response
    ? { status: fault.response.status, code: fault.response.data.error?.code }
    : fault;
  return [fault.constructor.name, status ?? null, code ?? null];
}

async function control(path, body, as = key) {
  const reply = await fetch(`${baseUrl}/_assay/${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${as}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return reply.json();
}

async function tunedModel() {
  return (await control("models", { base: "ada", suffix: "driven" })).id;
}

// A key whose organisation may send no request at all.
async function limitedKey() {
  const { key: limited } = await control("keys", { organizations: ["org-limited"] });
  await control("limits", { requests: 0 }, limited);
  return limited;
}

async function fetched(url) {
  return Buffer.from(await (await fetch(url)).arrayBuffer());
}

module.exports = {
  FAULTS,
  baseUrl,
  control,
  drive,
  edition,
  fetched,
  key,
  limitedKey,
  tell,
  tellRefusal,
  tunedModel,
};
