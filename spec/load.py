"""Reads the pages and gives one frozen Spec per edition."""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from spec.editions import at
from spec.model import (
    Clause,
    Json,
    Lifecycle,
    Link,
    Model,
    Operation,
    Page,
    Pointer,
    Refusal,
    Retention,
    Rule,
    Source,
    Spec,
    Stream,
)

HERE = Path(__file__).parent
FILE = {
    "type": "object",
    "required": ["filename", "bytes", "format"],
    "properties": {
        "filename": {"type": "string"},
        "bytes": {"type": "integer", "minimum": 0},
        "format": {"type": "string"},
        "width": {"type": "integer"},
        "height": {"type": "integer"},
        "alpha": {"enum": ["transparent", "opaque", "none"]},
        "lines": {"type": "integer"},
        "faulty": {"type": "integer"},
    },
    "allOf": [
        {
            "if": {"properties": {"format": {"enum": formats}}},
            "then": {"required": facts},
        }
        for formats, facts in (
            (["png", "jpeg", "gif", "webp"], ["width", "height", "alpha"]),
            (["jsonl"], ["lines", "faulty"]),
        )
    ],
}
"""The schema of a file in a multipart body, as rules, witnesses and samples see it.

``format`` is ``unknown`` where the bytes are nothing known. Of an image the width, the
height and ``alpha`` (transparent, opaque or none) are told; of JSON Lines the number of
``lines`` and of the first ``faulty`` one, 0 for none.
"""
METHODS = ("get", "post", "delete", "put", "patch")
SHARED = "api"  # the resource of what every page shares
DEFAULT = "2023-04"  # the newest edition that a whole server and suite stand behind


@cache
def load(edition: str | None = None) -> Spec:
    """The spec as of ``edition``, by default ``DEFAULT``.

    Raises ValueError for an edition that the pages do not name.
    """
    return read(_pages(), edition)


def read(pages: Mapping[str, Any], edition: str | None = None) -> Spec:
    """``pages``, by resource, as one Spec; models and sources are the house's own."""
    known = _known(pages)
    edition = edition or DEFAULT
    if edition not in known:
        raise ValueError(f"expected an edition of {', '.join(known)}, got {edition!r}")
    document = _present(at(_document(pages), edition))
    sources = {id: Source(id, **row) for id, row in _sources().items()}
    nodes = list(_nodes(document))
    operations = {op.id: op for op in (_operation(*node) for node in nodes)}
    return Spec(
        edition=edition,
        document=document,
        operations=operations,
        clauses=_clauses(document, nodes, operations),
        models={row["id"]: _model(row) for row in at(_yaml("models.yaml"), edition)},
        sources=sources,
        refusals={
            name: r for op in operations.values() for name, r in op.refusals.items()
        },
        links=_links(nodes),
        lifecycles=_lifecycles(document),
        retention=dict(_retention(operations)),
        sha256=digest(),
    )


def editions() -> tuple[str, ...]:
    """The editions that the pages describe, oldest first."""
    return _known(_pages())


def _known(pages: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(pages[SHARED]["x-editions"]))


@cache
def digest(folder: Path = HERE) -> str:
    """The sha256 of all pages: names what a run was judged by."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*.yaml")):
        total.update(path.relative_to(folder).as_posix().encode() + b"\0")
        total.update(path.read_bytes())
    return total.hexdigest()


def pages() -> Mapping[str, Mapping[str, Json]]:
    """The pages as written, by resource, for lint."""
    return _pages()


@cache
def _pages() -> dict[str, Any]:
    found = {SHARED: _yaml("openapi.yaml")}
    for path in sorted((HERE / "paths").glob("*.yaml")):
        found[path.stem] = _yaml(f"paths/{path.name}")
    return found


def _yaml(name: str) -> Any:
    return files()[name]


@cache
def files(folder: Path = HERE) -> dict[str, Any]:
    """Every page by its name, parsed; from the user's cache where none has changed.

    The cache is JSON, which is read ten times as fast, under the name of the digest.
    """
    kept = _cache() / f"pages-{digest(folder)}.json"
    with suppress(OSError, ValueError):  # nothing there yet, or half of it
        found: dict[str, Any] = json.loads(kept.read_text("utf-8"))
        return found
    parsed = {
        path.relative_to(folder).as_posix(): _parsed(path)
        for path in sorted(folder.rglob("*.yaml"))
    }
    with suppress(OSError):  # nobody's home, or a full disk: the next start is slower
        _keep(kept, json.dumps(parsed))
    return parsed


def _cache() -> Path:
    """The user's folder for what can be made again; who has none keeps nothing."""
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        home = os.devnull
    return Path(home) / "assay"


