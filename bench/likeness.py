"""What two clients saw of the same answers, made comparable."""

import re
import struct
from collections.abc import Iterator
from typing import Any

ID = re.compile(r"\b(?:\w+:ft|cmpl|chatcmpl|file|ft|modr|org)-[\w:-]{6,}")
PASSING = {"created", "created_at", "updated_at"}
"""What is told of the time."""
SHOWN = 80  # characters of a value in a difference


class Likeness:
    """One client's answers, without what is new in each of them."""

    def __init__(self) -> None:
        self._steps: dict[str, str] = {}

    def of(self, step: str, seen: Any) -> Any:
        """An id is told by the step that it first came in, and no time is told.

        A number is kept as far as four bytes hold it: so the libraries read vectors.
        """
        match seen:
            case dict():
                file = seen.get("object") == "file"  # which is processed in a while
                passing = PASSING | {"status"} if file else PASSING
                return {
                    name: None if name in passing else self.of(step, one)
                    for name, one in seen.items()
                }
            case list():
                return [self.of(step, one) for one in seen]
            case float():
                return struct.unpack("f", struct.pack("f", seen))[0]
            case str():
                return ID.sub(lambda id: self._made(step, id[0]), seen)
        return seen

    def _made(self, step: str, id: str) -> str:
        return f"an id of {self._steps.setdefault(id, step)}"


def differences(expected: Any, seen: Any, place: str = "") -> Iterator[str]:
    """Where two answers differ."""
    match expected, seen:
        case dict(), dict():
            for name in sorted(expected.keys() | seen.keys()):
                one, other = expected.get(name, ...), seen.get(name, ...)
                yield from differences(one, other, f"{place}.{name}")
        case list(), list() if len(expected) != len(seen):
            yield f"{place or 'the answer'} has {len(seen)} parts, not {len(expected)}"
        case list(), list():
            for index, (one, other) in enumerate(zip(expected, seen, strict=True)):
                yield from differences(one, other, f"{place}[{index}]")
        case _ if expected != seen:
            yield f"{place or 'the answer'} is {_short(seen)}, not {_short(expected)}"


def _short(value: Any) -> str:
    text = "absent" if value is ... else repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
