"""Relations between fields: CEL expressions, compiled once and asked of bodies."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any

from spec.model import Json, Rule


def broken(rules: Iterable[Rule], body: Mapping[str, Json]) -> Iterator[Rule]:
    """The rules that ``body``, as sent and valid by its schema, does not keep."""
    for rule in rules:
        if not holds(rule.holds, rule.fields, body):
            yield rule


def holds(expression: str, fields: tuple[str, ...], body: Mapping[str, Json]) -> bool:
    """Whether ``expression`` is true of ``body``; a null counts as not sent.

    The expression is handed the fields that it names and no others: copying a whole
    conversation into it costs 500 times as much as asking it.
    """
    named = {name: body[name] for name in fields if body.get(name) is not None}
    try:
        return _truth(expression, named)
    except ValueError:  # an integer that no double holds, which CEL does not know
        return _truth(expression, _held(named))


def _held(value: Any) -> Any:
    """``value`` with each integer brought within what a double holds."""
    match value:
        case dict():
            return {key: _held(item) for key, item in value.items()}
        case list():
            return [_held(item) for item in value]
        case int():
            return max(-_LARGEST, min(value, _LARGEST))
    return value


NEIGHBOURS = "neighbours"
_LARGEST = int(sys.float_info.max)


def _truth(expression: str, body: Mapping[str, Json]) -> bool:
    """What the expression says of ``body``; CEL itself has no word for neighbours."""
    context: dict[str, Any] = {"body": body}
    if NEIGHBOURS not in expression:
        return bool(_program(expression)(context))
    import cel

    with_function = cel.Context(context)
    with_function.add_function(NEIGHBOURS, _neighbours)
    return bool(_program(expression)(with_function))


def _neighbours(items: list[Any]) -> list[dict[str, Any]]:
    """Each two items that stand side by side, as ``before`` and ``after``."""
    return [{"before": one, "after": two} for one, two in pairwise(items)]


@cache
def _program(expression: str) -> Callable[[Any], object]:
    import cel  # 134 ms: paid by the first rule, not by every start

    return cel.compile(expression).execute
