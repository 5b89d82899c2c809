"""The laboratory from the command line, against a real mock."""

import json

import pytest
from jsonschema import Draft202012Validator

from conformance.__main__ import main
from conformance.checks import coefficients, penalties
from conformance.dialect import COMPLETIONS
from conformance.registry import all_checks
from conformance.runner import run
from conformance.tokens import CANDIDATES, ENOUGH, tokens
from conformance.view import Absent
from mockserver.app import application, house
from mockserver.deviations import deviations
from mockserver.server import serving
from reference_model.tokenizer import load_tokenizer

KEY = "sk-assay-laboratory-0001"


@pytest.fixture(scope="module")
def rooms(spec):
    return house(spec, keys=(KEY,))


def judged(rooms, path, *words, deviant=()):
    """The exit and the results of a run, by clause."""
    with serving(application(rooms, deviant)) as url:
        code = main(["check", url, "--api-key", KEY, *words, "--json", str(path)])
    run = json.loads(path.read_text("utf-8"))
    return code, {row["clause"]: row for row in run["results"]}, run


def test_a_server_with_our_weights_is_compared_where_that_is_said(
    rooms, tmp_path, run_schema
):
    only = ["--only", "completions.weights-logprobs"]

    _, before, _ = judged(rooms, tmp_path / "plain.json", *only)
    code, after, run = judged(
        rooms, tmp_path / "run.json", *only, "--reference-weights"
    )

    (row,) = after.values()
    assert [one["outcome"] for one in before.values()] == ["not claimed"]
    assert (code, row["outcome"]) == (0, "holds")
    assert "--reference-weights float32" in run["command"]
    assert row["measured"][0]["instrument"] == "reference weights"
    assert not list(Draft202012Validator(run_schema).iter_errors(run))


def test_a_measured_cause_takes_the_place_of_the_general_one(rooms, spec, tmp_path):
    deviant = [deviations(spec)["chat.penalties-of-other-sign"]]
    only = ["--only", "chat.frequency-penalty-formula"]

    code, rows, _ = judged(rooms, tmp_path / "run.json", *only, deviant=deviant)

    row = rows["chat.frequency-penalty-formula"]
    assert (code, row["outcome"]) == (1, "fails")
    assert row["cause"] == "The penalty has the opposite sign."
    line = row["measured"][0]
    assert line["expected"][0]["y"] > line["expected"][-1]["y"]
    assert line["points"][0]["high"] < line["points"][-1]["low"]


def test_tokens_of_the_prompts_are_not_measured_with(rooms, target_at, monkeypatch):
    """They hid a penalty that counts the prompt: both tokens lost the same."""
    was, good = load_tokenizer().encode(" was"), CANDIDATES[:ENOUGH]
    monkeypatch.setattr("conformance.tokens.CANDIDATES", (*was, *good))

    with serving(application(rooms)) as url:
        found = tokens(target_at(url, key=KEY, timeout=60.0), COMPLETIONS, ENOUGH)

    assert [token.id for token in found] == list(good)


@pytest.mark.parametrize("fault", [None, "penalties-halved", "penalties-windowed"])
def test_without_a_foothold_log_probabilities_are_read(
    rooms, spec, target_at, monkeypatch, fault
):
    def nowhere(target, dialect):
        raise Absent("foothold")

    for room in (coefficients, penalties):
        monkeypatch.setattr(room, "balance", nowhere)
    names = ("frequency-penalty-formula", "penalties-whole-text", "penalties-negative")
    checks = {id: all_checks(spec)[id] for id in (f"completions.{n}" for n in names)}
    deviant = [deviations(spec)[f"completions.{fault}"]] if fault else []

    with serving(application(rooms, deviant)) as url:
        found = list(run(target_at(url, key=KEY), checks))

    outcomes = {one.clause.id.partition(".")[2]: one.outcome for one in found}
    broken = {None: (), "penalties-halved": names}.get(fault, names[1:2])
    assert outcomes == {n: "fails" if n in broken else "holds" for n in names}
    assert found[0].notebook.series[0].instrument == "log probabilities"


@pytest.mark.parametrize(
    "words", [["--tokenizer", "no-such-encoding"], ["--reference-weights", "int8"]]
)
def test_what_cannot_be_used_is_told_at_once(words, capsys):
    try:
        code = main(["check", "http://127.0.0.1:9/v1", *words])
    except SystemExit as stopped:  # argparse ends the program
        code = stopped.code

    assert code == 2
    assert words[-1] in capsys.readouterr().err
