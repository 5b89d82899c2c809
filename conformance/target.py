"""A server under test: where it is, what it claims, and how checks speak to it."""

import json
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import EllipsisType
from typing import Any

import httpx

from conformance.answer import (
    Answer,
    Limited,
    OpenStream,
    StreamAnswer,
    Unserved,
)
from conformance.forms import FORM, Form
from conformance.leftovers import Leftovers
from conformance.notebook import Notebook
from conformance.view import Absent, Rows, View, plain
from conformance.wire import PATIENCE, Tape
from spec import Clause, Operation, Spec

__all__ = [
    "Absent",
    "Answer",
    "Claims",
    "Limited",
    "OpenStream",
    "Rows",
    "StreamAnswer",
    "Target",
    "Unserved",
    "View",
]

Key = str | None | EllipsisType
Headers = Mapping[str, str | None]
EDGE = ("key", "headers", "content", "patience")
"""What is said of a request beside its body."""


@dataclass(frozen=True)
class Claims:
    """What a server says that it serves."""

    operations: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()

    @classmethod
    def everything(cls, spec: Spec) -> "Claims":
        """All that the spec knows."""
        clauses = (clause.capability for clause in spec.clauses.values())
        marked = (op.capability for op in spec.operations.values())
        return cls(
            frozenset(spec.operations), frozenset(filter(None, (*clauses, *marked)))
        )


