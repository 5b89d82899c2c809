"""The suite proves itself: said = observed = broken, and every fault is noticed."""

import pytest

from bench.selfcheck import (
    broken,
    deviations,
    due,
    faults,
    groups,
    judging,
    own,
    red,
    results,
)
from conformance.registry import all_checks
from spec import Spec, load
from spec.pages import editions

EDITIONS = [load(edition) for edition in editions()]
FAULTS = [(spec.edition, group) for spec in EDITIONS for group in groups(spec)]


def edition_or_ids(one: str | tuple[str, ...]) -> str:
    return one if isinstance(one, str) else "+".join(one)[:80]


def test_said_observed_and_broken_are_the_same_clauses() -> None:
    spec = load()
    observed = set(all_checks(spec))
    named = {deviation.noticed_by for deviation in deviations(spec).values()}

    assert due(spec) == observed == named


@pytest.mark.parametrize("spec", EDITIONS, ids=lambda spec: spec.edition)
def test_what_is_built_of_an_edition_is_observed_and_broken(spec: Spec) -> None:
    named = {deviation.noticed_by for deviation in deviations(spec).values()}

    assert due(spec) <= set(all_checks(spec))
    assert due(spec) <= named


@pytest.mark.parametrize("spec", EDITIONS, ids=lambda spec: spec.edition)
def test_the_faithful_server_keeps_every_clause(spec: Spec) -> None:
    """What is slow is asked once where two editions say the same."""
    asked = {
        id: check
        for id, check in judging(spec).items()
        if id in own(spec) or not check.slow
    }

    found = results(spec, asked)

    assert not broken(found)
    assert not red(found)
    assert {result.outcome for result in found} == {"holds"}


@pytest.mark.parametrize(("edition", "group"), FAULTS, ids=edition_or_ids)
def test_a_deviation_is_noticed_by_its_clause_and_by_no_other(
    edition: str, group: tuple[str, ...]
) -> None:
    assert faults(group, edition=edition) == []
