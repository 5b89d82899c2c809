"""What a body with several faults is refused for."""

import pytest

from spec import Refusal
from spec.validation import refusal

FAULTY = {"prompt": "hi", "n": 3, "best_of": 2}


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"model": "ada"}, None),
        ({"model": "ada", **FAULTY}, "completions.best-of-covers-n"),
        ({"model": "ada", **FAULTY, "temperature": 3}, "schema"),
        ({"model": "ada", **FAULTY, "temperature": 3, "top_k": 1}, "unknown-argument"),
        ({**FAULTY, "temperature": 3, "top_k": 1}, "missing-model"),
        ({"model": None}, "missing-model"),
        ({"model": 5, "top_k": 1}, "unknown-argument"),
        ({"model": 5}, "schema"),
    ],
    ids=[
        "nothing",
        "a rule",
        "the schema before a rule",
        "an unknown argument before the schema",
        "no model before all others",
        "null is no model",
        "a wrong model is not none",
        "a wrong type",
    ],
)
def test_faults_are_told_in_the_order_of_the_live_api(spec, body, name):
    found = refusal(spec.operations["createCompletion"], body)

    assert (found and found.name) == name


def test_the_first_of_two_broken_rules_is_told(spec):
    body = {"model": "ada", **FAULTY, "stream": True, "best_of": 2, "prompt": []}

    found = refusal(spec.operations["createCompletion"], body)

    assert found.name == "completions.best-of-covers-n"


def test_a_rule_that_is_forgotten_is_not_asked(spec):
    body = {"model": "ada", **FAULTY}
    operation = spec.operations["createCompletion"]

    assert refusal(operation, body, {"completions.best-of-covers-n"}) is None


@pytest.mark.parametrize(
    ("names", "told"),
    [(["top_k"], "supplied: top_k"), (["b", "a"], "supplied: a, b")],
)
def test_unknown_arguments_are_named_in_order(spec, names, told):
    body = {"model": "ada", **dict.fromkeys(names, 1)}

    found = refusal(spec.operations["createCompletion"], body)

    assert found.message.endswith(told)


def test_a_refusal_without_a_page_of_its_own_is_an_invalid_request(spec):
    found = refusal(spec.operations["controlClock"], {"seconds": "soon"})

    assert (found.status, found.type) == (400, "invalid_request_error")
    assert found.message == "'soon' is not of type 'integer' - 'seconds'"


def test_an_operation_without_a_body_refuses_none(spec):
    assert refusal(spec.operations["listModels"], {"any": 1}) is None


def test_the_envelope_has_all_four_keys():
    told = Refusal("x", 400, "invalid_request_error", None, None, "No {what}.")

    assert told.worded(what="way").envelope == {
        "error": {
            "message": "No way.",
            "type": "invalid_request_error",
            "param": None,
            "code": None,
        }
    }
