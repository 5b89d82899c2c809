"""The spec's own checks: what a page must be before anything is built on it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from spec.load import HERE, SHARED, pages
from spec.model import Clause, Operation, Rule, Spec
from spec.rules import broken
from spec.schema import Schema

LISTS = frozenset({"x-clauses", "x-rules", "x-sample", "x-editions"})
"""Keys whose values are our own data and hold no further x- keys."""


Pages = Mapping[str, Mapping[str, Any]]


def lint(spec: Spec, written: Pages | None = None) -> Iterator[str]:
    """What is wrong with the pages and with this edition of them, a sentence each.

    ``written`` are the pages that ``spec`` was read from, by default our own.
    """
    written = pages() if written is None else written
    for resource, page in written.items():
        yield from _keys(page, resource)
    yield from _ids(spec, written)
    for clause in spec.clauses.values():
        yield from _clause(clause, spec)
    for operation in spec.operations.values():
        yield from _operation(operation, spec)


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


def _ids(spec: Spec, written: Pages) -> Iterator[str]:
    """An id is said once, and begins with the name of its page."""
    said: dict[str, str] = {}
    for resource, page in written.items():
        for row in _rows(page):
            if row["id"].partition(".")[0] != resource:
                yield f"{row['id']}: expected an id that begins with {resource!r}"
            if said.setdefault(row["id"], resource) != resource:
                yield f"{row['id']}: said on two pages"
    for name in said:
        if name not in spec.clauses and not any(
            "x-since" in r or "x-until" in r for r in _rows(written)
        ):
            yield f"{name}: said where no operation reaches it"


def _rows(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, list):
        for item in node:
            yield from _rows(item)
    elif isinstance(node, Mapping):
        yield from node.get("x-clauses", ())
        for value in node.values():
            yield from _rows(value)


def _clause(clause: Clause, spec: Spec) -> Iterator[str]:
    for id in clause.source:
        if id not in spec.sources:
            yield f"{clause.id}: unknown source {id!r}"
    for name in clause.operations:
        if name not in spec.operations:
            yield f"{clause.id}: unknown operation {name!r}"
    if clause.resource == SHARED and clause.derive:
        yield f"{clause.id}: a clause of all operations cannot be derived"


def _operation(operation: Operation, spec: Spec) -> Iterator[str]:
    if operation.request is None:
        return
    if not operation.capability:
        for fault in operation.request.faults(operation.sample):
            yield f"{operation.id}: the sample is not lawful: {fault}"
    for rule in operation.rules:
        yield from _rule(rule, operation, spec)


def _rule(rule: Rule, operation: Operation, spec: Spec) -> Iterator[str]:
    """A rule has a clause of its id, and its witnesses fall on either side of it."""
    clause = spec.clauses.get(rule.id)
    if clause is None or clause.derive != ("rule",):
        yield f"{rule.id}: expected a clause of this id that derives a rule"
    for witness, lawful in ((rule.accept, True), (rule.reject, False)):
        body = {**operation.sample, **witness}
        if operation.request is not None and not operation.request.valid(body):
            yield f"{rule.id}: the witness {witness!r} breaks the schema"
        elif (rule in broken(operation.rules, body)) is lawful:
            yield f"{rule.id}: the witness {witness!r} is on the wrong side"
