"""What a server said: an answer, or a stream of events."""

import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import httpx

from conformance import sse
from conformance.exchange import Exchange
from conformance.view import Absent, View, view

QUOTED = 200  # characters of a server's words that a finding repeats


class Unserved(Exception):  # noqa: N818  # the word of the house
    """A lawful request was not answered as such: the server is at fault."""


class Limited(Exception):  # noqa: N818  # the word of the house
    """The server's own limit kept it from answering."""


class ReplyHeaders(httpx.Headers):
    """The headers of an answer; one that it lacks raises Absent."""

    def __getitem__(self, key: str) -> str:
        if key not in self:
            raise Absent(f"header {key}")
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        return super().__getitem__(key) if key in self else default


class Answer:
    """An answer that was read whole."""

    def __init__(self, response: httpx.Response, exchange: Exchange) -> None:
        self.status = response.status_code
        self.headers = ReplyHeaders(response.headers)
        self.exchange = exchange
        self._response = response

    @property
    def content(self) -> bytes:
        return self._response.content

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", errors="replace")

    @property
    def seconds(self) -> float:
        """From the request to the end of the answer."""
        return self.exchange.seconds

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in small letters."""
        return (
            str(self.headers.get("content-type", "")).partition(";")[0].strip().lower()
        )

    @property
    def refused(self) -> bool:
        """Whether the server said no."""
        return 400 <= self.status < 500

    @cached_property
    def body(self) -> Any:
        """The body seen through a view; None where it is not JSON."""
        try:
            return view(json.loads(self.content))
        except (ValueError, RecursionError):
            return None

    @property
    def error(self) -> View:
        """The error object of a refusal; raises Absent where there is none."""
        error = self.body.get("error") if isinstance(self.body, View) else None
        if not isinstance(error, View):
            raise Absent("error")
        return error

    @property
    def message(self) -> str:
        """What a refusal says, or how its body begins."""
        try:
            return str(self.error["message"])[:QUOTED]
        except Absent:
            return self.text[:QUOTED]

    def json(self) -> View:
        """The body of an answer to a lawful request.

        Raises Unserved where the server refused it, failed, or sent something else
        than a JSON object; raises Limited where a limit of the server was reached.
        """
        self.served()
        if not isinstance(self.body, View):
            raise Unserved(f"the answer was no JSON object: {self.text[:QUOTED]!r}")
        return self.body

    def served(self) -> None:
        """Raises Unserved where the answer is no success."""
        if self.status == 429:
            raise Limited(f"the server's limit was reached: {self.message}")
        if not 200 <= self.status < 300:
            raise Unserved(
                f"a lawful request was answered {self.status}: {self.message}"
            )


class StreamAnswer(Answer):
    """An answer to a request for a stream, read whole."""

    def __init__(
        self, response: httpx.Response, exchange: Exchange, terminator: str = sse.DONE
    ) -> None:
        super().__init__(response, exchange)
        self.terminator = terminator

    @property
    def raw(self) -> bytes:
        """The bytes of the stream."""
        return self.exchange.body

    @cached_property
    def events(self) -> list[sse.Event]:
        """All events; raises Unserved where the answer is no stream."""
        self.streamed()
        return sse.events(self.exchange.chunks)

    @cached_property
    def chunks(self) -> list[View]:
        """What the events before the terminator hold; raises Unserved as above."""
        return list(chunks(self.events, self.terminator))

    @property
    def times(self) -> list[float]:
        """Seconds from the request to each event."""
        return [event.at for event in self.events]

    def streamed(self) -> None:
        """Raises Unserved where the answer is no stream."""
        self.served()
        if self.status != 200 or self.content_type != "text/event-stream":
            raise Unserved(
                f"a request for a stream was answered {self.status} "
                f"with the content type {self.content_type!r}"
            )


class OpenStream(StreamAnswer):
    """An answer to a request for a stream, read as it comes."""

    @cached_property
    def arriving(self) -> Iterator[sse.Event]:
        """The events, each as soon as it is whole; raises Unserved as above."""
        return self._arriving()

    def _arriving(self) -> Iterator[sse.Event]:
        if self.status != 200 or self.content_type != "text/event-stream":
            self._response.read()
        self.streamed()
        reader = sse.Reader()
        for chunk in self._response.iter_raw():
            yield from reader.feed(self.exchange.seconds, chunk)
        yield from reader.close()

    def whole(self) -> StreamAnswer:
        """The answer after reading it to its end."""
        self._response.read()
        return StreamAnswer(self._response, self.exchange, self.terminator)


def chunks(events: list[sse.Event], terminator: str) -> Iterator[View]:
    for number, event in enumerate(events):
        if event.data == terminator:
            return
        if event.data is None:
            continue
        try:
            chunk = json.loads(event.data)
        except (ValueError, RecursionError):
            chunk = None
        if not isinstance(chunk, dict):
            raise Unserved(
                f"event {number} held no JSON object: {event.data[:QUOTED]!r}"
            )
        yield View(chunk, f"event {number}")
