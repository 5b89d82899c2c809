"""Relations between fields, in CEL."""

import pytest

from spec import load
from spec.rules import broken, holds

RULES = {
    rule.id: (operation, rule)
    for operation in load().operations.values()
    for rule in operation.rules
}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_takes_its_first_witness_and_not_its_second(name):
    operation, rule = RULES[name]
    accept = {**operation.sample, **rule.accept}
    reject = {**operation.sample, **rule.reject}

    assert operation.request.valid(accept)
    assert operation.request.valid(reject)
    assert list(broken(operation.rules, accept)) == []
    assert rule in broken(operation.rules, reject)


def covers(**body):
    return holds(
        "!has(body.best_of) || !has(body.n) || body.best_of >= body.n",
        ("best_of", "n"),
        body,
    )


@pytest.mark.parametrize(
    ("body", "lawful"),
    [
        ({}, True),
        ({"n": 3}, True),
        ({"n": 3, "best_of": None}, True),
        ({"n": None, "best_of": 1}, True),
        ({"n": 3, "best_of": 2}, False),
        ({"n": 3.0, "best_of": 2}, False),
        ({"n": 2.0, "best_of": 2}, True),
        ({"n": 10**400, "best_of": 10**401}, True),
        ({"n": 10**400, "best_of": 1}, False),
    ],
    ids=str,
)
def test_a_rule_reads_the_body_as_sent_with_nulls_removed(body, lawful):
    assert covers(**body) is lawful


def test_a_rule_is_handed_the_fields_it_names_and_no_others():
    _, rule = RULES["completions.best-of-not-streamed"]

    assert rule.fields == ("stream", "best_of", "n")
    assert covers(n=1, best_of=1, messages=object())


@pytest.mark.parametrize("value", [[10**400], [[1, -(10**400)]], {"a": 10**400}])
def test_integers_that_no_double_holds_are_counted_as_others_are(value):
    assert holds("size(body.prompt) > 0", ("prompt",), {"prompt": value})
