"""Finished replies, kept for a job that comes again."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from reference_model.job import Job, Step

_CAPACITY = 200_000  # numbers kept


class Memo:
    """The least recently used reply is forgotten first."""

    def __init__(self) -> None:
        self._replies: OrderedDict[Job, tuple[Step, ...]] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def get(self, job: Job) -> tuple[Step, ...] | None:
        with self._lock:
            if job in self._replies:
                self._replies.move_to_end(job)
            return self._replies.get(job)

    def put(self, job: Job, steps: tuple[Step, ...]) -> None:
        with self._lock:
            if job in self._replies or not job.remembered:
                return
            self._replies[job] = steps
            self._size += _weight(job, steps)
            while self._size > _CAPACITY:
                self._size -= _weight(*self._replies.popitem(last=False))


CHARACTERS = 8  # of a schema that weigh as much as a token


def _weight(job: Job, steps: Sequence[Step]) -> int:
    schema = len(job.grammar.schema) // CHARACTERS if job.grammar else 0
    return len(job.prompt) + len(job.script) + schema + len(steps) * (1 + job.top)
