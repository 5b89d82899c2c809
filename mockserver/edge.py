"""From bytes to a handler and back: keys, JSON, validation, headers, events."""

import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from traceback import format_tb
from typing import Any

from mockserver.accounts import Caller
from mockserver.context import Context, House
from mockserver.database import Unavailable
from mockserver.deviation import MOMENT, Moment, Seams
from mockserver.gallery import PICTURE, shown
from mockserver.records import Policy
from mockserver.registry import bind, handler_of
from mockserver.reply import Refuse, Reply, Stream
from mockserver.retention import Keeping, keeping
from mockserver.uploads import Upload
from spec import Operation, Refusal
from spec.validation import coerced, misdirected, misfit, outside, parsed
from spec.validation import refusal as refusal_of

LARGEST = 16 * 1024 * 1024  # bytes of a body
log = logging.getLogger("assay.mock")


@dataclass(frozen=True)
class Incoming:
    """A request as it came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None
    """None where it was too large to be read, or came as a form."""
    arguments: Mapping[str, str] = field(default_factory=dict)
    """The values of the path's placeholders."""
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str | Upload] | None = None
    """The parts of a form, its files described."""
    origin: str = ""
    """Scheme and host as the caller named them."""
    began: float = field(default_factory=time.perf_counter)


@dataclass(frozen=True)
class Outgoing:
    """An answer as it goes out: whole, or piece by piece."""

    status: int
    headers: Mapping[str, str]
    body: bytes | Iterator[bytes]


