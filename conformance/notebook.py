"""What a check measured on its way to a verdict, for a reader to look at."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["line", "shares"]
DIGITS = 6


@dataclass(frozen=True)
class Span:
    """A figure with its error bars."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2

    @property
    def ends(self) -> tuple[float, float]:
        return self.low, self.high

    @property
    def width(self) -> float:
        return self.high - self.low

    def __sub__(self, other: "Span") -> "Span":
        return Span(self.low - other.high, self.high - other.low)

    def over(self, divisor: float) -> "Span":
        """Divided by a number, which may be negative."""
        ends = self.low / divisor, self.high / divisor
        return Span(min(ends), max(ends))

    def fits(self, value: float, slack: float = 0.0) -> bool:
        """Whether ``value`` may be the true figure."""
        return self.low - slack <= value <= self.high + slack

    def __str__(self) -> str:
        return f"{self.middle + 0.0:.3f} ± {self.width / 2:.3f}"


@dataclass(frozen=True)
class Point:
    """Something measured at ``x``; ``label`` is what a bar is called."""

    x: float
    y: Span
    label: str | None = None


@dataclass(frozen=True)
class Series:
    """A drawing: what was measured, and what it was to be."""

    title: str
    instrument: str
    points: Sequence[Point]
    expected: Sequence[tuple[float, float]]
    """The corners of the expected line, or the expected height of each bar."""
    across: str = ""
    up: str = ""
    kind: Kind = "line"
    requests: int = 0
    note: str | None = None
    """How sure it is, or what it came to."""

    def as_json(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "instrument": self.instrument,
            "kind": self.kind,
            "across": self.across,
            "up": self.up,
            "points": [
                {
                    "x": round(point.x, DIGITS),
                    "low": round(point.y.low, DIGITS),
                    "high": round(point.y.high, DIGITS),
                    "label": point.label,
                }
                for point in self.points
            ],
            "expected": [
                {"x": round(x, DIGITS), "y": round(y, DIGITS)} for x, y in self.expected
            ],
            "requests": self.requests,
            "note": self.note,
        }


@dataclass
class Notebook:
    """The drawings of one check, and the cause that they point to."""

    series: list[Series] = field(default_factory=list)
    cause: str | None = None

    def draw(self, *drawn: Series) -> None:
        self.series += drawn

    def blame(self, causes: Iterable[str]) -> None:
        """Keep the first of ``causes``, if no other was named."""
        self.cause = self.cause or next(iter(causes), None)
