"""Penalties read off log probabilities, where a server tells them after penalties."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from conformance.dialect import COMPLETIONS, Dialect
from conformance.notebook import Point, Series, Span
from conformance.registry import Findings
from conformance.tokens import pair
from conformance.view import Absent

if TYPE_CHECKING:
    from conformance.target import Target

CLOSE = 0.01
"""Log odds that count as equal: the penalties are measured to two decimals."""


def either(
    dialect: Dialect, titrated: Callable[[], Findings], read: Callable[[], Findings]
) -> Findings:
    """By titration; else, on completions, by log probabilities."""
    try:
        yield from titrated()
    except Absent:
        if dialect is not COMPLETIONS:
            raise
        yield from read()


def shifts(
    target: "Target", penalties: dict[str, float], expected: list[float]
) -> Findings:
    """How far the penalties move the log odds of a repeated token, and should.

    Raises Absent where they do not move at all: then they are told before penalties.
    """
    chosen = pair(target)
    before = chosen.gaps(target, len(expected))
    after = chosen.gaps(target, len(expected), **penalties)
    moved = [b - a + 0.0 for a, b in zip(before, after, strict=True)]
    target.notebook.draw(_series(penalties, moved, expected))
    if not any(abs(m) > CLOSE for m in moved):
        raise Absent("log probabilities that follow the penalties")
    worst = max(range(len(moved)), key=lambda n: abs(moved[n] - expected[n]))
    if abs(moved[worst] - expected[worst]) > CLOSE:
        yield (
            f"with {_named(penalties)} the log odds of a token sampled {worst} times "
            f"moved by {moved[worst]:.3f} instead of {expected[worst]:g}"
        )


def prompt_shift(target: "Target", count: int, **penalties: Any) -> float:
    """What a token that stands ``count`` times in the prompt loses at the start."""
    chosen = pair(target)
    prompt = [chosen.first.id] * count
    before = chosen.gaps(target, 1, prompt=prompt)[0]
    return before - chosen.gaps(target, 1, prompt=prompt, **penalties)[0]


def _series(
    penalties: dict[str, float], moved: list[float], expected: list[float]
) -> Series:
    return Series(
        title=f"Log odds of a repeated token with {_named(penalties)}",
        instrument="log probabilities",
        points=[Point(n, Span(m - CLOSE, m + CLOSE)) for n, m in enumerate(moved)],
        expected=list(enumerate(expected)),
        across="times sampled before",
        up="change of the log odds",
        requests=2,
    )


def _named(penalties: dict[str, float]) -> str:
    return " and ".join(f"{name} {value:g}" for name, value in penalties.items())
