"""Reads the pages and gives one frozen Spec per edition."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from spec.editions import at
from spec.model import (
    Clause,
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
from spec.pages import SHARED, digest, editions, files, pages, sources
from spec.references import METHODS, present, resolve

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
DEFAULT = "2023-04"  # the newest edition that a whole server and suite stand behind


@cache
def load(edition: str | None = None) -> Spec:
    """The spec as of ``edition``, by default ``DEFAULT``.

    Raises ValueError for an edition that the pages do not name.
    """
    return read(pages(), edition)


def read(written: Mapping[str, Any], edition: str | None = None) -> Spec:
    """Pages, by resource, as one Spec; models and sources are the house's own."""
    known = editions(written)
    edition = edition or DEFAULT
    if edition not in known:
        raise ValueError(f"expected an edition of {', '.join(known)}, got {edition!r}")
    document = present(at(_document(written), edition))
    nodes = list(_nodes(document))
    operations = {op.id: op for op in (_operation(*node) for node in nodes)}
    return Spec(
        edition=edition,
        document=document,
        operations=operations,
        clauses=_clauses(document, nodes, operations),
        models={row["id"]: _model(row) for row in at(files()["models.yaml"], edition)},
        sources={id: Source(id, **row) for id, row in sources().items()},
        refusals={
            name: r for op in operations.values() for name, r in op.refusals.items()
        },
        links=_links(nodes),
        lifecycles=_lifecycles(document),
        retention=dict(_retention(operations)),
        sha256=digest(),
    )


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
    for row in files()["retention.yaml"]:
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
