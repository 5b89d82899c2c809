"""JSON Schema in two voices: one library decides fast, another words the faults."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

LONGEST = 500  # characters of a message: a fault may quote a whole body


class Schema:
    """A schema with its validators, each compiled when first asked."""

    def __init__(self, node: Mapping[str, Any]) -> None:
        self.node = node

    def valid(self, value: Any) -> bool:
        """Whether ``value`` is what the schema describes."""
        try:
            return bool(self._fast.is_valid(value))
        except ValueError:  # a name that no JSON has, such as half a surrogate pair
            return False

    def faults(self, value: Any) -> Iterator[str]:
        """What is wrong with ``value``, in the words that the live API uses."""
        try:
            errors = sorted(self._worded.iter_errors(value), key=_place)
        except RecursionError:  # the library quotes the value, all the way down
            yield "The body is nested too deeply."
            return
        for error in errors:
            path = ".".join(str(step) for step in error.absolute_path)
            yield cut(error.message) + (f" - '{path}'" if path else "")

    @cached_property
    def _fast(self) -> Any:
        import jsonschema_rs

        return jsonschema_rs.Draft202012Validator(dict(self.node))

    @cached_property
    def _worded(self) -> Any:
        from jsonschema import Draft202012Validator
        from jsonschema.validators import extend

        change = {"pattern": _pattern}
        worded: Any = extend(Draft202012Validator, change)  # type: ignore[no-untyped-call]
        return worded(dict(self.node))


def cut(text: str) -> str:
    """``text``, or as much of it as a message may quote."""
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _pattern(validator: Any, pattern: str, value: Any, _: Any) -> Iterator[Any]:
    """In a schema ``$`` is the end of the text; Python's lets a newline follow."""
    from jsonschema import ValidationError

    text = validator.is_type(value, "string")
    if text and not re.search(pattern.replace("$", r"\Z"), value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _place(error: Any) -> tuple[int, str]:
    return len(error.absolute_path), str(list(error.absolute_path))
