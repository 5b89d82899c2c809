"""The process that minds the workers of a server: start, replacement, stop."""

import os
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import Value
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from granian.constants import Interfaces, SSLProtocols
from granian.log import LogLevels
from granian.server.mp import MPServer

from mockserver import logs
from mockserver.config import COUNTS, Config
from mockserver.database import PRIVATE, Database
from mockserver.process import Run, chosen, worker
from spec import load

CONNECTIONS = 1024  # that a worker holds at once; more of them wait


def serve(config: Config) -> int:
    """Serve until stopped; 0 after that, 1 where workers end again and again.

    Raises ValueError or OSError where a setting cannot be followed.
    """
    _check(config)
    with (
        reserved(config.host, config.port) as (address, port),
        _shared(config) as store,
    ):
        run = Run(config, store, address, port, os.getpid(), Value("i", 0))
        server = _server(run)
        # else a new worker would have our handler until it has its own
        os.register_at_fork(after_in_child=_be_ended)
        try:
            server.serve(target_loader=partial(worker, run), wrap_loader=False)
        except SystemExit:  # it was not the parent who ended a worker
            return 0 if server.interrupt_signal else 1
    return 0


@contextmanager
def _shared(config: Config) -> Iterator[str]:
    """The URL of a store for all workers; what else they share is in the environment.

    Several of them have a folder for the run. It is no TemporaryDirectory: that would
    go with the first worker that ends.
    """
    os.environ.pop(COUNTS, None)
    if config.workers == 1:
        yield config.store
        return
    folder = Path(mkdtemp(prefix="assay-mock-"))
    try:
        counts = folder / "counts"
        counts.mkdir()
        os.environ[COUNTS] = str(counts)
        own = f"sqlite:///{folder}/store.db"
        yield own if config.store in PRIVATE else config.store
    finally:
        rmtree(folder)


def _be_ended() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def reserved(host: str, port: int) -> Iterator[tuple[str, int]]:
    """An address that is ours while the block runs. Raises OSError where it is not.

    Each worker binds to it with a socket of its own. That alone would hide a server
    that does the same, so first it is asked whether anyone is there.
    """
    family, kind, _, _, place = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind) as held:
        place = _free(family, place)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(place)
        yield str(place[0]), int(place[1])


def _free(family: int, place: Any) -> Any:
    """``place`` with a port of its own. Raises OSError where somebody else is there."""
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # of a port that is named, connections of a server that is gone may linger
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(place[1] > 0))
        try:
            probe.bind(place)
        except OSError as fault:
            raise OSError(f"{fault.strerror}: {place[0]}, port {place[1]}") from fault
        return probe.getsockname()


def _check(config: Config) -> None:
    """Raises ValueError or OSError for what workers would fail over."""
    chosen(load(config.edition), config.deviation)
    if config.store not in PRIVATE:
        Database(config.store).close()
    if config.access_log:
        logs.AccessLog(config.access_log).close()
    if config.tls_cert and config.tls_key:
        _check_tls(config.tls_cert, config.tls_key)


def _check_tls(certificate: str, key: str) -> None:
    for name in (certificate, key):
        Path(name).open("rb").close()  # ssl does not say which one is not there
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # a key with a password would ask for it on the terminal
        context.load_cert_chain(certificate, key, lambda: "")
    except ssl.SSLError as fault:
        files = f"{certificate!r} and {key!r}"
        raise ValueError(f"expected PEM in {files}, that fit: {fault}") from fault


def _server(run: Run) -> MPServer:
    config = run.config
    return MPServer(
        "assay-mock",
        run.address,
        run.port,
        interface=Interfaces.WSGI,
        workers=config.workers,
        blocking_threads=config.threads,
        backlog=CONNECTIONS,
        backpressure=CONNECTIONS,
        log_level=LogLevels.error,
        log_dictconfig={"handlers": {}, "loggers": {}},  # to stderr, as all else
        ssl_cert=Path(config.tls_cert) if config.tls_cert else None,
        ssl_key=Path(config.tls_key) if config.tls_key else None,
        ssl_protocol_min=SSLProtocols.tls12,
        respawn_failed_workers=True,
        workers_kill_timeout=config.grace,  # type: ignore[arg-type]  # of a join
    )
