"""Forms as they come in: each part in its place, what is large on disk."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import (
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
    NeedData,
)

from mockserver.uploads import Upload, described

READ = 1 << 18  # bytes that are taken from the socket at once
SPOOLED = 1 << 19  # bytes of a file that stay in memory
PARTS = 1000  # of one form

Parts = Mapping[str, str | Upload]


class TooLarge(Exception):  # noqa: N818  # the client's doing, not a fault of ours
    """A form with more text, or with more parts, than it may have."""


@dataclass
class _Part:
    """One part while it comes."""

    name: str
    filename: str | None
    """None where the part is a text."""
    media_type: str
    content: IO[bytes]


def form(stream: IO[bytes], boundary: str, most: int) -> Parts:
    """The parts of a form in their order; of a name that comes twice, the first.

    Raises TooLarge where its texts have more than ``most`` bytes together, and
    ValueError for what is no form.
    """
    parts: dict[str, str | Upload] = {}
    with ExitStack() as spoiled:
        spoiled.callback(close, parts)
        for part in _parts(stream, boundary, most):
            if part.name in parts:
                part.content.close()
            else:
                parts[part.name] = _value(part)
        spoiled.pop_all()
    return parts


def close(parts: Parts) -> None:
    """Give back the room that a form's files take."""
    for part in parts.values():
        if isinstance(part, Upload):
            part.close()


def _value(part: _Part) -> str | Upload:
    if part.filename is not None:
        return described(part.content, part.filename, part.media_type)
    with part.content as content:
        content.seek(0)
        return content.read().decode("utf-8", "replace")


def _parts(stream: IO[bytes], boundary: str, most: int) -> Iterator[_Part]:
    """Each part once it is whole."""
    left = most
    with ExitStack() as opened:
        for event in _events(stream, boundary, most):
            match event:
                case File() | Field():
                    part = _begun(event)
                    opened.callback(part.content.close)
                case Data():
                    part.content.write(event.data)
                    left -= 0 if part.filename is not None else len(event.data)
                    if left < 0:
                        raise TooLarge
                    if not event.more_data:
                        opened.pop_all()
                        yield part


def _begun(event: File | Field) -> _Part:
    name: str | None = event.name  # typed as if it were always there
    if name is None:
        raise ValueError("expected the name of a part, got none")
    return _Part(
        name,
        event.filename if isinstance(event, File) else None,
        event.headers.get("content-type", ""),
        SpooledTemporaryFile(SPOOLED),  # closed with its part
    )


def _events(stream: IO[bytes], boundary: str, most: int) -> Iterator[Event]:
    decoder = MultipartDecoder(boundary.encode(), most, max_parts=PARTS)
    try:
        while not isinstance(event := decoder.next_event(), Epilogue):
            if isinstance(event, NeedData):
                decoder.receive_data(stream.read(READ) or None)
            else:
                yield event
    except RequestEntityTooLarge as fault:
        raise TooLarge from fault
