"""What became of each clause, what that makes of the run, and its record."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Literal

from conformance.exchange import Exchange, hidden
from conformance.notebook import Notebook
from spec import Clause, Spec
from spec.model import Level

if TYPE_CHECKING:
    from conformance.target import Target

Outcome = Literal[
    "holds", "fails", "untestable", "not claimed", "broken check", "unobservable"
]
Verdict = Literal["conformant", "nonconformant", "incomplete", "void"]

KEPT = 20  # exchanges of one clause
DISTRIBUTION = "openai-assay"


@dataclass(frozen=True)
class Result:
    """What became of one clause, and what passed over the wire to find out."""

    clause: Clause
    outcome: Outcome
    findings: tuple[str, ...] = ()
    reason: str | None = None
    exchanges: tuple[Exchange, ...] = ()
    seconds: float = 0.0
    telling: Exchange | None = None
    """The exchange after which the first finding was made."""
    notebook: Notebook = field(default_factory=Notebook)


def verdict(results: Iterable[Result]) -> Verdict:
    """The run in one word."""
    return overall((result.outcome, result.clause.level) for result in results)


def overall(pairs: Iterable[tuple[Outcome, Level]]) -> Verdict:
    """The same of outcomes with their levels.

    A MUST that fails outranks one that could not be tried.
    """
    seen = set(pairs)
    if any(outcome == "broken check" for outcome, _ in seen):
        return "void"
    if ("fails", "MUST") in seen:
        return "nonconformant"
    if ("untestable", "MUST") in seen:
        return "incomplete"
    return "conformant"


EXITS: dict[Verdict, int] = {
    "conformant": 0,
    "nonconformant": 1,
    "void": 2,
    "incomplete": 3,
}


def exit_code(verdict: Verdict) -> int:
    return EXITS[verdict]


def kept(
    exchanges: Sequence[Exchange], telling: Iterable[int] = ()
) -> tuple[Exchange, ...]:
    """At most 20, in their order: those that findings followed, and the last ones.

    ``telling`` are the places of the former.
    """
    guilty = sorted(set(telling))[:KEPT]
    others = [n for n in range(len(exchanges)) if n not in guilty]
    room = KEPT - len(guilty)
    chosen = sorted([*guilty, *others[len(others) - min(room, len(others)) :]])
    return tuple(exchanges[n] for n in chosen)


def suite_version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "0+source"


def run_json(
    target: "Target",
    results: Sequence[Result],
    *,
    started: datetime,
    seconds: float,
    command: str,
    judged: Verdict | None = None,
) -> dict[str, Any]:
    """The run as reports read it; ``judged`` where a baseline changed the verdict."""
    return {
        "suite": suite_version(),
        "spec": target.spec.sha256,
        "edition": target.spec.edition,
        "target": {
            "url": target.base_url,
            "models": dict(target.models),
            "deterministic": target.deterministic,
            "notes": list(target.notes),
        },
        "claims": {
            "operations": sorted(target.claims.operations),
            "capabilities": sorted(target.claims.capabilities),
        },
        "seed": target.seed,
        "started": started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seconds": round(seconds, 3),
        "verdict": judged or verdict(results),
        "command": command,
        "results": [row(result, target) for result in results],
    }


def row(result: Result, target: "Target") -> dict[str, Any]:
    """One clause of the record."""
    clause = result.clause
    return {
        "clause": clause.id,
        "level": clause.level,
        "resource": clause.resource,
        "outcome": result.outcome,
        "sentence": clause.says,
        "basis": clause.basis,
        "source": sources(clause, target.spec),
        "operations": [target.spec.operations[name].name for name in clause.operations],
        "findings": [hidden(text, target.secrets) for text in result.findings],
        "reason": hidden(result.reason, target.secrets) if result.reason else None,
        "cause": result.notebook.cause or clause.cause,
        "reproduce": reproduce(target, clause),
        "seconds": round(result.seconds, 3),
        "measured": [one.as_json() for one in result.notebook.series],
        "exchanges": [one.as_json(target.secrets) for one in result.exchanges],
    }


def sources(clause: Clause, spec: Spec) -> list[dict[str, Any]]:
    """Where a clause was read, for a reader who has no table of ids."""
    found = (spec.sources[id] for id in clause.source)
    return [
        {
            "id": source.id,
            "document": source.document,
            "date": str(source.date),
            "section": source.section,
            "url": source.url,
        }
        for source in found
    ]


def reproduce(target: "Target", clause: Clause) -> str:
    """The command line that repeats one check."""
    command = target.command or f"assay check {target.base_url}"
    return f"{command} --only {clause.id} --seed {target.seed}"
