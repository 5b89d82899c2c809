"""Asks a house's edge, with no socket in between."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.context import House
from mockserver.deviation import Deviation, Seams
from mockserver.edge import Edge, Incoming

HEADERS = {"authorization": "Bearer sk-test", "content-type": "application/json"}


@dataclass(frozen=True)
class Answer:
    """What came back, read to its end."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def error(self) -> tuple[Any, ...]:
        """Status, type, param and code of a refusal."""
        error = self.json["error"]
        return (self.status, error["type"], error["param"], error["code"])

    @property
    def events(self) -> list[str]:
        """The data of each event."""
        *events, rest = self.raw.decode().split("\n\n")
        assert rest == ""
        assert all(event.startswith("data: ") for event in events)
        return [event.removeprefix("data: ") for event in events]

    @property
    def chunks(self) -> list[Any]:
        """The objects of a stream that ended as it should."""
        *events, last = self.events
        assert last == "[DONE]"
        return [json.loads(event) for event in events]


class Mock:
    """A server in this process, without its sockets."""

    def __init__(self, rooms: House, *deviations: Deviation) -> None:
        self.rooms = rooms
        self.edge = Edge(rooms, Seams(deviations))

    def ask(
        self,
        operation: str,
        body: Any = None,
        headers: Mapping[str, str | None] | None = None,
        **arguments: str,
    ) -> Answer:
        """The answer to ``body``, as JSON or as raw bytes; None drops a header."""
        asked = self.rooms.spec.operations[operation]
        raw = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        sent = {
            name: value
            for name, value in {**HEADERS, **(headers or {})}.items()
            if value is not None
        }
        incoming = Incoming(asked.method, asked.path, sent, raw, arguments)
        outgoing = self.edge.answer(asked, incoming)
        parts = outgoing.body
        return Answer(
            outgoing.status,
            outgoing.headers,
            parts if isinstance(parts, bytes) else b"".join(parts),
        )

    def sample(self, operation: str, **changes: Any) -> Answer:
        """The answer to the operation's own sample, changed."""
        sample = self.rooms.spec.operations[operation].sample
        path = sample.get("path", {})
        body = {key: value for key, value in sample.items() if key != "path"}
        return self.ask(operation, {**body, **changes}, **path)

    def complete(self, prompt: Any = "Once upon a time", **body: Any) -> Answer:
        request = {"model": "text-davinci-003", "prompt": prompt, **body}
        return self.ask("createCompletion", request)

    def chat(self, text: str = "Hello", **body: Any) -> Answer:
        messages = [{"role": "user", "content": text}]
        request = {"model": "gpt-3.5-turbo", "messages": messages, **body}
        return self.ask("createChatCompletion", request)

    def script(self, *texts: str) -> None:
        """Say which texts the next choices are."""
        assert self.ask("controlScript", {"texts": list(texts)}).status == 200

    def tokens(self, text: str) -> list[int]:
        tokens: list[int] = self.rooms.mind.tokenizer.encode(text)
        return tokens
