"""How far a run is: a bar on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from conformance.account import shown
from conformance.results import Result
from conformance.runner import Progress

EVERY = 50  # clauses between two counts in plain lines


@contextmanager
def progress(total: int, stream: TextIO | None = None) -> Iterator[Progress]:
    """What to call with each result."""
    out = stream or sys.stderr
    if not out.isatty():
        yield Lines(total, out)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=Console(file=out), transient=True) as bar:
        task = bar.add_task("", total=total)

        def advance(result: Result) -> None:
            if result.outcome == "fails":
                bar.console.print(line(result), markup=False, highlight=False)
            bar.update(task, advance=1, description=result.clause.id)

        yield advance


class Lines:
    """A line for each clause that fails, and a count now and then."""

    def __init__(self, total: int, out: TextIO) -> None:
        self.total = total
        self.out = out
        self.done = 0

    def __call__(self, result: Result) -> None:
        self.done += 1
        if result.outcome == "fails":
            self._say(line(result))
        if self.done % EVERY == 0 or self.done == self.total:
            self._say(f"{self.done} of {self.total} clauses")

    def _say(self, text: str) -> None:
        self.out.write(text + "\n")
        self.out.flush()


def line(result: Result) -> str:
    """A failing clause on one line."""
    first = result.findings[0] if result.findings else ""
    return f"FAILS {result.clause.level} {result.clause.id}: {shown(first)}"
