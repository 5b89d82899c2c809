"""One request with its answer, and how it is written: as JSON and as a curl line."""

import base64
import hashlib
import json
import re
import shlex
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance import sse

Pairs = tuple[tuple[bytes, bytes], ...]

SHOWN = 64 * 2**10  # bytes of a body that a report shows
TYPED = 8 * 2**10  # bytes of a body that a curl line carries
KEY = "$OPENAI_API_KEY"
SHORT = 4  # a shorter secret stands in too many words to be replaced there
OWN = frozenset({"host", "content-length", "accept-encoding", "connection", "accept"})
"""Headers that curl writes itself, or that do not matter."""
PRIVATE = frozenset({"cookie", "set-cookie", "proxy-authorization", "api-key"})


@dataclass
class Exchange:
    """What was sent and what came back, filled in while it comes."""

    method: str
    url: str
    sent: Pairs
    content: bytes
    status: int | None = None
    received: Pairs = ()
    chunks: list[tuple[float, bytes]] = field(default_factory=list)
    """Each chunk of the answer's body with the seconds since the request."""
    error: str | None = None
    at: float = 0.0
    """Seconds from the start of the check to the request."""
    seconds: float = 0.0
    begun: float = 0.0

    @property
    def body(self) -> bytes:
        """The answer's body, as far as it was read."""
        return b"".join(chunk for _, chunk in self.chunks)

    def header(self, name: str) -> str | None:
        """A header of the answer."""
        value = _first(self.received, name)
        return value.decode("latin-1") if value is not None else None

    def header_sent(self, name: str) -> bytes | None:
        """A header of the request."""
        return _first(self.sent, name)

    def note(self, chunk: bytes) -> float:
        """Keeps a chunk; gives the seconds that it took to come."""
        self.ended()
        self.chunks.append((self.seconds, chunk))
        return self.seconds

    def failed(self, error: Exception) -> None:
        self.ended()
        self.error = f"{type(error).__name__}: {error}".rstrip(": ")

    def ended(self) -> None:
        self.seconds = time.monotonic() - self.begun

    def as_json(self, secrets: Sequence[str] = ()) -> dict[str, Any]:
        """The form of run.json, with every secret replaced."""
        return {
            "method": self.method,
            "url": hidden(self.url, secrets),
            "at": max(0.0, round(self.at, 6)),
            "seconds": max(0.0, round(self.seconds, 6)),
            "curl": curl(self, secrets),
            "request": {
                "headers": headers(self.sent, secrets),
                "body": body(self.content, secrets) if self.content else None,
            },
            "response": self._response(secrets) if self.status is not None else None,
            "error": hidden(self.error, secrets) if self.error else None,
        }

    def _response(self, secrets: Sequence[str]) -> dict[str, Any]:
        return {
            "status": self.status,
            "headers": headers(self.received, secrets),
            "body": body(self.body, secrets),
            "events": self._events(secrets),
        }

    def _events(self, secrets: Sequence[str]) -> list[dict[str, Any]] | None:
        if "text/event-stream" not in (self.header("content-type") or "").lower():
            return None
        return [
            {"at": round(event.at, 6), "data": hidden(event.data, secrets)}
            for event in sse.events(self.chunks)
            if event.data is not None
        ]


def _first(pairs: Pairs, name: str) -> bytes | None:
    wanted = name.lower().encode()
    return next((value for key, value in pairs if key.lower() == wanted), None)


def forms(secrets: Iterable[str]) -> list[str]:
    """The secrets as they may stand in a text, the longest first."""
    plain = [secret for secret in secrets if len(secret) >= SHORT]
    coded = [
        base64.b64encode(text.encode()).decode()
        for secret in plain
        for text in (secret, f":{secret}", f"{secret}:")
    ]
    quoted = [json.dumps(secret)[1:-1] for secret in plain]
    return sorted({*plain, *coded, *quoted}, key=len, reverse=True)


def hidden(text: str, secrets: Sequence[str]) -> str:
    for secret in forms(secrets):
        text = text.replace(secret, KEY)
    return text


def headers(pairs: Pairs, secrets: Sequence[str]) -> list[list[str]]:
    """Header pairs as text; the key and cookies are replaced."""
    return [
        [name, _value(name, value, secrets)]
        for name, value in (
            (k.decode("latin-1"), v.decode("latin-1")) for k, v in pairs
        )
    ]


def _value(name: str, value: str, secrets: Sequence[str]) -> str:
    if name.lower() in PRIVATE:
        return "(left out)"
    scheme, _, credentials = value.partition(" ")
    if name.lower() == "authorization" and credentials in secrets:
        return f"{scheme} {KEY}"
    return hidden(value, secrets)


def body(content: bytes, secrets: Sequence[str]) -> dict[str, Any]:
    """The first 64 KiB of a body; size and digest are of the whole."""
    facts = {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "truncated": len(content) > SHOWN,
    }
    try:
        text = hidden(content.decode("utf-8"), secrets).encode()
    except UnicodeDecodeError:
        for secret in forms(secrets):
            content = content.replace(secret.encode(), KEY.encode())
        return {"base64": base64.b64encode(content[:SHOWN]).decode(), **facts}
    return {"text": text[:SHOWN].decode("utf-8", errors="ignore"), **facts}


def curl(exchange: Exchange, secrets: Sequence[str] = ()) -> str:
    """A line that repeats the request when pasted into a shell."""
    url = hidden(exchange.url, secrets)
    words = ["curl", "-sS", "-N", "-X", exchange.method]
    words += ["-g"] if re.search(r"[\[\]{}]", url) else []
    words += ["--path-as-is"] if "/." in url else []
    words.append(shlex.quote(url))
    for name, value in headers(exchange.sent, secrets):
        if name.lower() not in OWN and not value.startswith("python-httpx"):
            words += ["-H", _header(name, value)]
    if exchange.content and exchange.header_sent("content-type") is None:
        words += ["-H", "'Content-Type:'"]
    return " ".join([*words, *_data(exchange.content, secrets)])


def _header(name: str, value: str) -> str:
    """A header for the shell, which puts the key in."""
    if value.endswith(KEY) and re.fullmatch(r"[\w ]+", value.removesuffix(KEY)):
        return f'"{name}: {value}"'
    return shlex.quote(f"{name}: {value}" if value else f"{name};")


def _data(content: bytes, secrets: Sequence[str]) -> list[str]:
    if not content:
        return []
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" not in text and len(content) <= TYPED:
        return ["--data-raw", shlex.quote(hidden(text, secrets))]
    digest = hashlib.sha256(content).hexdigest()
    note = f"# body.bin: {len(content)} bytes, sha256 {digest}"
    return ["--data-binary", "@body.bin", note]
