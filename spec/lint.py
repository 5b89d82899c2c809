"""The spec's own checks: what a page must be before anything is built on it."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from spec.load import read
from spec.model import Clause, Lifecycle, Operation, Rule, Spec
from spec.pages import HERE, SHARED, pages
from spec.references import resolve
from spec.rules import broken
from spec.schema import Schema

LISTS = frozenset({"x-clauses", "x-rules", "x-sample", "x-editions"})
"""Keys whose values are our own data and hold no further x- keys."""


ALWAYS = ("401", "405", "429", "500", "503")
"""The statuses that every operation may be refused with."""

Pages = Mapping[str, Mapping[str, Any]]


def lint(spec: Spec, written: Pages | None = None) -> Iterator[str]:
    """What is wrong with the pages and with this edition of them, a sentence each.

    ``written`` are the pages that ``spec`` was read from, by default our own.
    """
    written = pages() if written is None else written
    for resource, page in written.items():
        yield from _keys(page, resource)
    yield from _ids(written)
    anywhere = set(_named(written, "operationId"))
    for clause in spec.clauses.values():
        yield from _clause(clause, spec, anywhere)
    for operation in spec.operations.values():
        yield from _operation(operation, spec)
    for lifecycle in spec.lifecycles.values():
        yield from _lifecycle(lifecycle, spec)
    for kept in {row.operations: row for row in spec.retention.values()}.values():
        if kept.source not in spec.sources:
            yield f"retention of {kept.operations}: unknown source {kept.source!r}"


def _keys(node: Any, place: str) -> Iterator[str]:
    """Every x- key is one that we know, with a value of its form."""
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from _keys(item, f"{place}/{number}")
    if not isinstance(node, Mapping):
        return
    ours = {key: value for key, value in node.items() if str(key).startswith("x-")}
    for fault in _EXTENSIONS.faults(ours):
        yield f"{place}: {fault}"
    for key, value in node.items():
        if key not in LISTS:
            yield from _keys(value, f"{place}/{key}")


_EXTENSIONS = Schema(json.loads((Path(HERE) / "extensions.schema.json").read_text()))


def _ids(written: Pages) -> Iterator[str]:
    """An id is said once, and begins with the name of its page."""
    said: dict[str, str] = {}
    for resource, page in written.items():
        for row in _rows(page):
            if row["id"].partition(".")[0] != resource:
                yield f"{row['id']}: expected an id that begins with {resource!r}"
            if said.setdefault(row["id"], resource) != resource:
                yield f"{row['id']}: said on two pages"
    reached = {
        id
        for edition in written[SHARED]["x-editions"]
        for id in read(written, edition).clauses
    }
    for name in said.keys() - reached:
        yield f"{name}: said where no operation reaches it"


def _rows(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, list):
        for item in node:
            yield from _rows(item)
    elif isinstance(node, Mapping):
        yield from node.get("x-clauses", ())
        for value in node.values():
            yield from _rows(value)


def _named(node: Any, key: str) -> Iterator[str]:
    """Every value of ``key``, however deep."""
    if isinstance(node, list):
        for item in node:
            yield from _named(item, key)
    elif isinstance(node, Mapping):
        if isinstance(node.get(key), str):
            yield node[key]
        for value in node.values():
            yield from _named(value, key)


def _clause(clause: Clause, spec: Spec, anywhere: Collection[str]) -> Iterator[str]:
    for id in clause.source:
        if id not in spec.sources:
            yield f"{clause.id}: unknown source {id!r}"
    for name in clause.operations:
        if name not in anywhere:
            yield f"{clause.id}: unknown operation {name!r}"
    if clause.resource == SHARED and clause.derive:
        yield f"{clause.id}: a clause of all operations cannot be derived"


def _operation(operation: Operation, spec: Spec) -> Iterator[str]:
    if not operation.capability:
        yield from _refused(operation, spec)
    yield from _needed(operation)
    yield from _paged(operation)
    if operation.request is None:
        return
    if not operation.capability:
        for fault in operation.request.faults(operation.body_sample):
            yield f"{operation.id}: the sample is not lawful: {fault}"
    for rule in operation.rules:
        yield from _rule(rule, operation, spec)


def _refused(operation: Operation, spec: Spec) -> Iterator[str]:
    """It says how it refuses: whatever it is, its body, and what it names."""
    wanted = {*ALWAYS}
    if operation.body is not None:
        wanted |= {"400", "413", "415"}
    if "{" in operation.path or "model" in operation.fields:
        wanted.add("404")
    item = spec.document["paths"][operation.path][operation.method.lower()]
    for status in sorted(wanted - item["responses"].keys()):
        yield f"{operation.id}: expected a refusal of the status {status}"


def _needed(operation: Operation) -> Iterator[str]:
    """Each path parameter is declared and has a sample; so has a required query.

    What deletes needs none: nothing that is deleted was there for a sample.
    """
    holes = set(re.findall(r"{(\w+)}", operation.path))
    declared = {p["name"] for p in operation.parameters if p["in"] == "path"}
    sampled = set(operation.sample.get("path", ()))
    if holes != declared or (holes != sampled and operation.method != "DELETE"):
        yield f"{operation.id}: expected {holes} declared and in the sample"
    query = operation.query.node
    for name in {*query["required"]} - {*operation.sample}:
        yield f"{operation.id}: expected a sample of the query's {name}"


def _paged(operation: Operation) -> Iterator[str]:
    """What a page names are parameters of the query, and a field of the items."""
    page = operation.page
    if page is None:
        return
    known = operation.query.node["properties"]
    for name in (page.after, page.limit, page.before, page.order):
        if name is not None and name not in known:
            yield f"{operation.id}: pages by {name!r}, which is no parameter"
    items = operation.reply.get("properties", {}).get("data", {}).get("items", {})
    if page.by not in items.get("properties", {}):
        yield f"{operation.id}: ordered by {page.by!r}, which no item has"


def _lifecycle(lifecycle: Lifecycle, spec: Spec) -> Iterator[str]:
    """The states are those of the field, every move leads to one, and ends end."""
    schema = spec.document["components"]["schemas"][lifecycle.name]
    field = resolve(schema, spec.document)["properties"].get(lifecycle.field, {})
    states = set(lifecycle.states)
    if set(field.get("enum", states)) - {None} != states:
        yield f"{lifecycle.name}: the states differ from {lifecycle.field}'s values"
    reached = {lifecycle.start, *lifecycle.terminal}.union(*lifecycle.moves.values())
    if reached - states:
        yield f"{lifecycle.name}: moves to unknown states {sorted(reached - states)}"
        return
    for state, moves in lifecycle.moves.items():
        if bool(moves) == (state in lifecycle.terminal):
            yield f"{lifecycle.name}: {state} is terminal or has moves, not both"
        if not lifecycle.reachable(lifecycle.start, state):
            yield f"{lifecycle.name}: nothing leads to {state}"
    for before, after in pairwise(lifecycle.walk):
        if not lifecycle.legal(before, after):
            yield f"{lifecycle.name}: the walk goes from {before} to {after}"


def _rule(rule: Rule, operation: Operation, spec: Spec) -> Iterator[str]:
    """A rule has a clause of its id, and its witnesses fall on either side of it."""
    clause = spec.clauses.get(rule.id)
    if clause is None or clause.derive != ("rule",):
        yield f"{rule.id}: expected a clause of this id that derives a rule"
    for witness, lawful in ((rule.accept, True), (rule.reject, False)):
        body = {**operation.body_sample, **witness}
        if operation.request is not None and not operation.request.valid(body):
            yield f"{rule.id}: the witness {witness!r} breaks the schema"
        elif (rule in broken(operation.rules, body)) is lawful:
            yield f"{rule.id}: the witness {witness!r} is on the wrong side"
