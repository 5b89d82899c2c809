"""The coefficients of the penalties, measured by what they move.

By titration, which sees what is sampled; where that has no foothold, completions are
read off the log probabilities.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from conformance import causes
from conformance.dialect import Dialect, both
from conformance.notebook import Point, Series
from conformance.odds import either, shifts
from conformance.registry import Findings
from conformance.slopes import Slope, slope
from conformance.titration import (
    ARMS,
    FREQUENCY,
    PRESENCE,
    Balance,
    Missed,
    balance,
)
from conformance.view import Absent

if TYPE_CHECKING:
    from conformance.target import Target

RISING = ((0, 0.5, 1, 2), (0.5, 1, 1.5, 2), (1, 1.5, 2))
STEEP = ((0, 2), (0, 1), (0.5, 2), (1, 2))
ARMED = ((-2, -1, 0, 2), (-1, 0, 1, 2), (0, 1, 2))
FALLING = ((-2, -1, 0), (-1, -0.5, 0), (-0.5, 0))


@both("frequency-penalty-formula", slow=True)
def frequency_penalty_formula(target: "Target", dialect: Dialect) -> Findings:
    """By titration behind 1 to 4 equal tokens; else by log probabilities."""

    def read() -> Findings:
        for value in (0.5, 2.0):
            due = [-value * count for count in range(5)]
            yield from shifts(target, {FREQUENCY: value}, due)

    yield from either(dialect, lambda: _formula(target, dialect, FREQUENCY), read)


@both("presence-penalty-formula", slow=True)
def presence_penalty_formula(target: "Target", dialect: Dialect) -> Findings:
    """By titration behind 1 and 4 equal tokens; else by log probabilities."""

    def read() -> Findings:
        for value in (0.5, 1.5):
            due = [-value * (count > 0) for count in range(5)]
            yield from shifts(target, {PRESENCE: value}, due)

    yield from either(dialect, lambda: _formula(target, dialect, PRESENCE), read)


def _formula(target: "Target", dialect: Dialect, name: str) -> Findings:
    """A penalty's line behind one token, and what a unit takes off behind several."""
    scale = balance(target, dialect)
    found = [_first(scale, name)]
    for count in (2, 3, 4):
        arm = {} if name == FREQUENCY else ARMS[name]
        try:
            found.append(slope(scale, name, count, STEEP, **arm))
        except Absent:
            continue
    target.notebook.draw(found[0].drawn(), _by_count(found))
    figures = [(one.count, one.figure) for one in found]
    wrong = [one for one in found if not one.keeps]
    if wrong:
        target.notebook.blame(causes.of_penalty(name, figures))
    yield from map(_told, wrong)
    if len(found) == 1:
        raise Absent("token that flips behind more than one of its kind")


def _first(scale: Balance, name: str) -> Slope:
    """The line behind one token; the other penalty helps where it has no foothold."""
    attempts: list[tuple[Sequence[Sequence[float]], Mapping[str, float]]] = [
        (RISING, {}),
        (ARMED, ARMS[name]),
    ]
    if scale.whole:  # the longer line has the smaller error
        attempts.reverse()
    for choices, arm in attempts:
        try:
            return slope(scale, name, 1, choices, **arm)
        except Missed as error:
            missed = error
    raise missed


def _told(one: Slope) -> str:
    """A line that is not the formula's."""
    return (
        f"behind {one.count} equal tokens a unit of {one.name} took off {one.figure} "
        f"instead of {one.due:g}"
    )


def _by_count(found: Sequence[Slope]) -> Series:
    return Series(
        title=f"What a unit of {found[0].name} takes off",
        instrument="titration",
        points=[Point(one.count, one.figure) for one in found],
        expected=[(one.count, one.due) for one in found],
        across="times sampled before",
        up="logits for a unit",
        requests=sum(one.requests for one in found),
    )


@both("penalties-negative", slow=True)
def penalties_negative(target: "Target", dialect: Dialect) -> Findings:
    """By titration of each penalty below 0; else by log probabilities."""

    def read() -> Findings:
        both = {FREQUENCY: -0.5, PRESENCE: -1.5}
        due = [0.5 * count + 1.5 * (count > 0) for count in range(5)]
        yield from shifts(target, both, due)

    yield from either(dialect, lambda: _negative(target, dialect), read)


def _negative(target: "Target", dialect: Dialect) -> Findings:
    scale = balance(target, dialect)
    for name, arm in ARMS.items():
        found = slope(scale, name, 1, FALLING, **arm)
        target.notebook.draw(found.drawn())
        if not found.keeps:
            target.notebook.blame(causes.of_penalty(name, [(1, found.figure)]))
            yield _told(found)
