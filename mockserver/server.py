"""Serves a WSGI application inside this process, with a pool of threads."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from cheroot.wsgi import Server

THREADS = 96  # requests, and so streams, that are answered at once
BACKLOG = 512


def listen(
    app: Callable[..., Any], host: str, port: int, threads: int = THREADS
) -> Server:
    """A server that is bound and listening; port 0 takes a free one.

    Raises OSError where the address cannot be had.
    """
    server = Server(
        (host, port),
        app,
        numthreads=threads,
        request_queue_size=BACKLOG,
        server_name="assay-mock",
        shutdown_timeout=1,
    )
    server.keep_alive_conn_limit = BACKLOG  # else it is 10, whatever the threads
    server.expiration_interval = 0.05  # seconds; a stop waits this long
    server.prepare()
    return server


def url(server: Server) -> str:
    """The base URL of a server that is listening."""
    host, port = server.bind_addr[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"


@contextmanager
def serving(app: Callable[..., Any], threads: int = 8) -> Iterator[str]:
    """The base URL of ``app`` on a free port of this machine, while the block runs."""
    server = listen(app, "127.0.0.1", 0, threads)
    thread = Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield url(server)
    finally:
        server.stop()
        thread.join()
