"""Log probabilities that must agree with what is drawn, however they are taken."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.checks.logprobs import CLOSE, NEAR, scores
from conformance.notebook import Point, Series, Span
from conformance.registry import Findings, check
from conformance.view import Absent

if TYPE_CHECKING:
    from conformance.target import Target

PENALTIES = {"frequency_penalty": 1.5, "presence_penalty": 0.5}
REPEATING = "one two one two one two one two one two one"


@check("completions.logprobs-temperature")
def logprobs_temperature(target: "Target") -> Findings:
    """The same first position at four temperatures."""
    rows = {
        heat: scores(target, logprobs=5, temperature=heat, max_tokens=1)
        for heat in (1, 0, 0.5, 2)
    }
    plain = rows[1]["top_logprobs"][0]
    for heat, found in rows.items():
        row = found["top_logprobs"][0]
        for token in sorted(set(plain) & set(row)):
            if abs(row[token] - plain[token]) > NEAR:
                yield (
                    f"{token!r} had the log probability {plain[token]:.3f} at "
                    f"temperature 1 and {row[token]:.3f} at {heat}"
                )
                break


@check("completions.logprobs-penalised")
def logprobs_penalised(target: "Target") -> Findings:
    """Tokens that are not listed are less likely than all that are: no conclusion."""
    found = scores(
        target, REPEATING, logprobs=5, max_tokens=16, temperature=0, **PENALTIES
    )
    places = list(_places(found))
    if len(places) < 2:
        raise Absent("text of two tokens with listed alternatives")
    after = all(place.behind <= CLOSE for place in places)
    target.notebook.draw(_series(places, after))
    if after:
        return
    for number, place in enumerate(places):
        if place.owing > CLOSE:
            yield (
                f"position {number} took {place.token!r}, {place.behind:.3f} behind "
                f"the likeliest, and {place.owing:.3f} with penalties taken off"
            )


@dataclass(frozen=True)
class Place:
    """How far the sampled token is behind the best listed one, or before it."""

    token: str
    behind: float
    """As listed."""
    owing: float
    """With the penalties taken off, as the formula has it."""


def _places(found: Any) -> Iterator[Place]:
    counts: Counter[str] = Counter()
    for token, row in zip(found["tokens"], found["top_logprobs"] or [], strict=False):
        listed = {name: row[name] for name in row}
        owed = {name: value - _owed(counts[name]) for name, value in listed.items()}
        if token in listed and len(listed) > 1:
            yield Place(
                token,
                max(listed.values()) - listed[token],
                max(owed.values()) - owed[token],
            )
        counts[token] += 1


def _owed(count: int) -> float:
    frequency, presence = PENALTIES.values()
    return count * frequency + (count > 0) * presence


def _series(places: list[Place], after: bool) -> Series:
    seen = [place.behind if after else place.owing for place in places]
    return Series(
        title="How far the sampled token is behind the best listed one",
        instrument="log probabilities",
        points=[Point(n, Span(s - CLOSE, s + CLOSE)) for n, s in enumerate(seen)],
        expected=[(0, 0), (len(seen) - 1, 0)],
        across="position",
        up="log probability",
        requests=1,
        note=f"they are taken {'after' if after else 'before'} the penalties",
    )
