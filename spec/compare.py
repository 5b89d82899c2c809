"""What changed between two editions, told for a person."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from spec.model import Model, Operation, Spec

Kind = Literal["added", "removed", "tightened", "loosened", "changed"]
LEAST = ("minimum", "minLength", "minItems", "minProperties")
MOST = ("maximum", "maxLength", "maxItems", "maxProperties")
WORDED = ("pattern", "default", "format")


@dataclass(frozen=True)
class Change:
    """One difference. Tightened: fewer requests or answers are lawful than before."""

    place: str
    """An operation by method and path, or ``models``, ``rules``, ``clauses``."""
    kind: Kind
    what: str

    def __str__(self) -> str:
        return f"{self.kind:9}  {self.what}"


@dataclass
class _Field:
    """Everything that is said of one place in a body."""

    types: set[str] = field(default_factory=set)
    required: bool = False
    values: set[str] | None = None
    """The texts of an enum; None where any value is lawful."""
    words: dict[str, Any] = field(default_factory=dict)


def compare(before: Spec, after: Spec) -> Iterator[Change]:
    """The changes from one edition to another, by operation, then by model."""
    old, new = (
        {op.name: op for op in spec.operations.values() if not op.capability}
        for spec in (before, after)
    )
    for name in new.keys() - old.keys():
        yield Change(name, "added", "the operation")
    for name in old.keys() - new.keys():
        yield Change(name, "removed", "the operation")
    for name in old.keys() & new.keys():
        yield from _operation(old[name], new[name])
    yield from _models(before.models, after.models)


def told(before: Spec, after: Spec) -> str:
    """The changes as a page of text, each operation with its own."""
    lines, place = [f"{before.edition} to {after.edition}"], ""
    order = {name: n for n, name in enumerate(_places(before, after))}
    for change in sorted(
        compare(before, after), key=lambda c: (order[c.place], c.kind, c.what)
    ):
        if change.place != place:
            place = change.place
            lines += ["", place]
        lines.append(f"  {change}")
    gone = before.clauses.keys() - after.clauses.keys()
    come = after.clauses.keys() - before.clauses.keys()
    said = f"{len(after.clauses)} clauses: {len(come)} more, {len(gone)} fewer"
    return "\n".join([*lines, "", said])


def _places(before: Spec, after: Spec) -> dict[str, None]:
    """Every place that a change can be in, in the order of the pages."""
    operations = (*before.operations.values(), *after.operations.values())
    by_page = sorted(operations, key=lambda op: op.resource)
    return dict.fromkeys([*(op.name for op in by_page), "models"])


def _operation(old: Operation, new: Operation) -> Iterator[Change]:
    if old.deprecated != new.deprecated:
        said = "deprecated" if new.deprecated else "no longer deprecated"
        yield Change(new.name, "changed", said)
    if old.beta != new.beta:
        yield Change(new.name, "changed", "beta" if new.beta else "no longer beta")
    pairs = (
        ("request ", old.body or {}, new.body or {}),
        ("query ", old.query.node, new.query.node),
        ("header ", old.headers.node, new.headers.node),
        ("answer ", old.reply, new.reply),
    )
    for part, one, other in pairs:
        for kind, what in _fields(dict(_flat(one)), dict(_flat(other))):
            yield Change(new.name, kind, part + what)
    rules = ({rule.id for rule in op.rules} for op in (old, new))
    before, after = rules
    for id in after - before:
        yield Change(new.name, "tightened", f"rule {id}")
    for id in before - after:
        yield Change(new.name, "loosened", f"rule {id}")


def _fields(
    old: Mapping[str, _Field], new: Mapping[str, _Field]
) -> Iterator[tuple[Kind, str]]:
    for path in new.keys() - old.keys():
        if _above(path) in old or not _above(path):
            needed = ", required" if new[path].required else ""
            yield "added", path + needed
    for path in old.keys() - new.keys():
        if _above(path) in new or not _above(path):
            needed = ", required" if old[path].required else ""
            yield "removed", path + needed
    for path in old.keys() & new.keys():
        yield from ((kind, f"{path}: {w}") for kind, w in _one(old[path], new[path]))


def _one(old: _Field, new: _Field) -> Iterator[tuple[Kind, str]]:
    if old.required != new.required:
        kind: Kind = "tightened" if new.required else "loosened"
        yield kind, "now required" if new.required else "no longer required"
    for type in sorted(new.types - old.types):
        yield "loosened", f"may be {type}"
    for type in sorted(old.types - new.types):
        yield "tightened", f"may not be {type}"
    yield from _enum(old.values, new.values)
    for word in (*LEAST, *MOST):
        yield from _bound(word, old.words.get(word), new.words.get(word))
    for word in WORDED:
        one, other = old.words.get(word), new.words.get(word)
        if one != other:
            yield "changed", f"{word} was {one!r}, is {other!r}"


def _enum(old: set[str] | None, new: set[str] | None) -> Iterator[tuple[Kind, str]]:
    if old is None and new is not None:
        yield "tightened", f"one of {', '.join(sorted(new))}"
    elif old is not None and new is None:
        yield "loosened", "any value"
    elif old is not None and new is not None:
        for value in sorted(new - old):
            yield "loosened", f"may be {value}"
        for value in sorted(old - new):
            yield "tightened", f"may not be {value}"


def _bound(word: str, old: Any, new: Any) -> Iterator[tuple[Kind, str]]:
    if old == new:
        return
    if old is None or new is None:
        kind: Kind = "loosened" if new is None else "tightened"
    else:
        kind = "tightened" if (new > old) == (word in LEAST) else "loosened"
    shown = ["none" if value is None else f"{value}" for value in (old, new)]
    yield kind, f"{word} was {shown[0]}, is {shown[1]}"


def _models(old: Mapping[str, Model], new: Mapping[str, Model]) -> Iterator[Change]:
    for id in new.keys() - old.keys():
        yield Change("models", "added", id)
    for id in old.keys() - new.keys():
        yield Change("models", "removed", id)
    for id in old.keys() & new.keys():
        for what in ("context", "output", "endpoints", "can", "shutdown"):
            one, other = getattr(old[id], what), getattr(new[id], what)
            if one != other:
                told = f"{id}: {what} was {one!r}, is {other!r}"
                yield Change("models", "changed", told)


def _flat(
    schema: Mapping[str, Any], path: str = "", required: bool = False
) -> Iterator[tuple[str, _Field]]:
    """Every place in a schema with what is said of it; alternatives are one place."""
    branches = list(_branches(schema))
    found = _Field(required=required)
    for branch in branches:
        kind = branch.get("type", ())
        found.types |= {kind} if isinstance(kind, str) else set(kind)
        if "enum" in branch or "const" in branch:
            values = branch.get("enum", [branch.get("const")])
            found.values = (found.values or set()) | {str(v) for v in values if v}
        for word in (*LEAST, *MOST, *WORDED):
            if word in branch:
                found.words[word] = branch[word]
    if path:
        yield path, found
    for branch in branches:
        needed = branch.get("required", ())
        for name, child in branch.get("properties", {}).items():
            inner = f"{path}.{name}" if path else name
            yield from _flat(child, inner, name in needed)
        for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
            if isinstance(branch.get(key), Mapping):
                yield from _flat(branch[key], path + mark)


def _branches(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield {key: value for key, value in schema.items() if key != "anyOf"}
    for branch in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _branches(branch)


def _above(path: str) -> str:
    """The place that holds this one; empty for a field of the body itself."""
    if path.endswith(("[]", "{}")):
        return path[:-2]
    return path.rpartition(".")[0]
