"""What a worker process does: it tunes the model, as its standard input tells it.

A message is a line of JSON and the bytes that it says are behind it. The process ends
with its input, and so with the server that started it.
"""

import csv
import io
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from queue import SimpleQueue
from threading import Event, Thread
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reference_model.finetune import Course, Example

Message = tuple[dict[str, Any], list[bytes]]
BLOBS = ("training", "validation", "tuned", "kept")
"""What stands behind an order, empty where there is none."""
LAST = ("over", "failed", "stopped")
"""What the worker tells at the end of an order."""
NICE = 5  # the server goes first


def send(stream: IO[bytes], head: Mapping[str, Any], blobs: Sequence[bytes]) -> None:
    sizes = [len(blob) for blob in blobs]
    stream.write(json.dumps({**head, "sizes": sizes}).encode() + b"\n")
    for blob in blobs:
        stream.write(blob)
    stream.flush()


def receive(stream: IO[bytes]) -> Message | None:
    """The next message; None where the other end is gone."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        return None
    head = json.loads(line)
    blobs = [stream.read(size) for size in head["sizes"]]
    whole = [len(blob) for blob in blobs] == head["sizes"]
    return (head, blobs) if whole else None


def examples(content: bytes) -> "list[Example]":
    """The prompts and completions of JSON Lines. Raises ValueError for others."""
    lines = filter(bytes.strip, content.split(b"\n"))
    return [_example(line, number) for number, line in enumerate(lines, 1)]


def _example(line: bytes, number: int) -> "Example":
    try:
        record = json.loads(line)
        pair = record["prompt"], record["completion"]
    except (ValueError, RecursionError, LookupError, TypeError):
        pair = (None, None)
    if not all(isinstance(text, str) for text in pair):
        raise ValueError(f"expected a prompt and a completion in example {number}")
    return pair


def main() -> None:
    """Take orders until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the server's to end us
    told = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints
    orders: SimpleQueue[Message] = SimpleQueue()
    stop = Event()
    Thread(target=_listen, args=(orders, stop), daemon=True).start()
    import reference_model.finetune  # noqa: F401  # slow: before there is an order

    os.nice(NICE)
    while True:
        for message in trained(*orders.get(), stop):
            send(told, *message)


def _listen(orders: "SimpleQueue[Message]", stop: Event) -> None:
    while (message := receive(sys.stdin.buffer)) is not None:
        if message[0].get("stop"):
            stop.set()
        else:
            stop.clear()
            orders.put(message)
    os._exit(0)


def trained(
    order: Mapping[str, Any], blobs: Sequence[bytes], stop: Event
) -> Iterator[Message]:
    """All that is to be told of one order."""
    try:
        course = _course(order, dict(zip(BLOBS, blobs, strict=True)))
        yield {"told": "begun", **_chosen(course)}, []
        yield from _steps(course, order["pause"], stop)
    except ValueError as fault:
        yield {"told": "failed", "why": str(fault)}, []


def _course(order: Mapping[str, Any], blobs: Mapping[str, bytes]) -> "Course":
    from reference_model.finetune import Course
    from reference_model.hyper import Hyper

    return Course(
        examples(blobs["training"]),
        examples(blobs["validation"]),
        hyper=Hyper(**order["hyper"]),
        tuned=blobs["tuned"] or None,
        kept=blobs["kept"] or None,
    )


def _chosen(course: "Course") -> dict[str, Any]:
    names = ("n_epochs", "batch_size", "learning_rate_multiplier")
    return {"hyper": {name: getattr(course.hyper, name) for name in names}}


def _steps(course: "Course", pause: float, stop: Event) -> Iterator[Message]:
    """What happens, and every so many seconds what it takes to go on from there."""
    kept = time.monotonic()
    for complete in course.run():
        if stop.is_set():
            yield {"told": "stopped"}, []
            return
        epoch, rest = divmod(len(course.rows), course.per_epoch)
        if complete and not rest:
            yield {"told": "epoch", "epoch": epoch}, []
        if complete and time.monotonic() - kept >= pause:
            yield {"told": "kept"}, [course.keep()]
            kept = time.monotonic()
    yield {"told": "over"}, [course.adapter(), _table(course)]


def _table(course: "Course") -> bytes:
    """The rows of all steps, as comma-separated values."""
    text = io.StringIO()
    table = csv.DictWriter(text, course.columns, lineterminator="\n")
    table.writeheader()
    table.writerows(course.rows)
    return text.getvalue().encode()


if __name__ == "__main__":
    main()
