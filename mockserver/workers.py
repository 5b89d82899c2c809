"""The processes that train: lent to one job after the other, ended with the server."""

import atexit
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock, Timer
from typing import Any

from mockserver.training import LAST, Message, receive, send

PROGRAM = (sys.executable, "-P", "-m", "mockserver.training")
PATIENCE = 0.5  # seconds
LINGER = 10.0  # seconds that a worker without work is kept, since it is slow to start


class Died(Exception):  # noqa: N818  # it says what happened
    """The process is gone."""


class Worker:
    """One process."""

    def __init__(self) -> None:
        home = str(Path(__file__).parent.parent)
        path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
        self.process = subprocess.Popen(
            PROGRAM,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._sending = Lock()
        self._leaving: Timer | None = None

    def work(
        self, order: Mapping[str, Any], blobs: Sequence[bytes]
    ) -> Iterator[Message]:
        """What it tells of the order, to the last word. Raises Died."""
        assert self.process.stdout is not None
        self._send(order, blobs)
        while True:
            message = receive(self.process.stdout)
            if message is None:
                raise Died
            yield message
            if message[0]["told"] in LAST:
                return

    def stop(self) -> None:
        """Ask it to stop soon; while it still takes its order in, it is ended."""
        if not self._sending.acquire(timeout=PATIENCE):
            self.kill()
            return
        self._sending.release()
        with suppress(Died):  # then it has stopped
            self._send({"stop": True})

    def kill(self) -> None:
        self.process.kill()

    def close(self) -> None:
        """End it, and give back what it took."""
        self.stay()
        self.kill()
        self.process.wait()
        with self._sending:
            for pipe in filter(None, (self.process.stdin, self.process.stdout)):
                with suppress(BrokenPipeError):  # what was not sent has no reader
                    pipe.close()

    def leave(self, then: Callable[["Worker"], None]) -> None:
        """Do ``then`` after a while without work."""
        self._leaving = Timer(LINGER, then, [self])
        self._leaving.daemon = True
        self._leaving.start()

    def stay(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()

    def _send(self, head: Mapping[str, Any], blobs: Sequence[bytes] = ()) -> None:
        assert self.process.stdin is not None
        try:
            with self._sending:
                send(self.process.stdin, head, blobs)
        except (BrokenPipeError, ValueError) as gone:
            raise Died from gone


class Workers:
    """At most so many processes, started when they are needed."""

    def __init__(self, most: int = 1) -> None:
        self._most = most
        self._lent: list[Worker] = []
        self._idle: list[Worker] = []
        self._closed = False
        self._lock = Lock()
        atexit.register(self.close)

    def warm(self) -> None:
        """Let there be a process, since it is slow to start."""
        with self._lock:
            if not (self._lent or self._idle or self._closed):
                self._rest(Worker())

    def borrow(self) -> Worker | None:
        """A process without work; None where all of them work."""
        with self._lock:
            if self._closed or len(self._lent) >= self._most:
                return None
            worker = self._idle.pop() if self._idle else Worker()
            if worker.process.poll() is not None:  # it died without work
                worker.close()
                worker = Worker()
            worker.stay()
            self._lent.append(worker)
            return worker

    def give_back(self, worker: Worker, *, fit: bool) -> None:
        """Take back a process; one that is not ``fit`` is ended."""
        with self._lock:
            if worker in self._lent:
                self._lent.remove(worker)
                self._rest(worker)
        if not fit:
            self._dismiss(worker)

    def close(self) -> None:
        """End all processes, and start no more."""
        with self._lock:
            self._closed = True
            gone = [*self._lent, *self._idle]
            self._lent.clear()
            self._idle.clear()
        for worker in gone:
            worker.close()

    def _rest(self, worker: Worker) -> None:
        self._idle.append(worker)
        worker.leave(self._dismiss)

    def _dismiss(self, worker: Worker) -> None:
        """End a process unless it works again."""
        with self._lock:
            if worker not in self._idle:
                return
            self._idle.remove(worker)
        worker.close()
