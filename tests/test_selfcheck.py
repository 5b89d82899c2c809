"""The suite proves itself: said = observed = broken, and every fault is noticed."""

import pytest

from bench.selfcheck import broken, deviations, due, faults, groups, red, results
from conformance.registry import all_checks
from spec import load

SPEC = load()


def test_said_observed_and_broken_are_the_same_clauses() -> None:
    said = due(SPEC)
    observed = set(all_checks(SPEC))
    named = {deviation.noticed_by for deviation in deviations(SPEC).values()}

    assert said == observed == named


def test_the_faithful_server_keeps_every_clause() -> None:
    found = results(SPEC, all_checks(SPEC))

    assert not broken(found)
    assert not red(found)
    assert {result.outcome for result in found} == {"holds"}


@pytest.mark.parametrize("group", groups(SPEC), ids=lambda group: "+".join(group)[:80])
def test_a_deviation_is_noticed_by_its_clause_and_by_no_other(
    group: tuple[str, ...],
) -> None:
    assert faults(group) == []