@dataclass(frozen=True)
class Target:
    """A server under test, as one check sees it."""

    base_url: str
    """Ends in /v1."""
    spec: Spec
    key: str | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    """Resource -> the model that is asked for."""
    claims: Claims = Claims()
    seed: int = 0
    timeout: float = 30.0
    deterministic: bool | None = None
    organization: str | None = None
    tokenizer: str | None = None
    """Where its token ids are told: a tokenizer.json, or an encoding's name."""
    precision: str = "float32"
    """What the server computes in, where it has loaded the reference weights."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with every request."""
    notes: tuple[str, ...] = ()
    command: str = ""
    """The command line that checks this server; empty for a plain one."""
    tape: Tape = field(
        default_factory=lambda: Tape(httpx.HTTPTransport(trust_env=False))
    )
    clause: Clause | None = None
    """The clause that is being looked at."""
    learned: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)
    """What checks found out about the server and need not ask again."""
    notebook: Notebook = field(default_factory=Notebook, repr=False, compare=False)
    """What the check measures for its readers."""
    leftovers: Leftovers = field(default_factory=Leftovers, repr=False, compare=False)

    def over(self, tape: Tape, clause: Clause | None = None) -> "Target":
        """The same server through another tape, for one clause."""
        return replace(self, tape=tape, clause=clause, notebook=Notebook())

    def left(self, tape: Tape) -> None:
        """Note what a tape's exchanges made on the server."""
        self.leftovers.note(self.spec, self.base_url, tape.exchanges)

    def close(self) -> list[str]:
        """Takes away what was made, and ends the connections that all tapes share.

        Gives the paths of what the server kept.
        """
        self.left(self.tape)
        with self._unheard as client:
            return self.leftovers.clear(client, self.base_url)

    def halt(self) -> None:
        """Ends the jobs that checks left running."""
        self.leftovers.halt(self._unheard, self.base_url)

    @property
    def _unheard(self) -> httpx.Client:
        """A client behind all tapes; closing it ends connections that they share."""
        wait = httpx.Timeout(self.timeout)
        return httpx.Client(transport=self.tape.inner, trust_env=False, timeout=wait)

    @cached_property
    def client(self) -> httpx.Client:
        """An httpx client whose every byte is on the tape."""
        return httpx.Client(
            transport=self.tape, trust_env=False, timeout=httpx.Timeout(self.timeout)
        )

    @cached_property
    def random(self) -> random.Random:
        """Chance that repeats itself: drawn from the seed and the clause's id."""
        clause = self.clause.id if self.clause else ""
        return random.Random(f"{self.seed}:{clause}")

    @cached_property
    def deadline(self) -> float:
        """The ``time.monotonic()`` at which polling ends."""
        return time.monotonic() + self.timeout

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no report may show."""
        private = ("auth", "key", "token", "secret", "cookie")
        named = (
            value
            for name, value in self.headers.items()
            if any(word in name.lower() for word in private)
        )
        return tuple(filter(None, (self.key, *named)))

    def model(self, resource: str) -> str:
        """The model that ``resource`` is asked for."""
        if resource in self.models:
            return self.models[resource]
        for operation in self.spec.operations.values():
            sample = {**operation.sample.get("path", {}), **operation.sample}
            if operation.resource == resource and "model" in sample:
                return str(sample["model"])
        served = self.spec.served(resource) or tuple(self.spec.models.values())
        return served[0].id

    def operations(self, clause: Clause) -> list[Operation]:
        """The claimed operations that ``clause`` speaks of, without the control page.

        A clause that is about the control page itself keeps its operations.
        """
        return [
            operation
            for operation in self.spec.concerned(clause)
            if operation.id in self.claims.operations and not operation.capability
        ]

    def sample(self, operation_id: str, **changes: Any) -> dict[str, Any]:
        """A request known to succeed, with ``changes``; ``...`` takes a key away."""
        operation = self.spec.operations[operation_id]
        sample = json.loads(json.dumps(operation.sample))
        model = self.model(operation.resource)
        if "model" in sample:
            sample["model"] = model
        if "model" in sample.get("path", {}):
            sample["path"]["model"] = model
        merged = {**sample, **changes}
        return {key: value for key, value in merged.items() if value is not ...}

    def call(
        self,
        operation_id: str,
        /,
        **asked: Any,
    ) -> Answer:
        """The answer to an operation's sample, changed by ``asked``; as ``request``.

        ``path`` holds the values for the placeholders of the operation's path.
        """
        operation = self.spec.operations[operation_id]
        edge, changes = parted(asked)
        return self.ask(operation, self.ready(operation_id, **changes), **edge)

    def ready(self, operation_id: str, **changes: Any) -> dict[str, Any]:
        """The sample with ``changes``, and with what has to be made for it first."""
        operation = self.spec.operations[operation_id]
        path = dict(changes.pop("path", {}))
        made: dict[str, Any] = {}
        for link in self.spec.links.get(operation_id, ()):
            holes = link.path.keys() - path.keys()
            fields = (link.body.keys() - changes.keys() - made.keys()) & {
                *operation.fields
            }
            if link.source in self.claims.operations and (holes or fields):
                answer = self.call(link.source).json()
                path |= link.given(holes, answer)
                made |= link.given(fields, answer)
        sample = self.sample(operation_id)
        whole = {**sample.get("path", {}), **path}
        return self.sample(
            operation_id, **made, **({"path": whole} if whole else {}), **changes
        )

    def ask(self, operation: Operation, body: Mapping[str, Any], **edge: Any) -> Answer:
        """The answer of an operation to ``body``, as a form where it takes one.

        The values for the placeholders of its path are the body's ``path``.
        """
        path = operation.filled(body.get("path", {}))
        sent = {name: value for name, value in body.items() if name != "path"}
        form = operation.media_type == FORM
        return self.send(operation.method, path, Form(sent) if form else sent, **edge)

    def post(self, path: str, /, **asked: Any) -> Answer:
        """The answer to a POST; ``asked`` as for ``request``."""
        return self.request("POST", path, **asked)

    def get(self, path: str, /, **asked: Any) -> Answer:
        """The answer to a GET; fields of ``asked`` are sent in the query."""
        return self.request("GET", path, **asked)

    def delete(self, path: str, /, **asked: Any) -> Answer:
        """The answer to a DELETE; fields of ``asked`` are sent in the query."""
        return self.request("DELETE", path, **asked)

    def request(
        self,
        method: str,
        path: str,
        /,
        **asked: Any,
    ) -> Answer:
        """The answer to ``method`` on ``path``; the names of ``asked`` are its body.

        Four names say how it is sent: a ``key`` of None or "" sends none; one of
        ``headers`` that is None is taken away; ``content`` are the bytes sent in the
        place of a body. Where a clause is looked at, a 429 raises Limited, unless
        ``patience`` is off: then no Retry-After is obeyed.
        """
        edge, body = parted(asked)
        return self.send(method, path, body, **edge)

    def send(
        self,
        method: str,
        path: str,
        body: Any = ...,
        *,
        patience: bool = True,
        **edge: Any,
    ) -> Answer:
        """The same for a ``body`` of any JSON shape; ``...`` sends none."""
        request = self.built(method, path, body, patience=patience, **edge)
        response = self.client.send(request)
        answer = Answer(response, self.tape.exchanges[-1])
        if answer.status == 429 and patience and self.clause is not None:
            raise Limited(f"the server's limit was reached: {answer.message}")
        return answer

    def stream(self, path: str, /, **asked: Any) -> StreamAnswer:
        """The whole answer to a POST that asks for a stream."""
        with self.open_stream(path, **asked) as opened:
            return opened.whole()

    @contextmanager
    def open_stream(self, path: str, /, **asked: Any) -> Iterator[OpenStream]:
        """The answer to a POST that asks for a stream, read as it comes.

        Leaving the context hangs up.
        """
        edge, body = parted(asked)
        request = self.built("POST", path, {"stream": True, **body}, **edge)
        response = self.client.send(request, stream=True)
        try:
            yield OpenStream(response, self.tape.exchanges[-1], self._terminator(path))
        finally:
            response.close()

    def built(
        self,
        method: str,
        path: str,
        body: Any = ...,
        *,
        key: Key = ...,
        headers: Headers | None = None,
        content: bytes | None = None,
        patience: bool = True,
    ) -> httpx.Request:
        """The request that ``send`` sends."""
        params = None
        if method in ("POST", "PUT", "PATCH"):
            if isinstance(body, Form) and content is None:
                content, form = body.encoded()
                headers = {"Content-Type": form, **(headers or {})}
            elif content is None and body is not ...:
                content = encoded(plain(body))
        elif isinstance(body, Mapping):
            params = {name: str(value) for name, value in body.items()} or None
        request = self.client.build_request(
            method,
            self.base_url + path,
            content=content,
            params=params,
            headers=self._headers(key, headers, content),
            extensions={PATIENCE: patience},
        )
        for name, value in (headers or {}).items():
            if value is None:
                request.headers.pop(name, None)
        return request

    def _headers(
        self, key: Key, headers: Headers | None, content: bytes | None
    ) -> list[tuple[bytes, bytes]]:
        chosen = httpx.Headers({"Accept-Encoding": "identity", **self.headers})
        if content is not None:
            chosen["Content-Type"] = "application/json"
        sent = self.key if key is ... else key
        if sent:
            chosen["Authorization"] = f"Bearer {sent}"
        elif key is not ...:
            chosen.pop("Authorization", None)
        for name, value in (headers or {}).items():
            if value is not None:
                chosen[name] = value
        return chosen.raw

    def _terminator(self, path: str) -> str:
        for operation in self.spec.operations.values():
            if operation.path == path and operation.stream:
                return operation.stream.terminator
        return "[DONE]"


def parted(asked: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """How a request is sent, and what its body holds."""
    edge = {name: value for name, value in asked.items() if name in EDGE}
    return edge, {name: value for name, value in asked.items() if name not in EDGE}


def encoded(body: Any) -> bytes:
    """``body`` as JSON, readable where its characters allow that."""
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return json.dumps(body).encode()
