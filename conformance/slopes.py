"""Coefficients of penalties: how far a unit of one moves a flip point."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from conformance.notebook import Point, Series, Span
from conformance.titration import FINE, FREQUENCY, NEAR, Balance, Missed, Search


def slope(
    balance: Balance,
    name: str,
    count: int,
    choices: Sequence[Sequence[float]],
    **arm: float,
) -> "Slope":
    """How far a unit of ``name`` moves the flip point behind ``count`` first tokens.

    Tries the choices of values until one can be told apart from earlier flips; ``arm``
    are penalties that stay on. Raises Absent where none can.
    """
    begun = balance.asked
    for values in choices:
        try:
            look = _crossings if balance.whole else _points
            points = list(look(balance, name, count, values, **arm))
        except Missed as error:
            missed = error
            continue
        return Slope(name, count, points, balance.asked - begun)
    raise missed


def _points(
    balance: Balance, name: str, count: int, values: Sequence[float], **arm: float
) -> Iterator[tuple[float, Span]]:
    """The flip point at each value; looked for where the formula would have it."""
    known: tuple[float, Span] | None = None
    for value in values:
        guess = None
        if known:
            due = known[1].middle - (value - known[0]) * expected(name, count)
            guess = Span(due - balance.width / 2, due + balance.width / 2)
        found = balance.flip(count, guess, **{**arm, name: value})
        known = known or (value, found)
        yield value, found


def _crossings(
    balance: Balance, name: str, count: int, values: Sequence[float], **arm: float
) -> Iterator[tuple[float, Span]]:
    """Where biases are whole numbers: two of them, and the penalties that reach them.

    Where no two are reached, the flip points at the first and the last value.
    """
    within, unit = Span(values[0], values[-1]), expected(name, count)
    changes: dict[str, Any] = {**arm, name: within.low}
    top = balance.flip(count, **changes).low
    search = partial(_crossing, balance, name, count, within, arm)
    found = search(top, Span(within.low, within.low + 1 / unit))
    for down in range(max(1, int(within.width * unit) - 1), 0, -1):
        other = found and search(top - down, _around(found.middle + down / unit))
        if found and other:
            yield found.middle, _blurred(top, found.width * unit)
            yield other.middle, _blurred(top - down, other.width * unit)
            return
    yield from _points(balance, name, count, within.ends, **arm)


def _around(value: float) -> Span:
    return _blurred(value, FINE / 2)


def _blurred(value: float, width: float) -> Span:
    return Span(value - width / 2, value + width / 2)


def _crossing(
    balance: Balance,
    name: str,
    count: int,
    within: Span,
    arm: Mapping[str, float],
    added: float,
    guess: Span,
) -> Span | None:
    """The value of a penalty behind which the token at ``count`` flips.

    It is looked for where it is guessed, then on that side of the guess.
    """

    def lead(value: float) -> int:
        return balance.lead(count, added, **{**arm, name: round(value, 6)})

    search, width = Search(lead, count), FINE / 2
    # An end that has moved is known: ends are asked for last, since most have.
    near = (min(max(end, within.low), within.high) for end in guess.ends)
    found = search.bisected(Span(*near), width)
    if search.over(found.low):
        found = search.bisected(Span(within.low, found.low), width)
    elif not search.over(found.high):
        found = search.bisected(Span(found.high, within.high), width)
    if not search.agrees(found):
        return None
    search.reached(found)
    return found


def expected(name: str, count: int) -> float:
    """What the formula takes off for a unit of a penalty."""
    return float(count if name == FREQUENCY else count > 0)


@dataclass(frozen=True)
class Slope:
    """Flip points at values of one penalty, behind so many first tokens."""

    name: str
    count: int
    points: Sequence[tuple[float, Span]]
    requests: int

    @property
    def figure(self) -> Span:
        """What a unit takes off, with its error bars."""
        (x0, first), (x1, last) = self.points[0], self.points[-1]
        return (first - last).over(x1 - x0)

    @property
    def due(self) -> float:
        return expected(self.name, self.count)

    @property
    def keeps(self) -> bool:
        """Whether all flip points lie on the line of the formula."""
        x0, first = self.points[0]
        return all(
            (first - point).fits((x - x0) * self.due, NEAR)
            for x, point in self.points[1:]
        )

    def drawn(self) -> Series:
        """The flip points and the line on which the formula has them."""
        (x0, first), (x1, _) = self.points[0], self.points[-1]
        start, due = first.middle, self.due
        times = "once" if self.count == 1 else f"{self.count} times"
        return Series(
            title=f"Flip point of a token sampled {times}",
            instrument="titration",
            points=[Point(x, span) for x, span in self.points],
            expected=[(x0, start), (x1, start - due * (x1 - x0))],
            across=self.name,
            up="bias at the flip point",
            requests=self.requests,
            note=f"slope {self.figure.over(-1)}, expected {-due:g}",
        )
