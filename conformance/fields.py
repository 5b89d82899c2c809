"""Values for one field of a request: lawful ones, and ones that break one keyword."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from spec.model import Operation, Pointer
from spec.schema import Schema

Json = Any
GONE = object()
"""Stands for a field that is left out."""

STRANGERS: tuple[Json, ...] = ("1", True, 7, 1.5, [], {}, [{}], [True], None)
"""One value of every kind, the ones that a lax parser converts first."""

STEP = {"integer": 1, "number": 0.1}


def required_at(operation: Operation, pointer: Pointer) -> bool:
    """Whether the field at ``pointer`` has to be sent."""
    above = operation.field(pointer[:-1])
    return pointer[-1] in above.get("required", ())


def with_value(
    operation: Operation, sample: Mapping[str, Json], pointer: Pointer, value: Json
) -> Json:
    """``sample`` with ``value`` at ``pointer``; an item is the first of its array.

    What would hold the value and is not there is the first example of its schema.
    """
    body = copy.deepcopy(dict(sample))
    place: Any = body
    for depth, step in enumerate(pointer[:-1], 1):
        if step == "[]":
            place = place[0]
            continue
        if place.get(step) is None:
            above = operation.field(pointer[:depth])
            place[step] = copy.deepcopy(above["examples"][0])
        place = place[step]
    last: Any = 0 if pointer[-1] == "[]" else pointer[-1]
    if value is GONE:
        place.pop(last, None)
    else:
        place[last] = value
    return body


def spelled(pointer: Pointer) -> str:
    """The pointer as a person writes it: ``messages[].role``."""
    return ".".join(pointer).replace(".[]", "[]") or "the body"


def lawful(node: Mapping[str, Json], keyword: str) -> Iterator[Json]:
    """Values on the lawful side of ``keyword``: at the edge, and just inside."""
    bound = _bound(node, keyword)
    match keyword:
        case "minimum":
            yield from (bound, bound + _step(node))
        case "maximum":
            yield from (bound, bound - _step(node))
        case "minItems" | "maxItems":
            if kinds(bearer(node, keyword)["items"]) == {"string"}:
                yield _items(node, bound)
        case "minLength" | "maxLength":
            yield "a" * bound
        case "maxProperties":
            yield {f"k{number}": "v" for number in range(bound)}
        case "enum":
            yield from (value for value in node["enum"] if value is not None)
        case "pattern" | "accept":
            yield from _accepted(node, keyword)
        case "propertyNames":
            yield from ({name: _inside(node)} for name in _names(node, 0))
        case "values":
            name, inner = _names(node, 0)[0], node["additionalProperties"]
            keywords = {"minimum", "maximum", "maxLength"} & inner.keys()
            for keyword in sorted(keywords, reverse=True):
                yield from ({name: v} for v in list(lawful(inner, keyword))[:1])


def _names(node: Mapping[str, Json], beyond: int) -> list[str]:
    """Names that a map may have, or just may not have."""
    names = node.get("propertyNames", {})
    if "maxLength" in names:
        return ["k" * (names["maxLength"] + beyond)]
    return ["abc" if beyond else "12"]


def _inside(node: Mapping[str, Json]) -> Json:
    """A value that a map may hold."""
    return 1 if kinds(node["additionalProperties"]) & {"number", "integer"} else "v"


def unlawful(node: Mapping[str, Json], keyword: str) -> Iterator[Json]:
    """Values just beyond ``keyword``, lawful in everything else."""
    bound = _bound(node, keyword)
    match keyword:
        case "minimum":
            yield bound - _step(node)
        case "maximum":
            yield bound + _step(node)
        case "minItems":
            yield _items(node, bound - 1)
        case "maxItems":
            yield _items(node, bound + 1)
        case "minLength":
            yield "a" * (bound - 1)
        case "maxLength":
            yield "a" * (bound + 1)
        case "maxProperties":
            yield {f"k{number}": "v" for number in range(bound + 1)}
        case "enum":
            yield "robot"
        case "pattern":
            yield from ("a b", "a.b")
        case "propertyNames":
            yield from ({name: _inside(node)} for name in _names(node, 1))
        case "values":
            name, inner = _names(node, 0)[0], node["additionalProperties"]
            keywords = {"minimum", "maximum", "maxLength"} & inner.keys()
            for keyword in sorted(keywords, reverse=True):
                yield from ({name: value} for value in unlawful(inner, keyword))
        case "type":
            yield from _strangers(node)


def kinds(node: Mapping[str, Json]) -> set[str]:
    """The JSON types that ``node`` admits."""
    kind = node.get("type", ())
    found = {kind} if isinstance(kind, str) else set(kind)
    return found.union(*(kinds(branch) for branch in node.get("anyOf", ())))


def bearer(node: Mapping[str, Json], keyword: str) -> Mapping[str, Json]:
    """The node itself, or the branch of it that has ``keyword``."""
    if keyword in node:
        return node
    return next((b for b in node.get("anyOf", ()) if keyword in b), node)


def _bound(node: Mapping[str, Json], keyword: str) -> Any:
    return bearer(node, keyword).get(keyword)


def _step(node: Mapping[str, Json]) -> float:
    return next(STEP[kind] for kind in ("integer", "number") if kind in kinds(node))


def _items(node: Mapping[str, Json], count: int) -> list[Json]:
    """``count`` items: texts that are told apart, else copies of nothing."""
    return [f"zq{number}" for number in range(count)]


def _accepted(node: Mapping[str, Json], keyword: str) -> Iterator[Json]:
    yield from node.get("examples", ())
    if keyword == "accept":
        if node.get("default") is not None:
            yield node["default"]
        if "null" in kinds(node) or None in node.get("enum", ()):
            yield None


def _strangers(node: Mapping[str, Json]) -> Iterator[Json]:
    """At most three values of a type that the field does not have."""
    schema, found = Schema(_bare(node)), 0
    for value in STRANGERS:
        if found < 3 and not schema.valid(value):
            found += 1
            yield value


def _bare(node: Mapping[str, Json]) -> dict[str, Json]:
    """``node`` without its bounds: a number that is too large is still a number."""
    bare = {key: value for key, value in node.items() if key in ("type", "properties")}
    if "items" in node:
        bare["items"] = _bare(node["items"])
    if "anyOf" in node:
        bare["anyOf"] = [_bare(branch) for branch in node["anyOf"]]
    return bare