def _keep(kept: Path, text: str) -> None:
    """Writes the cache at once, so that no reader sees half; drops older ones."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", dir=kept.parent, delete=False, encoding="utf-8"
    ) as new:
        new.write(text)
    for old in kept.parent.glob("pages-*.json"):
        old.unlink(missing_ok=True)
    Path(new.name).replace(kept)


def _parsed(path: Path) -> Any:
    import yaml  # 20 ms that the cache saves

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)


def excluded() -> Mapping[str, str]:
    """Statements of the documents that no clause says, by their id, with the reason."""
    return dict(_yaml("excluded.yaml") or {})


def _sources() -> dict[str, dict[str, Any]]:
    """Every source id with its document: ranges of ids are said once."""
    rows: dict[str, dict[str, Any]] = {}
    for document in _yaml("sources.yaml"):
        for section, span in document["sections"].items():
            for id in _span(span):
                rows[id] = {
                    "document": document["document"],
                    "date": document["date"],
                    "section": section,
                    "url": document.get("url"),
                }
    return rows


def _span(text: str) -> Iterator[str]:
    """The ids in a text like ``S4-001..003 S4-007``."""
    for part in text.split():
        first, _, last = part.partition("..")
        match = re.fullmatch(r"(.*?)(\d+)", first)
        if match is None:
            raise ValueError(f"expected an id like S4-001, got {first!r}")
        stem, number = match.groups()
        for n in range(int(number), int(last or number) + 1):
            yield f"{stem}{n:0{len(number)}d}"


def _document(pages: Mapping[str, Any]) -> dict[str, Any]:
    """All pages as one OpenAPI document; each operation tagged with its resource."""
    shared = pages[SHARED]
    merged = {
        **shared,
        "paths": {},
        "components": {
            kind: dict(parts) for kind, parts in shared["components"].items()
        },
    }
    merged.pop("x-editions", None)
    merged["x-clauses"] = [
        row for page in pages.values() for row in page.get("x-clauses", [])
    ]
    for resource, page in pages.items():
        if resource == SHARED:
            continue
        for path, item in page.get("paths", {}).items():
            tagged = {
                key: {"tags": [resource], **value} if key in METHODS else value
                for key, value in item.items()
            }
            merged["paths"][path] = merged["paths"].get(path, {}) | tagged
        for kind, parts in page.get("components", {}).items():
            merged["components"].setdefault(kind, {}).update(parts)
    return merged


def _present(document: dict[str, Any]) -> dict[str, Any]:
    """``document`` without the paths and components that this edition has not."""
    paths = {
        path: item
        for path, item in document["paths"].items()
        if not set(item).isdisjoint(METHODS)
    }
    used: set[Pointer] = set()
    _use(paths, document, used)
    components = {
        kind: {
            name: part
            for name, part in parts.items()
            if (kind, name) in used or kind == "securitySchemes"
        }
        for kind, parts in document["components"].items()
    }
    return {**document, "paths": paths, "components": components}


def _use(node: Any, document: Mapping[str, Any], used: set[Pointer]) -> None:
    """Adds the kind and the name of every component that ``node`` leads to."""
    if isinstance(node, list):
        for item in node:
            _use(item, document, used)
    elif isinstance(node, dict):
        ref = node.get("$ref")
        if isinstance(ref, str):
            component = tuple(ref.split("/")[2:4])
            if component not in used:
                used.add(component)
                kind, name = component
                _use(document["components"][kind].get(name), document, used)
        for value in node.values():
            _use(value, document, used)


def resolve(
    node: Any,
    document: Mapping[str, Any],
    seen: Pointer = (),
    known: dict[str, Any] | None = None,
) -> Any:
    """``node`` with every reference replaced by what it names.

    ``known`` keeps what a reference was replaced by: most are met many times. Raises
    ValueError for a reference that leads back to itself or nowhere.
    """
    known = {} if known is None else known
    if isinstance(node, list):
        return [resolve(item, document, seen, known) for item in node]
    if not isinstance(node, dict):
        return node
    ref = node.get("$ref")
    if ref is None:
        return {k: resolve(value, document, seen, known) for k, value in node.items()}
    if ref in seen:
        raise ValueError(f"expected no cycle of references, got {ref!r} in itself")
    if ref not in known:
        known[ref] = resolve(_at(ref, document), document, (*seen, ref), known)
    beside = {key: value for key, value in node.items() if key != "$ref"}
    if not beside:
        return known[ref]
    return {**known[ref], **resolve(beside, document, seen, known)}


def _at(ref: str, document: Mapping[str, Any]) -> Any:
    """What a reference names. Raises ValueError where it names nothing."""
    target: Any = document
    for part in ref.removeprefix("#/").split("/"):
        part = part.replace("~1", "/")
        if part not in target:
            raise ValueError(f"expected a known reference, got {ref!r}")
        target = target[part]
    return target


def _nodes(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each operation as written, without references: its method, its path, itself."""
    known: dict[str, Any] = {}
    for path, item in document["paths"].items():
        shared = item.get("parameters", [])
        for method in METHODS:
            if method in item:
                own = item[method].get("parameters", [])
                whole = {**item[method], "parameters": [*shared, *own]}
                yield method, path, resolve(whole, document, (), known)


