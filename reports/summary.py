"""Counts of a run, what each result weighs, and the one line worth pasting."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

LEVELS = ("MUST", "SHOULD", "MAY")

# Worst first. A weight is an outcome seen through its level: a MUST that fails weighs
# more than a MAY that fails.
WEIGHTS = (
    "nonconformant",
    "void",
    "incomplete",
    "warning",
    "noted",
    "untestable",
    "holds",
    "unobservable",
    "not claimed",
)

WORDS = {  # outcome: its words for one clause and for several
    "holds": ("holds", "hold"),
    "fails": ("fails", "fail"),
    "untestable": ("untestable", "untestable"),
    "not claimed": ("not claimed", "not claimed"),
    "unobservable": ("unobservable", "unobservable"),
    "broken check": ("broken check", "broken checks"),
}
OUTCOMES = tuple(WORDS)

Counts = Mapping[tuple[str, str], int]


def counts(run: Mapping[str, Any]) -> Counts:
    """How many clauses, by outcome and level; 0 for a pair that does not occur."""
    return Counter((result["outcome"], result["level"]) for result in run["results"])


def total(tally: Counts, outcome: str) -> int:
    return sum(tally[outcome, level] for level in LEVELS)


def line(run: Mapping[str, Any]) -> str:
    """Such as "180 clauses: 171 hold, 3 fail (1 MUST), 6 not claimed."."""
    tally = counts(run)
    parts = [
        part(tally, outcome)
        for outcome in OUTCOMES
        if outcome == "holds" or total(tally, outcome)
    ]
    return f"{clauses(len(run['results']))}: {', '.join(parts)}."


def part(tally: Counts, outcome: str) -> str:
    number = total(tally, outcome)
    text = f"{number} {WORDS[outcome][number != 1]}"
    return f"{text} ({tally[outcome, 'MUST']} MUST)" if outcome == "fails" else text


def clauses(number: int) -> str:
    return f"{number} clause" if number == 1 else f"{number} clauses"


def weight(result: Mapping[str, Any]) -> str:
    """One of WEIGHTS."""
    match result["outcome"], result["level"]:
        case "fails", "MUST":
            return "nonconformant"
        case "fails", "SHOULD":
            return "warning"
        case "fails", _:
            return "noted"
        case "untestable", "MUST":
            return "incomplete"
        case "broken check", _:
            return "void"
        case outcome, _:
            return str(outcome)


def ranked(run: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The results, worst first; equals keep the run's order."""
    return sorted(run["results"], key=lambda result: WEIGHTS.index(weight(result)))


def by_resource(run: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """The results of each resource, in the run's order."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for result in run["results"]:
        groups.setdefault(result["resource"], []).append(result)
    return groups


def score(run: Mapping[str, Any]) -> tuple[int, int]:
    """Clauses that hold, of those that were claimed and can be observed."""
    tally = counts(run)
    left_out = total(tally, "not claimed") + total(tally, "unobservable")
    return total(tally, "holds"), len(run["results"]) - left_out


def meaning(run: Mapping[str, Any]) -> str:
    """What the verdict says, in one sentence."""
    tally = counts(run)
    failing = tally["fails", "MUST"]
    fail = f"{failing} MUST {'clause fails' if failing == 1 else 'clauses fail'}"
    match run["verdict"]:
        case "conformant" if failing:
            return f"{fail}, as the baseline expected."
        case "conformant":
            return "Every MUST clause that was claimed holds."
        case "incomplete":
            unseen = clauses(tally["untestable", "MUST"])
            return f"No MUST clause fails, yet {unseen} could not be exercised."
        case "void" if not total(tally, "broken check"):
            return "The run did not come far enough to judge the server."
        case "void":
            return "A check of the suite broke, so the run does not judge the server."
        case _:
            return f"{fail}." if failing else "The run did not meet its baseline."
