"""What an instrument measured, as a drawing: numbers to places on a sheet."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

WIDTH, HEIGHT = 400, 220
LEFT, RIGHT, TOP, BOTTOM = 60, 14, 14, 44
ROW = 30  # height of a bar's row
NAMES = 120  # width of the bars' names
TICKS = 5
ROOM = 0.06  # of the range, beside the outermost points
LEAST = 1e-6  # a range that can be drawn
SLACK = 0.02  # beside the error bars, as far as a point counts as expected


def charts(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The drawings of a clause; none for a run of an older suite."""
    return [chart(series) for series in result.get("measured", ())]


def chart(series: Mapping[str, Any]) -> dict[str, Any]:
    """The series with where everything stands."""
    drawn = bars(series) if series["kind"] == "shares" else line(series)
    return {"series": series, "words": words(series), **drawn}


def line(series: Mapping[str, Any]) -> dict[str, Any]:
    points, expected = series["points"], series["expected"]
    across = Axis([p["x"] for p in (*points, *expected)], LEFT, WIDTH - RIGHT)
    heights = [p[end] for p in points for end in ("low", "high")]
    up = Axis([*heights, *(p["y"] for p in expected)], HEIGHT - BOTTOM, TOP)
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "top": TOP,
        "bottom": HEIGHT - BOTTOM,
        "across": across.ticks,
        "up": up.ticks,
        "path": " ".join(f"{across(p['x'])},{up(p['y'])}" for p in expected),
        "marks": [
            {
                "x": across(p["x"]),
                "y": up((p["low"] + p["high"]) / 2),
                "low": up(p["low"]),
                "high": up(p["high"]),
                "off": off(p, expected),
                "words": told(p),
            }
            for p in points
        ],
    }


def bars(series: Mapping[str, Any]) -> dict[str, Any]:
    """Shares from 0 to 1 as bars, each with the expected share beside it."""
    across = Axis([0, 1], NAMES, WIDTH - RIGHT, room=0)
    rows = [
        {
            "label": point["label"] or number(point["x"]),
            "y": TOP + ROW * place + ROW / 2,
            "x": across((point["low"] + point["high"]) / 2),
            "low": across(point["low"]),
            "high": across(point["high"]),
            "due": [across(p["y"]) for p in series["expected"] if p["x"] == point["x"]],
            "off": off(point, series["expected"]),
            "words": told(point),
        }
        for place, point in enumerate(series["points"])
    ]
    bottom = TOP + ROW * len(rows)
    return {
        "width": WIDTH,
        "height": bottom + BOTTOM - 4,
        "left": NAMES,
        "right": WIDTH - RIGHT,
        "top": TOP,
        "bottom": bottom,
        "across": across.ticks,
        "rows": rows,
    }


class Axis:
    """Values to places between two ends, with round numbers marked."""

    def __init__(
        self, values: Sequence[float], start: float, end: float, *, room: float = ROOM
    ) -> None:
        low, high = min(values, default=0), max(values, default=1)
        spare = (high - low) * room if high - low > LEAST else 0.5
        self.low, self.high = low - spare, high + spare
        self.start, self.end = start, end

    def __call__(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return round(self.start + part * (self.end - self.start), 2)

    @property
    def ticks(self) -> list[dict[str, Any]]:
        values = round_numbers(self.low, self.high)
        return [{"at": self(value), "text": number(value)} for value in values]


def round_numbers(low: float, high: float) -> list[float]:
    """Some numbers between two that are easily read."""
    rough = (high - low) / TICKS
    tens = 10.0 ** math.floor(math.log10(rough))
    step = next(tens * m for m in (1, 2, 5, 10) if tens * m >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(place * step, 10) for place in range(first, last + 1)]


def off(point: Mapping[str, Any], expected: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the expected value lies outside the error bars."""
    due = interpolated(expected, point["x"])
    if due is None:
        return False
    return not point["low"] - SLACK <= due <= point["high"] + SLACK


def interpolated(line: Sequence[Mapping[str, Any]], x: float) -> float | None:
    """The height of a line of points at ``x``; None beside it."""
    corners = sorted((p["x"], p["y"]) for p in line)
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] or corners, strict=False):
        if x0 <= x <= x1:
            return float(y0 if x1 == x0 else y0 + (y1 - y0) * (x - x0) / (x1 - x0))
    return None


def words(series: Mapping[str, Any]) -> str:
    """The drawing for those who do not see it."""
    measured = listed(map(told, series["points"]))
    due = listed(f"{number(p['x'])}: {number(p['y'])}" for p in series["expected"])
    return f"{series['title']}. Measured {measured}. Expected {due}."


def told(point: Mapping[str, Any]) -> str:
    name = point["label"] or number(point["x"])
    middle, half = (
        (point["low"] + point["high"]) / 2,
        (point["high"] - point["low"]) / 2,
    )
    return f"{name}: {middle:.3f} ± {half:.3f}"


def listed(items: Iterable[str]) -> str:
    return "; ".join(items) or "nothing"


def number(value: float) -> str:
    """As short as it may be, with a real minus sign."""
    return f"{value + 0.0:g}".replace("-", "\N{MINUS SIGN}")
