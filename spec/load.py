"""Reads the pages and gives one frozen Spec per edition."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from spec.editions import at
from spec.model import (
    Clause,
    Json,
    Model,
    Operation,
    Pointer,
    Refusal,
    Rule,
    Source,
    Spec,
    Stream,
)

HERE = Path(__file__).parent
METHODS = ("get", "post", "delete", "put", "patch")
SHARED = "api"  # the resource of what every page shares


@cache
def load(edition: str | None = None) -> Spec:
    """The spec as of ``edition``, by default the newest that is described whole.

    Raises ValueError for an edition that the pages do not name.
    """
    return read(_pages(), edition)


def read(pages: Mapping[str, Any], edition: str | None = None) -> Spec:
    """``pages``, by resource, as one Spec; models and sources are the house's own."""
    known = _known(pages)
    edition = edition or known[-1]
    if edition not in known:
        raise ValueError(f"expected an edition of {', '.join(known)}, got {edition!r}")
    document = at(_document(pages), edition)
    sources = {id: Source(id, **row) for id, row in _sources().items()}
    operations = {op.id: op for op in _operations(document)}
    return Spec(
        edition=edition,
        document=document,
        operations=operations,
        clauses=_clauses(document, operations),
        models={row["id"]: _model(row) for row in at(_yaml("models.yaml"), edition)},
        sources=sources,
        refusals={
            name: r for op in operations.values() for name, r in op.refusals.items()
        },
        sha256=digest(),
    )


def editions() -> tuple[str, ...]:
    """The editions that the pages describe, oldest first."""
    return _known(_pages())


def _known(pages: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(pages[SHARED]["x-editions"]))


@cache
def digest() -> str:
    """The sha256 of all pages: names what a run was judged by."""
    total = hashlib.sha256()
    for path in sorted(HERE.rglob("*.yaml")):
        total.update(path.relative_to(HERE).as_posix().encode() + b"\0")
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
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((HERE / name).read_text(encoding="utf-8"), Loader=loader)


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
    for resource, page in pages.items():
        if resource == SHARED:
            continue
        for path, item in page["paths"].items():
            merged["paths"][path] = {
                key: {"tags": [resource], **value} if key in METHODS else value
                for key, value in item.items()
            }
        for kind, parts in page.get("components", {}).items():
            merged["components"].setdefault(kind, {}).update(parts)
    return merged


def resolve(node: Any, document: Mapping[str, Any], seen: Pointer = ()) -> Any:
    """``node`` with every reference replaced by what it names.

    Raises ValueError for a reference that leads back to itself or nowhere.
    """
    if isinstance(node, list):
        return [resolve(item, document, seen) for item in node]
    if not isinstance(node, Mapping):
        return node
    ref = node.get("$ref")
    if ref is None:
        return {key: resolve(value, document, seen) for key, value in node.items()}
    if ref in seen:
        raise ValueError(f"expected no cycle of references, got {ref!r} in itself")
    target: Any = document
    for part in ref.removeprefix("#/").split("/"):
        part = part.replace("~1", "/")
        if part not in target:
            raise ValueError(f"expected a known reference, got {ref!r}")
        target = target[part]
    beside = {key: value for key, value in node.items() if key != "$ref"}
    return resolve({**target, **beside}, document, (*seen, ref))


def _operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield _operation(method, path, item, document)


def _operation(
    method: str, path: str, item: Mapping[str, Any], document: Mapping[str, Any]
) -> Operation:
    node = resolve(item[method], document)
    body = node.get("requestBody", {}).get("content", {})
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
        parameters=tuple(resolve(item.get("parameters", []), document))
        + tuple(node.get("parameters", [])),
        body=next(iter(body.values()))["schema"] if body else None,
        reply=reply,
        refusals=refusals,
        rules=tuple(_rule(row) for row in node.get("x-rules", [])),
        stream=_stream(node.get("x-stream"), content),
        sample=node.get("x-sample", {}),
        capability=node.get("x-capability"),
        id_prefix=reply.get("x-id", {}).get("prefix"),
    )


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
    lists = {"endpoints": tuple(row["endpoints"])}
    return Model(**{**row, **lists})


def _clauses(
    document: Mapping[str, Any], operations: Mapping[str, Operation]
) -> dict[str, Clause]:
    """Every clause by its id; one met in several operations speaks of them all."""
    found: dict[str, Clause] = {}
    for row in document.get("x-clauses", []):
        found[row["id"]] = _clause(row, SHARED, tuple(row.get("operations", ())))
    for item in document["paths"].values():
        for method in METHODS:
            if method not in item:
                continue
            node = resolve(item[method], document)
            op = operations[node["operationId"]]
            for pointer, row in _said(node, op):
                before = found.get(row["id"])
                spoken = (*(before.operations if before else ()), op.id)
                found[row["id"]] = _clause(
                    row, op.resource, tuple(dict.fromkeys(spoken)), pointer
                )
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
    resource: str,
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
        resource=resource,
        operations=operations,
        derive=tuple(row.get("derive", ())),
        pointer=pointer,
        capability=row.get("capability"),
        unobservable=row.get("unobservable"),
        cause=row.get("cause"),
    )
