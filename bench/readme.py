"""Writes the README's generated table of clauses: ``python -m bench.readme``."""

import re
from collections import Counter
from pathlib import Path

from spec import Spec, load
from spec.load import SHARED

README = Path(__file__).parent.parent / "README.md"
MARKS = re.compile(r"(<!-- clauses -->\n).*?(<!-- /clauses -->)", re.DOTALL)


def table(spec: Spec) -> str:
    """A row for each resource: its operations, and its clauses by level."""
    rows = [
        "| resource | operations | clauses | MUST | SHOULD | MAY |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    total = Counter[str]()
    for resource in (
        SHARED,
        *sorted({c.resource for c in spec.clauses.values()} - {SHARED}),
    ):
        levels = Counter(
            c.level for c in spec.clauses.values() if c.resource == resource
        )
        total.update(levels)
        names = [
            f"`{op.name}`" for op in spec.operations.values() if op.resource == resource
        ] or ["all"]
        rows.append(_row(resource, "<br>".join(names), levels))
    return "\n".join([*rows, _row("all", "", total)]) + "\n"


def _row(resource: str, names: str, levels: Counter[str]) -> str:
    counts = (levels.total(), *(levels[name] for name in ("MUST", "SHOULD", "MAY")))
    return f"| {resource} | {names} | " + " | ".join(map(str, counts)) + " |"


def renewed(text: str, spec: Spec) -> str:
    """The README with its table as the spec has it."""
    return MARKS.sub(lambda marks: marks[1] + table(spec) + marks[2], text)


if __name__ == "__main__":
    README.write_text(renewed(README.read_text("utf-8"), load()), "utf-8")
