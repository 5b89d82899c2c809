"""Servers of a few lines on real sockets."""

import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Said:
    status: int = 200
    body: bytes | Iterable[bytes] = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


def reply(value: Any, status: int = 200, **headers: str) -> Said:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Said(
        status, json.dumps(value).encode(), {"Content-Type": "application/json"} | named
    )


def refusal(status: int, message: str = "no", code: str | None = None) -> Said:
    error = {"message": message, "type": "t", "param": None, "code": code}
    return reply({"error": error}, status)


def stream(*parts: bytes) -> Said:
    return Said(200, parts, {"Content-Type": "text/event-stream"})


Answering = Callable[[Asked], Said]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answering: Answering

    def serve(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        asked = Asked(
            self.command, self.path, dict(self.headers.items()), self.rfile.read(size)
        )
        said = type(self).answering(asked)
        whole = isinstance(said.body, bytes)
        self.send_response_only(said.status)
        for name, value in said.headers.items():
            self.send_header(name, value)
        if whole:
            self.send_header("Content-Length", str(len(said.body)))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        try:
            for chunk in [said.body] if whole else said.body:
                self.wfile.write(chunk)
                self.wfile.flush()
        except OSError:  # the client hung up
            self.close_connection = True

    def __getattr__(self, name: str) -> object:
        if name.startswith("do_"):
            return self.serve
        raise AttributeError(name)

    def log_message(self, *words: object) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *words: object) -> None:
        pass


@contextmanager
def serving(answering: Answering) -> Iterator[str]:
    """The base URL of a server that answers with a function."""
    handler = type("Tiny", (Handler,), {"answering": staticmethod(answering)})
    server = Quiet(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def speaking(words: bytes | None) -> Iterator[str]:
    """The base URL of a socket that says the same to all; None: it says nothing."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            held.append(connection)
            if words is not None:
                connection.sendall(words)
                connection.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in held:
            connection.close()


@contextmanager
def forgetting() -> Iterator[str]:
    """The base URL of a server that answers the first request of each connection.

    It meets the second by closing the connection without a word.
    """
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                if connection.recv(65536):
                    connection.sendall(
                        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
                    )
                    connection.recv(65536)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def closed() -> str:
    """A base URL that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


MODELS = [
    {"id": name, "object": "model", "created": 1, "owned_by": "us"}
    for name in ("gpt-3.5-turbo", "text-davinci-003", "text-embedding-ada-002")
]


def small_api(asked: Asked) -> Said:
    """A server of models and completions, with a key, and nothing else."""
    if asked.headers.get("Authorization") != "Bearer sk-right-key":
        return refusal(401)
    match asked.method, asked.path:
        case "GET", "/v1/models":
            return reply({"object": "list", "data": MODELS})
        case "GET", "/v1/models/assay-no-such-id":
            return refusal(404, "The model does not exist", "model_not_found")
        case "POST", "/v1/completions":
            if "model" not in asked.json:
                return refusal(400, "you must provide a model parameter")
            choice = {"text": " yes", "index": 0, "finish_reason": "length"}
            return reply({"id": "cmpl-1", "choices": [{**choice, "logprobs": None}]})
    return refusal(404, f"Invalid URL ({asked.method} {asked.path})")
