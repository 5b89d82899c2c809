"""Relations between fields: CEL expressions, compiled once and asked of bodies."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
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
        return bool(_program(expression)({"body": named}))
    except ValueError:  # an integer that no double holds, which CEL does not know
        return bool(_program(expression)({"body": _held(named)}))


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


_LARGEST = int(sys.float_info.max)


@cache
def _program(expression: str) -> Callable[[dict[str, Any]], object]:
    import cel  # 134 ms: paid by the first rule, not by every start

    return cel.compile(expression).execute
