"""The outermost layer of a server: what passes it is told, once it has ended."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from werkzeug.exceptions import ClientDisconnected

OPERATION = "assay.operation"  # where the application notes what was asked of it
WHOLE = 1 << 20  # bytes of an answer that is handed over in one piece

Wsgi = Callable[..., Iterable[bytes]]


@dataclass
class Passage:
    """One request and its answer, as much of them as was sent."""

    method: str
    path: str
    operation: str = ""
    """The operationId; empty for what is no operation."""
    status: int = 500
    received: int = 0
    sent: int = 0
    length: int | None = None
    """Bytes of the answer, where its head says them."""
    organization: str | None = None
    request_id: str | None = None
    stream: bool = False
    at: float = field(default_factory=time.time)
    began: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0

    def answered(self, status: str, headers: Iterable[tuple[str, str]]) -> None:
        """Note the head of the answer."""
        said = {name.lower(): value for name, value in headers}
        self.status = int(status[:3])
        self.stream = said.get("content-type", "").startswith("text/event-stream")
        self.length = int(said["content-length"]) if "content-length" in said else None
        self.organization = said.get("openai-organization")
        self.request_id = said.get("x-request-id")


class Turnstile:
    """A WSGI application around another, that tells of each passage at its end."""

    def __init__(self, app: Wsgi) -> None:
        self._app = app
        self._told: list[Callable[[Passage], None]] = []
        self._lock = Lock()
        self.under_way = 0
        """How many requests are not yet answered to the end."""
        self.streams = 0
        """How many of them are streams."""

    def tell(self, listener: Callable[[Passage], None]) -> None:
        """Tell ``listener`` of each passage."""
        self._told.append(listener)

    def __call__(
        self, environ: dict[str, Any], start: Callable[..., Any]
    ) -> Iterable[bytes]:
        path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        passage = Passage(environ["REQUEST_METHOD"], path)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"] = _Input(environ["wsgi.input"], length, passage)

        def started(status: str, headers: list[tuple[str, str]], *fault: Any) -> Any:
            passage.answered(status, headers)
            return start(status, headers, *fault)

        self._count(1, 0)
        try:
            body = _Body(self._app(environ, started), passage, self._ended)
        except BaseException:
            self._ended(passage)
            raise
        passage.operation = environ.get(OPERATION, "")
        self._count(0, passage.stream)
        return body.joined() if (passage.length or WHOLE + 1) <= WHOLE else body

    def _ended(self, passage: Passage) -> None:
        passage.seconds = time.perf_counter() - passage.began
        self._count(-1, -passage.stream)
        for tell in self._told:
            tell(passage)

    def _count(self, requests: int, streams: int) -> None:
        with self._lock:
            self.under_way += requests
            self.streams += streams


class _Input:
    """The body of a request, counted; one that ends too early is told.

    Servers give as much as is asked for, and less at the end alone.
    """

    def __init__(self, source: Any, length: int, passage: Passage) -> None:
        self._source, self._length, self._passage = source, length, passage

    def read(self, size: int = -1) -> bytes:
        raw: bytes = self._source.read(size)
        self._passage.received += len(raw)
        at_end = not 0 <= size <= len(raw)
        if at_end and self._passage.received < self._length:
            raise ClientDisconnected
        return raw


class _Body:
    """The body of an answer, counted."""

    def __init__(
        self, parts: Iterable[bytes], passage: Passage, ended: Callable[[Passage], None]
    ) -> None:
        self._parts, self._rest = parts, iter(parts)
        self._passage, self._ended = passage, ended

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        part = next(self._rest)
        self._passage.sent += len(part)
        return part

    def close(self) -> None:
        """Give up what is left; the server does this at every end, early or not."""
        try:
            getattr(self._parts, "close", lambda: None)()
        finally:
            self._ended(self._passage)

    def joined(self) -> list[bytes]:
        """All of it in one piece, which a server sends faster than an iterator."""
        try:
            return [b"".join(self)]
        finally:
            self.close()
