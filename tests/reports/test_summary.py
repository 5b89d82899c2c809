import pytest
from any_run import RUNS
from hypothesis import given

from reports import summary


def of(*pairs):
    return {"results": [{"outcome": o, "level": level} for o, level in pairs]}


def test_the_line_counts_what_occurs(run):
    assert summary.line(run) == (
        "62 clauses: 49 hold, 7 fail (3 MUST), 2 untestable, 3 not claimed, "
        "1 unobservable."
    )


def test_the_line_speaks_of_one():
    run = of(("fails", "MUST"))

    assert summary.line(run) == "1 clause: 0 hold, 1 fails (1 MUST)."


def test_the_line_of_no_clause():
    assert summary.line(of()) == "0 clauses: 0 hold."


@given(RUNS)
def test_every_clause_is_counted_once(run):
    tally = summary.counts(run)

    outcomes = (summary.total(tally, outcome) for outcome in summary.OUTCOMES)
    assert sum(outcomes) == len(run["results"]) == len(summary.ranked(run))


def test_a_failing_must_outranks_everything():
    run = of(
        ("holds", "MUST"),
        ("fails", "MAY"),
        ("untestable", "MUST"),
        ("fails", "SHOULD"),
        ("broken check", "MAY"),
        ("fails", "MUST"),
    )

    assert [summary.weight(result) for result in summary.ranked(run)] == [
        "nonconformant",
        "void",
        "incomplete",
        "warning",
        "noted",
        "holds",
    ]


def test_what_was_not_claimed_is_not_scored():
    run = of(("holds", "MUST"), ("not claimed", "MUST"), ("untestable", "MAY"))

    assert summary.score(run) == (1, 2)


@pytest.mark.parametrize(
    ("verdict", "pairs", "meaning"),
    [
        (
            "conformant",
            [("holds", "MUST")],
            "Every MUST clause that was claimed holds.",
        ),
        ("nonconformant", [("fails", "MUST")] * 2, "2 MUST clauses fail."),
        ("nonconformant", [("holds", "MUST")], "The run did not meet its baseline."),
        (
            "incomplete",
            [("untestable", "MUST")],
            "No MUST clause fails, yet 1 clause could not be exercised.",
        ),
        (
            "void",
            [("broken check", "MAY")],
            "A check of the suite broke, so the run does not judge the server.",
        ),
        ("void", [], "The run did not come far enough to judge the server."),
    ],
)
def test_a_verdict_is_explained(verdict, pairs, meaning):
    assert summary.meaning(of(*pairs) | {"verdict": verdict}) == meaning


def test_a_baseline_explains_a_conformant_failure():
    run = of(("fails", "MUST")) | {"verdict": "conformant"}

    assert summary.meaning(run) == "1 MUST clause fails, as the baseline expected."
