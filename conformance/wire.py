"""The one door to the network: a transport that records what passes through it."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import Any

import httpx

from conformance.exchange import Exchange

RETRIES = 3
LONGEST_WAIT = 60.0  # seconds that a Retry-After may ask for
FIRST = 5  # the first request may wake a model: it gets so many times the timeout
WHOLE = 10  # an answer may take so many times the timeout for a single read
LARGEST = 64 * 2**20  # bytes of an answer
PATIENCE = "assay_patience"
CONNECTED = "connection.connect_"


class BudgetSpent(Exception):  # noqa: N818  # the word of the house
    """The run may ask no more of the server."""


@dataclass
class Budget:
    """What a run may still ask of a server; None is without limit."""

    requests: int | None = None
    tokens: int | None = None
    seconds: float | None = None
    asked: int = field(default=0, init=False)
    used: int = field(default=0, init=False)
    started: float = field(default_factory=time.monotonic, init=False)
    lock: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    def spend(self, tokens: int) -> None:
        """Counts one request that may cost ``tokens``.

        Raises BudgetSpent where that is more than is left.
        """
        elapsed = time.monotonic() - self.started
        if self.seconds is not None and elapsed > self.seconds:
            raise BudgetSpent(f"the budget of {self.seconds:g} seconds is spent")
        with self.lock:
            if self.requests is not None and self.asked >= self.requests:
                raise BudgetSpent(f"the budget of {self.requests} requests is spent")
            if self.tokens is not None and self.used + tokens > self.tokens:
                raise BudgetSpent(f"the budget of {self.tokens} tokens is spent")
            self.asked += 1
            self.used += tokens

    def settle(self, estimate: int, exchange: Exchange) -> None:
        """Puts what an answer says it cost in the place of the estimate."""
        told = usage(exchange)
        if told is not None:
            with self.lock:
                self.used += told - estimate


def estimate(body: bytes) -> int:
    """About how many tokens a request may cost: its texts and what it asks for."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return 0
    if not isinstance(asked, dict):
        return 0
    texts = [asked[key] for key in ("prompt", "messages", "input") if key in asked]
    if not texts:
        return 0
    wanted = _count(asked.get("max_tokens"), 16)
    choices = max(_count(asked.get("n"), 1), _count(asked.get("best_of"), 1))
    return len(json.dumps(texts)) // 4 + min(wanted, 4096) * min(choices, 128)


def _count(value: Any, default: int) -> int:
    return max(value, 0) if type(value) is int else default


def usage(exchange: Exchange) -> int | None:
    """The tokens that an answer says it cost; a refusal costs none."""
    if exchange.status is None or exchange.status >= 400:
        return 0
    try:
        total = json.loads(exchange.body)["usage"]["total_tokens"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return total if type(total) is int and total >= 0 else None


class Tape(httpx.BaseTransport):
    """Records every exchange that it carries over to ``inner``."""

    def __init__(
        self,
        inner: httpx.BaseTransport,
        budget: Budget | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.inner = inner
        self.budget = budget or Budget()
        self.sleep = sleep
        self.started = time.monotonic()
        self.exchanges: list[Exchange] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer; one that asks to come back later is obeyed within bounds."""
        patient = request.extensions.get(PATIENCE, True)
        for _ in range(RETRIES if patient else 0):
            response = self._kept(request)
            wait = waiting(response)
            if wait is None or wait > LONGEST_WAIT:
                return response
            response.read()
            response.close()
            self.sleep(wait)
        return self._kept(request)

    def close(self) -> None:
        """Leaves ``inner`` open: other tapes share it."""

    def _kept(self, request: httpx.Request) -> httpx.Response:
        """The answer; asked again where a kept connection turned out to be closed.

        Many servers close a connection behind a 500 without a word. A connection that
        was opened for the request and then closed is the server's answer to it.
        """
        opened: list[str] = []
        request.extensions = {
            **request.extensions,
            "trace": lambda event, info: opened.append(event),
        }
        try:
            return self._carried(request)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            if not opened or any(event.startswith(CONNECTED) for event in opened):
                raise
            return self._carried(request)

    def _carried(self, request: httpx.Request) -> httpx.Response:
        sent = request.read()
        cost = estimate(sent)
        first = self.budget.asked == 0
        self.budget.spend(cost)
        exchange = Exchange(
            request.method, str(request.url), tuple(request.headers.raw), sent
        )
        exchange.begun = time.monotonic()
        exchange.at = exchange.begun - self.started
        self.exchanges.append(exchange)
        return self._answered(request, exchange, cost, first)

    def _answered(
        self, request: httpx.Request, exchange: Exchange, cost: int, first: bool
    ) -> httpx.Response:
        limits = dict(request.extensions.get("timeout") or {})
        if first:
            limits = {key: value and value * FIRST for key, value in limits.items()}
        request.extensions = {**request.extensions, "timeout": limits}
        try:
            response = self.inner.handle_request(request)
        except Exception as error:
            exchange.failed(error)
            raise
        exchange.status = response.status_code
        exchange.received = tuple(response.headers.raw)
        response.stream = _Recording(
            response.stream,  # type: ignore[arg-type]  # a sync transport's stream
            exchange,
            lambda: self.budget.settle(cost, exchange),
            WHOLE * (limits.get("read") or float("inf")),
        )
        return response


class _Recording(httpx.SyncByteStream):
    """A body that notes each chunk as it passes, also of a reader who leaves early."""

    def __init__(
        self,
        inner: httpx.SyncByteStream,
        exchange: Exchange,
        settle: Callable[[], None],
        longest: float,
    ) -> None:
        self.inner = inner
        self.exchange = exchange
        self.settle = settle
        self.longest = longest

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        try:
            for chunk in self.inner:
                at = self.exchange.note(chunk)
                size += len(chunk)
                if at > self.longest:
                    raise httpx.ReadTimeout(f"the answer took over {at:.0f} seconds")
                if size > LARGEST:
                    raise httpx.ReadError(f"the answer had over {LARGEST} bytes")
                yield chunk
        except Exception as error:
            self.exchange.failed(error)
            raise
        self.settle()

    def close(self) -> None:
        self.exchange.ended()
        self.inner.close()


def waiting(response: httpx.Response) -> float | None:
    """The seconds after which the server wants to be asked again; None: it does not.

    Only a 429 or a 503 with a Retry-After counts.
    """
    if response.status_code not in (429, 503):
        return None
    text = response.headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        return _until(text)
    return max(0.0, seconds) if seconds < float("inf") else None


def _until(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
