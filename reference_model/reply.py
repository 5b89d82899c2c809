"""The way of steps from the worker to their reader."""

from collections.abc import Iterator, Sequence
from queue import SimpleQueue

from reference_model.job import Step

Parcel = tuple[Sequence[Step], bool, str]  # steps, whether they are the last, failure


class Handover:
    """What the worker and a reader share."""

    def __init__(self) -> None:
        self.parcels: SimpleQueue[Parcel] = SimpleQueue()
        self.closed = False

    def finish(self, steps: Sequence[Step] = (), failure: str = "") -> None:
        self.parcels.put((steps, True, failure))


class Reply(Iterator[Step]):
    """The steps of a job. Closed or forgotten, it frees its row by the next token."""

    def __init__(self, handover: Handover) -> None:
        self._handover = handover
        self._steps: Iterator[Step] = iter(())
        self._last = False

    def __next__(self) -> Step:
        while True:
            for step in self._steps:
                return step
            if self._last:
                raise StopIteration
            self._take()

    def _take(self) -> None:
        """Wait for the next steps, or for the news that there are none."""
        steps, self._last, failure = self._handover.parcels.get()
        self._steps = iter(steps)
        if failure:
            raise RuntimeError(failure)

    def close(self) -> None:
        self._handover.closed = True
        self._steps, self._last = iter(()), True

    def __del__(self) -> None:
        self._handover.closed = True
