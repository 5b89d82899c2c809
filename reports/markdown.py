"""The run as Markdown, short enough for a comment on a pull request."""

import re
from collections.abc import Mapping
from typing import Any

from reports import summary
from reports.text import duration, moment, printable, shortened

ROWS = 50  # a comment holds 65,536 characters; 50 rows stay well below
FINDING = 240
MARKUP = re.compile(r"[\\`*_{}\[\]()<>~|!$]")


def render(run: Mapping[str, Any]) -> str:
    url = code(run["target"]["url"])
    parts = [
        f"### OpenAI API {run['edition']}: {run['verdict']}",
        f"{url}: {summary.line(run)} {summary.meaning(run)}",
        count_table(run),
        *attention(run),
        f"{code(run['command'])}\\\n{footer(run)}",
    ]
    return "\n\n".join(parts) + "\n"


def count_table(run: Mapping[str, Any]) -> str:
    tally = summary.counts(run)
    rows = [
        [outcome, *(str(tally[outcome, level]) for level in summary.LEVELS)]
        for outcome in summary.OUTCOMES
        if summary.total(tally, outcome)
    ]
    return table(["", *summary.LEVELS], rows, align="---:")


def attention(run: Mapping[str, Any]) -> list[str]:
    """The table of clauses that need a reader; nothing where there are none."""
    found = [result for result in summary.ranked(run) if needs_reader(result)]
    if not found:
        return []
    shown = table(["clause", "", "first finding"], map_rows(found[:ROWS]))
    more = len(found) - ROWS
    return [shown, f"And {more} more."] if more > 0 else [shown]


def needs_reader(result: Mapping[str, Any]) -> bool:
    place = summary.WEIGHTS.index(summary.weight(result))
    return place <= summary.WEIGHTS.index("noted")


def map_rows(results: list[Mapping[str, Any]]) -> list[list[str]]:
    return [
        [
            code(result["clause"]),
            f"{result['level']} {result['outcome']}",
            prose(next(iter(result["findings"]), result["reason"] or "")),
        ]
        for result in results
    ]


def table(head: list[str], rows: list[list[str]], align: str = "---") -> str:
    rule = ["---", *[align] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def prose(text: str) -> str:
    """One line in which nothing is markup, and no stranger is called by @name."""
    flat = " ".join(printable(shortened(text, FINDING)).split())
    escaped = MARKUP.sub(r"\\\g<0>", flat.replace("&", "&amp;"))
    return re.sub(r"[@#]", "\\g<0>\u200b", escaped)


def code(text: str) -> str:
    """A code span, within a fence longer than any run of backticks inside."""
    flat = " ".join(printable(shortened(text, FINDING)).split()).replace("|", "\\|")
    ticks = max(map(len, re.findall("`+", flat)), default=0)
    fence = "`" * (ticks + 1)
    return f"{fence} {flat} {fence}" if ticks or not flat else f"`{flat}`"


def footer(run: Mapping[str, Any]) -> str:
    when, took = moment(run["started"]), duration(run["seconds"])
    return f"suite {prose(run['suite'])}, spec {code(run['spec'][:12])}, {when}, {took}"