class Edge:
    """Answers requests to operations; faithful but for its deviations."""

    def __init__(self, house: House, seams: Seams | None = None) -> None:
        self._house = house
        self._seams = seams or Seams()
        self._notes: dict[str, Any] = {}

    def serves(self, path: str) -> bool:
        """Whether this server has ``path`` at all."""
        return self._seams.serves(path)

    def answer(self, operation: Operation, incoming: Incoming) -> Outgoing:
        """What ``operation`` answers. Nothing is raised: every fault has an answer."""
        seams = self._seams.of(operation)
        MOMENT.set(Moment(incoming.headers, self._notes, operation.id))
        told: Reply | Stream
        caller = None
        try:
            self._house.broom.pass_by()
            caller = self._caller(incoming, seams)
            told = self._served(operation, incoming, caller, seams)
            if isinstance(told, Stream):
                told = replace(told, chunks=self._events(told, operation, caller))
        except Refuse as no:
            changed = seams.refusal(no.refusal)
            told = (
                changed if isinstance(changed, Reply) else _told(changed or no.refusal)
            )
        except Exception as fault:  # the one broad handler: ours, so a 500, told
            told = _told(self._fault(fault, operation, caller))
        return self._sent(operation, told, incoming, caller, seams)

    def refuse(self, refusal: Refusal, incoming: Incoming) -> Outgoing:
        """A refusal that no operation is concerned with, such as an unknown path."""
        changed = self._seams.everywhere.refusal(refusal)
        told = changed if isinstance(changed, Reply) else _told(changed or refusal)
        return Outgoing(
            told.status, self._headers(told, incoming, None), _json(told.body)
        )

    def welcome(self, incoming: Incoming) -> Outgoing:
        """What the root of the host says."""
        if not self.serves("/"):
            unknown = self._house.spec.refusals["unknown-url"]
            return self.refuse(unknown.worded(method="GET", path="/"), incoming)
        reply = Reply({"message": "Welcome to the Assay mock of the OpenAI API."})
        return Outgoing(200, self._headers(reply, incoming, None), _json(reply.body))

    def picture(self, name: str, incoming: Incoming) -> Outgoing:
        """What the url of a picture yields, to anyone who has it."""
        try:
            found = shown(self._house, name) if self.serves(PICTURE) else None
        except Unavailable as fault:
            return self.refuse(self._fault(fault, None, None), incoming)
        if found is None:
            unknown = self._house.spec.refusals["unknown-url"]
            words = {"method": incoming.method, "path": incoming.path[:200]}
            return self.refuse(unknown.worded(**words), incoming)
        reply = Reply(found, headers={"content-type": "image/png"})
        return Outgoing(200, self._headers(reply, incoming, None), found)

    def _caller(self, incoming: Incoming, seams: Seams) -> Caller:
        headers = incoming.headers
        try:
            return self._house.accounts.caller(
                headers.get("authorization"), headers.get("openai-organization")
            )
        except Refuse as no:
            if seams.refusal(no.refusal) is None:
                return self._house.accounts.anyone()
            raise

    def _served(
        self, operation: Operation, incoming: Incoming, caller: Caller, seams: Seams
    ) -> Reply | Stream:
        bound = handler_of(operation.id, self._house.spec.edition)
        if bound is None:
            raise Refuse(
                Refusal(
                    "not-built",
                    501,
                    "server_error",
                    None,
                    None,
                    f"{operation.id} is not built in this server.",
                )
            )
        context = Context(
            self._house,
            operation,
            caller,
            lambda job: seams.pass_through("on_job", job),
            incoming.origin,
        )
        if not operation.capability:
            self._house.accounts.admit(caller)
        for refused in outside(operation, incoming.query, incoming.headers):
            if seams.refusal(refused) is not None:
                raise Refuse(refused)
        body = self._body(operation, incoming, context, seams)
        request = bind(
            bound.request, operation, body, incoming.query, incoming.arguments
        )
        told = bound.handler(seams.pass_through("on_request", request), context)
        return seams.answer(body, told) if isinstance(told, Reply) else told

    def _body(
        self, operation: Operation, incoming: Incoming, context: Context, seams: Seams
    ) -> dict[str, Any]:
        """The body as an object. Raises Refuse where the API would refuse it."""
        if operation.body is None:
            return {}
        body = seams.body(operation, self._parsed(operation, incoming, seams))
        if "engine_id" in incoming.arguments and "model" in operation.fields:
            body.setdefault("model", incoming.arguments["engine_id"])
        asked = body.get("model")
        if "model" in operation.fields and isinstance(asked, str):
            self._fits(operation, asked, context, seams)
        refused = refusal_of(operation, body, seams.forgotten)
        if refused is not None and seams.refusal(refused) is not None:
            raise Refuse(refused)
        return body

    def _parsed(
        self, operation: Operation, incoming: Incoming, seams: Seams
    ) -> dict[str, Any]:
        refusals = self._house.spec.refusals
        if incoming.body is None and incoming.form is None:
            raise Refuse(refusals["too-large"].worded(limit=LARGEST))
        sent_as = incoming.headers.get("content-type", "")
        wrong = misdirected(self._house.spec, operation, sent_as)
        if wrong is not None and seams.refusal(wrong) is not None:
            raise Refuse(wrong)
        if incoming.form is not None:
            return coerced(operation.fields, incoming.form)
        try:
            return parsed(incoming.body or b"")
        except ValueError as fault:
            broken = operation.refusals.get("not-a-form", refusals["not-json"])
            raise Refuse(broken) from fault

    def _fits(
        self, operation: Operation, asked: str, context: Context, seams: Seams
    ) -> None:
        """Raises Refuse where the model is unknown or serves another endpoint."""
        model = context.model(asked)
        if operation.resource not in model.endpoints:
            unfit = misfit(operation, model)
            if seams.refusal(unfit) is not None:
                raise Refuse(unfit)

    def _sent(
        self,
        operation: Operation,
        told: Reply | Stream,
        incoming: Incoming,
        caller: Caller | None,
        seams: Seams,
    ) -> Outgoing:
        status = 200
        body: bytes | Iterator[bytes]
        if isinstance(told, Reply):
            told = replied = seams.pass_through("on_reply", told)
            status, body = replied.status, _json(replied.body)
        else:
            items = seams.pass_through("on_events", told.chunks)
            framed = self._framed(items, operation, caller)
            body = seams.pass_through("on_bytes", framed)
        headers = self._headers(told, incoming, caller)
        return Outgoing(status, seams.pass_through("on_headers", headers), body)

    def _events(
        self, told: Stream, operation: Operation, caller: Caller
    ) -> Iterator[Any]:
        """The chunks and the terminator, up to the fault that was asked for.

        That is told as the last event.
        """
        terminator = operation.stream.terminator if operation.stream else ""
        events = _closing(told, terminator)
        planned = self._house.accounts.break_of(caller)
        if planned is None:
            return events
        refusal, after = planned
        return _ended(events, after, refusal.envelope)

    def _fault(
        self, fault: Exception, operation: Operation | None, caller: Caller | None
    ) -> Refusal:
        """What a fault of ours is told as; the log keeps no more than may be kept."""
        refusals = self._house.spec.refusals
        name = operation.id if operation else "an image"
        if isinstance(fault, Unavailable):
            log.error("%s failed: %s", name, fault)
            return refusals["server-fault" if fault.reached else "overloaded"]
        policy = caller.organization.policy if caller else Policy()
        if operation and keeping(operation, policy, self._house.spec) != Keeping.STORED:
            where = "".join(format_tb(fault.__traceback__))
            log.error("%s failed: %s\n%s", name, type(fault).__name__, where)
        else:
            log.error("%s failed", name, exc_info=fault)
        return refusals["server-fault"]

    def _framed(
        self, items: Iterator[Any], operation: Operation, caller: Caller | None
    ) -> Iterator[bytes]:
        """Server-sent events; a fault under way is told in an event, the last one."""
        try:
            for item in items:
                yield _event(item)
        except Exception as fault:  # as above: the status is out, it can still be told
            told = self._fault(fault, operation, caller).envelope
            yield f"data: {_text(told)}\n\n".encode()
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()

    def _headers(
        self,
        told: Reply | Stream,
        incoming: Incoming,
        caller: Caller | None,
    ) -> dict[str, str]:
        """The headers of an answer, as the live API sends them."""
        headers = {
            "content-type": "application/json"
            if isinstance(told, Reply)
            else "text/event-stream",
            "x-request-id": self._house.ids.hexadecimal(),
            "strict-transport-security": "max-age=15724800; includeSubDomains",
            "access-control-allow-origin": "*",
        }
        if isinstance(told, Stream):
            headers["cache-control"] = "no-cache"
        elif told.status == 401:
            headers["content-type"] += "; charset=utf-8"
            headers["vary"] = "Origin"
        if caller is not None:
            took = int(1000 * (time.perf_counter() - incoming.began))
            headers |= {
                "openai-version": "2020-10-01",
                "openai-organization": caller.organization.id,
                "openai-processing-ms": str(took),
            }
        if told.model is not None and caller is not None:
            headers |= {"openai-model": told.model, **_limits(caller)}
        if isinstance(told, Reply):
            headers |= told.headers
        return headers


