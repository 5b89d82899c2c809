"""A job: the part of an object that it is, who has it, and how jobs share servers."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, NamedTuple, Protocol
from uuid import uuid4

from mockserver.workers import Worker

Row = dict[str, Any]


@dataclass(frozen=True)
class Pace:
    """How jobs share workers and servers, in seconds of this machine."""

    beat: float = 1.0
    """Between two signs of life."""
    stale: float = 6.0
    """Without a sign of life until somebody else takes the job."""
    keep: float = 2.0
    """Between two moments from which a job can go on."""
    slice: float = 3.0
    """Of work until a job lets others go first."""
    attempts: int = 3
    """Without anything kept until a job fails."""


class Kind(Protocol):
    """What is special about one kind of job."""

    @property
    def name(self) -> str: ...
    def over(self, row: Row) -> bool: ...
    def order(self, organization: str, row: Row) -> tuple[Row, list[bytes]]: ...
    def begun(self, row: Row, told: Mapping[str, Any], now: int) -> None: ...
    def reached(self, row: Row, epoch: int, now: int) -> None: ...
    def failed(self, row: Row, why: str, now: int) -> None: ...
    def succeeded(self, row: Row, now: int) -> None: ...
    def named(
        self, organization: str, row: Row, sizes: Sequence[int], now: int
    ) -> Row: ...
    def make(self, organization: str, made: Row, blobs: Sequence[bytes]) -> None: ...
    def unmake(self, organization: str, made: Row) -> None: ...


@dataclass(eq=False)
class Run:
    """A job that this server works at."""

    kind: Kind
    organization: str
    id: str
    worker: Worker
    owner: str = field(default_factory=lambda: uuid4().hex)
    began: float = field(default_factory=time.monotonic)
    beaten: float = field(default_factory=time.monotonic)
    halted: float | None = None
    """When the worker was asked to stop."""
    thread: Thread = field(default_factory=Thread)

    @property
    def key(self) -> tuple[str, str, str]:
        return self.kind.name, self.organization, self.id

    def halt(self) -> None:
        """Ask the worker to stop."""
        if self.halted is None:
            self.halted = time.monotonic()
            self.worker.stop()


class Free(NamedTuple):
    """A job that may be taken, and when it was last worked at."""

    served: float
    kind: Kind
    organization: str
    id: str


def new(due: int) -> Row:
    """The job of a new object, to begin at ``due`` of its organisation's time."""
    return {
        "due": due,
        "owner": "",
        "beaten": 0.0,
        "served": 0.0,
        "attempts": 0,
        "epoch": 0,
        "kept": None,
        "made": None,
    }
