"""A strict reader of server-sent events, which keeps faults as data."""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

DONE = "[DONE]"
_END = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True)
class Event:
    """One event as it came."""

    at: float
    """Seconds from the request to the event's last byte."""
    lines: tuple[str, ...]
    data: str | None
    fields: tuple[tuple[str, str], ...]
    raw: bytes
    """The bytes with the empty line behind them, if there was one."""


@dataclass
class Reader:
    """Takes bytes as they come and gives the events that they complete."""

    _rest: bytes = b""
    _at: float = field(default=0.0)

    def feed(self, at: float, chunk: bytes) -> Iterator[Event]:
        self._rest += chunk
        self._at = at
        start = 0
        for end in _END.finditer(self._rest):
            yield event(at, self._rest[start : end.end()])
            start = end.end()
        self._rest = self._rest[start:]

    def close(self) -> Iterator[Event]:
        """The event that no empty line ended, if bytes are left."""
        if self._rest.strip(b"\r\n"):
            yield event(self._at, self._rest)
        self._rest = b""


def events(chunks: Iterable[tuple[float, bytes]]) -> list[Event]:
    """The events in ``chunks``, wherever these were cut."""
    reader = Reader()
    found = [one for at, chunk in chunks for one in reader.feed(at, chunk)]
    return [*found, *reader.close()]


def event(at: float, raw: bytes) -> Event:
    """The event that ``raw`` holds; bytes that are no UTF-8 become U+FFFD."""
    text = raw.decode("utf-8", errors="replace")
    lines = tuple(line for line in re.split(r"\r?\n", text) if line)
    fields = tuple(_field(line) for line in lines if not line.startswith(":"))
    data = [value for name, value in fields if name == "data"]
    return Event(at, lines, "\n".join(data) if data else None, fields, raw)


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.removeprefix(" ")


def faults(raw: bytes, terminator: str = DONE) -> Iterator[str]:
    """What is wrong with a whole stream's bytes, a sentence each."""
    if not raw:
        return
    try:
        codecs.decode(raw, "utf-8", "strict")
    except UnicodeDecodeError as error:
        yield f"byte {error.start} of the stream was not UTF-8"
    found = events([(0.0, raw)])
    for number, one in enumerate(found):
        for fault in _faults(one, terminator):
            yield f"event {number} {fault}"
    if not _END.search(raw, max(0, len(raw) - 4)):
        yield "the stream did not end with an empty line"


def _faults(one: Event, terminator: str) -> Iterator[str]:
    for line in one.lines:
        name, colon, value = line.partition(":")
        if line.startswith(":"):
            yield f"had a comment line {line[:80]!r}"
        elif name != "data":
            yield f"had a line that is no data line: {line[:80]!r}"
        elif not colon or not value.startswith(" "):
            yield f"had no space after its colon: {line[:80]!r}"
    count = sum(name == "data" for name, _ in one.fields)
    if count != 1:
        yield f"had {count} data lines"
    if one.data is not None and one.data != terminator:
        yield from _unread(one.data)


def _unread(data: str) -> Iterator[str]:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        if _several(data):
            yield f"held two JSON values: {data[:80]!r}"
        else:
            yield f"held data that is not JSON: {data[:80]!r}"


def _several(data: str) -> bool:
    try:
        _, end = json.JSONDecoder().raw_decode(data)
        json.JSONDecoder().raw_decode(re.sub(r"^[\s,]*(data:)?\s*", "", data[end:]))
    except (ValueError, RecursionError):
        return False
    return True
