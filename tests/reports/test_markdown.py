import re

import pytest
from any_run import RUNS, TEXTS
from hypothesis import given

from reports import markdown


@given(RUNS)
def test_any_run_keeps_its_tables_whole(run):
    text = markdown.render(run)

    rows = [line for line in text.split("\n") if line.startswith("|")]
    columns = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
    assert text.encode()
    assert columns <= {4, 5}


@given(TEXTS)
def test_prose_holds_no_live_markup(text):
    shown = markdown.prose(text)

    assert "\n" not in shown
    assert not re.search(r"(?<!\\)[<>|`*\[\]]", shown)
    assert not re.search(r"[@#]\w", shown)


@pytest.mark.parametrize(
    ("text", "span"),
    [("a", "`a`"), ("a`b", "`` a`b ``"), ("a|b", "`a\\|b`"), ("``", "``` `` ```")],
)
def test_a_code_span_outlasts_its_backticks(text, span):
    assert markdown.code(text) == span


def test_the_verdict_leads_and_failing_clauses_follow(run):
    text = markdown.render(run)

    assert text.startswith("### OpenAI API 2023-04: nonconformant\n")
    assert "| `files.delete-twice` | MUST fails | the second delete answered 200 |" in (
        text
    )
    assert "completions.echo" not in text


def test_a_long_report_still_fits_a_comment(run):
    failing = next(r for r in run["results"] if r["outcome"] == "fails")
    run["results"] = [failing | {"findings": ["x|" * 4000]}] * 300

    text = markdown.render(run)

    assert len(text) < 65_536
    assert "And 250 more." in text


def test_a_green_run_lists_nothing(run):
    run["results"] = [r for r in run["results"] if r["outcome"] == "holds"]

    assert "first finding" not in markdown.render(run)
