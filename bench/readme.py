"""Writes what is generated: the README's table of clauses, and docs/clauses.md.

python -m bench.readme
"""

import re
from collections import Counter
from pathlib import Path

from conformance.registry import all_checks
from spec import Spec, load
from spec.pages import SHARED, editions, excluded
from spec.tables import tables

README = Path(__file__).parent.parent / "README.md"
PAGE = README.parent / "docs" / "clauses.md"
HEAD = """\
# Clauses

Every sentence that Assay says of a server, by resource, with the editions in which it
holds; generated from the spec by `python -m bench.readme`. `assay explain ID` tells
more about one. What is seen by `control` needs a server with the control page, what is
seen by `auth` a server that asks for keys. Sources are ids of `spec/sources.yaml`.
"""
MARKS = re.compile(r"(<!-- clauses -->\n).*?(<!-- /clauses -->)", re.DOTALL)


def table(spec: Spec) -> str:
    """A row for each resource that is judged: its operations, its clauses by level."""
    checks = all_checks(spec)
    judged = {spec.clauses[id].resource for id in checks}
    said = [c for c in spec.clauses.values() if c.resource in judged]
    rows = [
        "| resource | operations | clauses | MUST | SHOULD | MAY |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    total = Counter[str]()
    for resource in (
        SHARED,
        *sorted(judged - {SHARED}),
    ):
        levels = Counter(c.level for c in said if c.resource == resource)
        total.update(levels)
        names = [
            f"`{op.name}`" for op in spec.operations.values() if op.resource == resource
        ] or ["all"]
        rows.append(_row(resource, "<br>".join(names), levels))
    return "\n".join([*rows, _row("all", "", total)]) + "\n"


def _row(resource: str, names: str, levels: Counter[str]) -> str:
    counts = (levels.total(), *(levels[name] for name in ("MUST", "SHOULD", "MAY")))
    return f"| {resource} | {names} | " + " | ".join(map(str, counts)) + " |"


def page() -> str:
    """The page of all clauses of all editions, and of what is said by none."""
    specs = [load(edition) for edition in editions()]
    left_out = [f"- {id}: {reason}" for id, reason in excluded().items()]
    return "\n".join(
        [
            HEAD,
            _counts(specs),
            tables(specs),
            "## Left out",
            "",
            "Statements of the documents that no clause says:",
            "",
            *left_out,
            "",
        ]
    )


def _counts(specs: list[Spec]) -> str:
    """How many clauses an edition has, by level and by basis."""
    columns = ("MUST", "SHOULD", "MAY", "stated", "example", "observed", "inferred")
    lines = [
        f"| edition | operations | rules | clauses | {' | '.join(columns)} |",
        "| --- " * (len(columns) + 4) + "|",
    ]
    for spec in specs:
        said = spec.clauses.values()
        counts = Counter(c.level for c in said) + Counter(c.basis for c in said)
        asked = [op for op in spec.operations.values() if not op.capability]
        rules = sum(len(op.rules) for op in asked)
        cells = [len(asked), rules, len(said), *(counts[name] for name in columns)]
        lines.append(f"| {spec.edition} | {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, ""])


def renewed(text: str, spec: Spec) -> str:
    """The README with its table as the spec has it."""
    return MARKS.sub(lambda marks: marks[1] + table(spec) + marks[2], text)


if __name__ == "__main__":
    README.write_text(renewed(README.read_text("utf-8"), load()), "utf-8")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), "utf-8")
