"""The run as one self-contained page that opens from a file."""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from reports import summary
from reports.charts import charts
from reports.pages import PAGES, source

VERDICTS = {
    "conformant": "Conformant",
    "nonconformant": "Not conformant",
    "incomplete": "Incomplete",
    "void": "Void",
}
# Inside a script element only these can end it, or open a comment in it.
UNSAFE = {ord(character): f"\\u{ord(character):04x}" for character in "<>&"}


def render(run: Mapping[str, Any]) -> str:
    script = source("report.js")
    held, judged = summary.score(run)
    return PAGES.get_template("report.html").render(
        run=run,
        verdict=VERDICTS[run["verdict"]],
        meaning=summary.meaning(run),
        held=held,
        judged=judged,
        weights=weights(run["results"]),
        resources=resources(run),
        outcomes=outcomes(run),
        levels=summary.LEVELS,
        rows=rows(run),
        style=source("report.css"),
        script=script,
        digest=digest(script),
    )


def rows(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The table, worst first; ``place`` is where the run had the clause."""
    places = {id(result): place for place, result in enumerate(run["results"])}
    return [
        {
            "result": result,
            "weight": summary.weight(result),
            "place": places[id(result)],
            "charts": charts(result),
            "tape": embedded(result["exchanges"]),
        }
        for result in summary.ranked(run)
    ]


def resources(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Name, size and weights of each resource, in the run's order."""
    return [
        {"name": name, "size": len(results), "weights": weights(results)}
        for name, results in summary.by_resource(run).items()
    ]


def weights(results: list[Mapping[str, Any]]) -> dict[str, int]:
    """How many results of each weight that occurs: what holds, then worst first."""
    found = Counter(map(summary.weight, results))
    order = ["holds", *(name for name in summary.WEIGHTS if name != "holds")]
    return {name: found[name] for name in order if found[name]}


def outcomes(run: Mapping[str, Any]) -> dict[str, int]:
    """How many results of each outcome that occurs."""
    found = Counter(result["outcome"] for result in run["results"])
    return {name: found[name] for name in summary.OUTCOMES if found[name]}


def embedded(value: Any) -> Markup:
    """JSON that cannot leave the script element it stands in; plain ASCII."""
    return Markup(json.dumps(value, separators=(",", ":")).translate(UNSAFE))


def digest(script: str) -> str:
    """The hash by which the page's policy knows its own script, and runs no other."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
