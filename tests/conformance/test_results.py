from datetime import UTC, datetime

import pytest
from jsonschema import Draft202012Validator
from tiny_server import refusal, serving, stream

from conformance.registry import Check
from conformance.results import exit_code, kept, overall, run_json
from conformance.runner import run


@pytest.mark.parametrize(
    ("pairs", "verdict", "code"),
    [
        ([], "conformant", 0),
        ([("holds", "MUST"), ("fails", "SHOULD"), ("fails", "MAY")], "conformant", 0),
        ([("untestable", "SHOULD"), ("not claimed", "MUST")], "conformant", 0),
        ([("unobservable", "MUST")], "conformant", 0),
        ([("fails", "MUST")], "nonconformant", 1),
        ([("fails", "MUST"), ("untestable", "MUST")], "nonconformant", 1),
        ([("untestable", "MUST")], "incomplete", 3),
        ([("fails", "MUST"), ("broken check", "MAY")], "void", 2),
    ],
)
def test_outcomes_make_a_verdict(pairs, verdict, code):
    assert overall(pairs) == verdict
    assert exit_code(verdict) == code


def test_the_last_exchanges_are_kept():
    assert kept(list(range(50))) == tuple(range(30, 50))
    assert kept(list(range(3))) == (0, 1, 2)


def test_exchanges_that_findings_followed_are_kept():
    assert kept(list(range(50)), [3, 3]) == (3, *range(31, 50))
    assert kept(list(range(50)), range(50)) == tuple(range(20))


def test_a_run_has_the_form_of_its_schema(spec, target_at, run_schema):
    def streams(target):
        target.stream("/completions")
        yield f"saw the key {target.key}"

    def broken(target):
        yield str(1 / 0)

    checks = {
        "completions.stream-done": Check("completions.stream-done", streams),
        "completions.example": Check("completions.example", broken),
    }
    clauses = [spec.clauses[id] for id in (*checks, "api.client-libraries")]
    with serving(lambda asked: stream(b"data: {}\n\n", b"data: [DONE]\n\n")) as url:
        target = target_at(url, notes=("a note",))
        results = list(run(target, checks, clauses=clauses))
        record = run_json(
            target,
            results,
            started=datetime.now(UTC),
            seconds=1.5,
            command="assay check",
        )

    assert list(Draft202012Validator(run_schema).iter_errors(record)) == []
    assert [row["outcome"] for row in record["results"]] == [
        "unobservable",
        "broken check",
        "fails",
    ]
    assert record["verdict"] == "void"
    assert "sk-right-key" not in str(record)
    assert record["results"][2]["reproduce"] == (
        f"assay check {target.base_url} --only completions.stream-done --seed 0"
    )


def test_a_server_that_only_refuses_gives_a_lawful_record(spec, target_at, run_schema):
    def asks(target):
        target.post("/completions").json()
        yield from ()

    check = Check("completions.example", asks)
    with serving(lambda asked: refusal(500)) as url:
        target = target_at(url)
        results = list(run(target, {"completions.example": check}))
        record = run_json(
            target, results, started=datetime.now(UTC), seconds=0, command=""
        )

    assert list(Draft202012Validator(run_schema).iter_errors(record)) == []
    assert record["results"][0]["findings"] == ["a lawful request was answered 500: no"]
