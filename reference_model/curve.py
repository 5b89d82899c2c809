"""The loss of a training, as a list and as a picture."""

from collections.abc import Sequence
from math import log

Point = tuple[int, float]  # step, loss

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 720, 360, 60, 40
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def table(points: Sequence[Point]) -> str:
    """One line for each point, with tabs between."""
    lines = (f"{step}\t{loss:.4f}\n" for step, loss in points)
    return "step\tloss\n" + "".join(lines)


def picture(points: Sequence[Point]) -> str:
    """An SVG of loss (logarithmic) over steps."""
    steps = max(step for step, _ in points) or 1
    low, high = min(loss for _, loss in points), max(loss for _, loss in points)
    span = log(high / low) or 1.0

    def place(step: float, loss: float) -> tuple[float, float]:
        across = _LEFT + (_WIDTH - _LEFT - 20) * step / steps
        return across, 20 + (_HEIGHT - _BOTTOM - 20) * log(high / loss) / span

    line = " ".join("{:.1f},{:.1f}".format(*place(*point)) for point in points)
    marks = [
        _across(place(0, tick)[1], f"{tick:g}")
        for tick in _TICKS
        if low <= tick <= high
    ]
    feet = [
        _foot(place(steps * part / 4, low)[0], str(round(steps * part / 4)))
        for part in range(5)
    ]
    return "\n".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
        ' font-family="sans-serif" font-size="12" fill="#555">',
        "<title>Loss per step of training</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        *marks, *feet,
        f'<polyline points="{line}" fill="none" stroke="#1769aa" stroke-width="1.5"/>',
        f'<text x="{_WIDTH - 20}" y="36" text-anchor="end">loss, logarithmic</text>',
        "</svg>\n",
    ))  # fmt: skip


def _across(y: float, label: str) -> str:
    return (
        f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - 20}" stroke="#ddd"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    )


def _foot(x: float, label: str) -> str:
    return f'<text x="{x:.1f}" y="{_HEIGHT - 16}" text-anchor="middle">{label}</text>'