def _event(item: Any) -> bytes:
    """None is a comment: nothing happened, and a reader that left is found out."""
    if item is None:
        return b":\n\n"
    text = item if isinstance(item, str) else _text(item)
    return f"data: {text}\n\n".encode()


def _told(refusal: Refusal) -> Reply:
    return Reply(refusal.envelope, refusal.status)


def _closing(stream: Stream, terminator: str) -> Iterator[Any]:
    """The chunks and then the terminator."""
    try:
        yield from stream.chunks
        yield terminator
    finally:
        close = getattr(stream.chunks, "close", None)
        if close is not None:
            close()


def _ended(events: Iterator[Any], after: int, last: Any) -> Iterator[Any]:
    """The first ``after`` events, and then ``last``."""
    with closing(events):  # type: ignore[type-var]  # a generator, which can close
        yield from islice(events, after)
        yield last


def _limits(caller: Caller) -> dict[str, str]:
    house = caller.organization
    left = house.left()
    calls = house.calls.total
    limit = left + calls
    reset = f"{60_000 * calls // max(1, limit)}ms"
    return {
        "x-ratelimit-limit-requests": str(limit),
        "x-ratelimit-remaining-requests": str(left),
        "x-ratelimit-reset-requests": reset,
    }


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _json(value: Any) -> bytes | Iterator[bytes]:
    """A body as it is sent; bytes, whole or in pieces, are sent as they are."""
    return value if isinstance(value, bytes | Iterator) else _text(value).encode()
