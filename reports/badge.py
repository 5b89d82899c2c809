"""The run as a small SVG badge."""

from collections.abc import Mapping
from typing import Any

from reports.pages import PAGES
from reports.summary import score

COLOURS = {
    "conformant": "#2e7d4f",
    "nonconformant": "#b3372b",
    "incomplete": "#6a51b2",
    "void": "#5f6368",
}
PADDING = 10
WIDTH = 6.6  # of a letter in 11 px Verdana, on average; textLength settles the rest


def render(run: Mapping[str, Any]) -> str:
    held, judged = score(run)
    name = f"openai api {run['edition']}"
    verdict = run["verdict"]
    value = verdict if verdict == "void" else f"{verdict} {held}/{judged}"
    return PAGES.get_template("badge.svg").render(
        name=name,
        value=value,
        colour=COLOURS[verdict],
        name_width=width(name),
        value_width=width(value),
        padding=PADDING,
    )


def width(text: str) -> int:
    return round(len(text) * WIDTH)
