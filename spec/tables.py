"""Clauses as tables of Markdown, one for each resource."""

from collections.abc import Iterator, Mapping, Sequence

from spec.model import Clause, Spec

HEAD = ("clause", "level", "says", "basis", "source", "seen", "edition")


def tables(specs: Sequence[Spec], resource: str | None = None) -> str:
    """A table for each resource, or for the one that is named, of these editions.

    Raises ValueError for a resource of which nothing is said.
    """
    said = _said(specs)
    resources = dict.fromkeys(c.resource for c, _ in said.values())
    if resource is not None and resource not in resources:
        known = ", ".join(resources)
        raise ValueError(f"expected a resource of {known}, got {resource!r}")
    chosen = [resource] if resource else list(resources)
    parts = [_table(name, said, len(specs) > 1) for name in chosen]
    return "\n".join(parts)


def _said(specs: Sequence[Spec]) -> dict[str, tuple[Clause, tuple[str, ...]]]:
    """Each clause as the newest edition says it, with the editions that say it."""
    found: dict[str, tuple[Clause, tuple[str, ...]]] = {}
    for spec in specs:
        for id, clause in spec.clauses.items():
            before = found.get(id, (clause, ()))[1]
            found[id] = (clause, (*before, spec.edition))
    return found


def _table(
    resource: str,
    said: Mapping[str, tuple[Clause, tuple[str, ...]]],
    dated: bool,
) -> str:
    rows = [pair for pair in said.values() if pair[0].resource == resource]
    head = HEAD if dated else HEAD[:-1]
    lines = [f"## {resource}", "", f"{len(rows)} clauses.", "", _line(head)]
    lines.append(_line(["---"] * len(head)))
    for clause, editions in rows:
        cells = list(_cells(clause))
        lines.append(_line([*cells, ", ".join(editions)] if dated else cells))
    return "\n".join([*lines, ""])


def _cells(clause: Clause) -> Iterator[str]:
    yield f"`{clause.id}`"
    yield clause.level
    yield clause.says.replace("|", "\\|")
    yield clause.basis
    yield " ".join(clause.source)
    yield _seen(clause)


def _seen(clause: Clause) -> str:
    """How a server is seen to keep it."""
    if clause.unobservable:
        return f"not at all: {clause.unobservable}"
    return clause.capability or "on any server"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