def _operation(method: str, path: str, node: Mapping[str, Any]) -> Operation:
    body = node.get("requestBody", {}).get("content", {})
    media_type = next(iter(body), None)
    content = next(
        r.get("content", {}) for s, r in node["responses"].items() if s[0] == "2"
    )
    reply = content.get("application/json", {}).get("schema", {})
    refusals = dict(_refusals(node["responses"]))
    return Operation(
        id=node["operationId"],
        method=method.upper(),
        path=path,
        resource=node["tags"][0],
        parameters=tuple(node["parameters"]),
        media_type=media_type,
        body=_described(body[media_type]["schema"]) if media_type else None,
        reply=reply,
        refusals=refusals,
        rules=tuple(_rule(row) for row in node.get("x-rules", [])),
        stream=_stream(node.get("x-stream"), content),
        sample=node.get("x-sample", {}),
        capability=node.get("x-capability"),
        id_prefix=reply.get("x-id", {}).get("prefix"),
        page=Page(**node["x-page"]) if "x-page" in node else None,
        deprecated=node.get("deprecated", False),
        beta=node.get("x-beta", False),
    )


def _described(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of a body with each file in it described instead of held."""
    fields = {
        name: FILE | {"x-clauses": field.get("x-clauses", [])}
        if field.get("format") == "binary"
        else field
        for name, field in body.get("properties", {}).items()
    }
    return {**body, "properties": fields} if fields else body


def _links(
    nodes: Iterable[tuple[str, str, Mapping[str, Any]]],
) -> dict[str, tuple[Link, ...]]:
    found: dict[str, tuple[Link, ...]] = {}
    for _, _, node in nodes:
        for response in node["responses"].values():
            for row in response.get("links", {}).values():
                path, body = row.get("parameters", {}), row.get("requestBody", {})
                link = Link(node["operationId"], path, body)
                needing = row["operationId"]
                found[needing] = (*found.get(needing, ()), link)
    return found


def _lifecycles(document: Mapping[str, Any]) -> dict[str, Lifecycle]:
    rows = {
        name: schema["x-lifecycle"]
        for name, schema in document["components"]["schemas"].items()
        if "x-lifecycle" in schema
    }
    return {
        name: Lifecycle(
            name=name,
            field=row["field"],
            start=row["start"],
            moves={state: tuple(to) for state, to in row["moves"].items()},
            terminal=tuple(row["terminal"]),
            walk=tuple(row.get("walk", ())),
        )
        for name, row in rows.items()
    }


def _retention(
    operations: Mapping[str, Operation],
) -> Iterator[tuple[str, Retention]]:
    for row in _yaml("retention.yaml"):
        kept = Retention(**{**row, "operations": tuple(row["operations"])})
        yield from ((name, kept) for name in kept.operations if name in operations)


def _refusals(responses: Mapping[str, Any]) -> Iterator[tuple[str, Refusal]]:
    """Every example of an error response is one way to be refused."""
    for status, response in responses.items():
        examples = response.get("content", {}).get("application/json", {})
        for name, example in examples.get("examples", {}).items():
            if status[0] in "45":
                error = example["value"]["error"]
                yield name, Refusal(name=name, status=int(status), **error)


def _rule(row: Mapping[str, Any]) -> Rule:
    refuse = {
        "type": "invalid_request_error",
        "param": None,
        "code": None,
        "message": f"The request breaks the rule {row['id']}.",
    } | row["refuse"]
    fields = re.findall(r"body\.(\w+)", row["holds"])
    return Rule(
        id=row["id"],
        holds=row["holds"],
        refuse=Refusal(name=row["id"], **refuse),
        accept=row["accept"],
        reject=row["reject"],
        fields=tuple(dict.fromkeys(fields)),
    )


def _stream(row: Mapping[str, Any] | None, content: Mapping[str, Any]) -> Stream | None:
    if row is None:
        return None
    events = content["text/event-stream"]["schema"]["properties"]["data"]["anyOf"]
    chunk = next(e["contentSchema"] for e in events if "contentSchema" in e)
    return Stream(row["when"], row["terminator"], row["fold"], chunk)


def _model(row: Mapping[str, Any]) -> Model:
    lists = {key: tuple(row.get(key, ())) for key in ("endpoints", "can")}
    return Model(**{**row, **lists})


def _clauses(
    document: Mapping[str, Any],
    nodes: Iterable[tuple[str, str, Mapping[str, Any]]],
    operations: Mapping[str, Operation],
) -> dict[str, Clause]:
    """Every clause by its id; one met in several operations speaks of them all."""
    found: dict[str, Clause] = {}
    for row in document["x-clauses"]:
        concerned = tuple(row.get("operations", ()))
        found[row["id"]] = _clause(row, concerned)
    for _, _, node in nodes:
        op = operations[node["operationId"]]
        for pointer, row in _said(node, op):
            before = found.get(row["id"])
            spoken = (*(before.operations if before else ()), op.id)
            found[row["id"]] = _clause(row, tuple(dict.fromkeys(spoken)), pointer)
    return found


def _said(
    node: Mapping[str, Any], op: Operation
) -> Iterator[tuple[Pointer, Mapping[str, Any]]]:
    """The clauses of an operation: on itself, its body, its parameters, its reply."""
    for row in node.get("x-clauses", []):
        yield (), row
    if op.body is not None:
        yield from _in_schema(op.body, ())
    for parameter in op.parameters:
        for row in parameter.get("x-clauses", []):
            yield (), row
    for _, row in _in_schema(op.reply, ()):
        yield (), row
    if op.stream is not None:
        for _, row in _in_schema(op.stream.chunk, ()):
            yield (), row


def _in_schema(
    schema: Mapping[str, Any], pointer: Pointer
) -> Iterator[tuple[Pointer, Mapping[str, Any]]]:
    for row in schema.get("x-clauses", []):
        yield pointer, row
    for step, child in children(schema):
        yield from _in_schema(child, (*pointer, *step))


def children(
    schema: Mapping[str, Any],
) -> Iterator[tuple[Pointer, Mapping[str, Any]]]:
    """The schemas directly inside one, each with its step."""
    for name, child in schema.get("properties", {}).items():
        yield (name,), child
    for branch in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield (), branch
    if isinstance(schema.get("items"), Mapping):
        yield ("[]",), schema["items"]
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield ("{}",), schema["additionalProperties"]


def _clause(
    row: Mapping[str, Any],
    operations: tuple[str, ...],
    pointer: Pointer = (),
) -> Clause:
    source = row["source"]
    return Clause(
        id=row["id"],
        level=row["level"],
        says=row["says"],
        basis=row["basis"],
        source=tuple(source if isinstance(source, list) else [source]),
        resource=row["id"].partition(".")[0],  # an id begins with its page
        operations=operations,
        derive=tuple(row.get("derive", ())),
        pointer=pointer,
        capability=row.get("capability"),
        unobservable=row.get("unobservable"),
        cause=row.get("cause"),
    )
