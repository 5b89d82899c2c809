import sys
from types import ModuleType

import pytest

from conformance import registry
from conformance.registry import CHECKS, Check, all_checks, bound, check


@pytest.fixture(autouse=True)
def _apart(monkeypatch):
    """Keeps the real checks out, and ours from staying."""
    monkeypatch.setitem(sys.modules, "conformance.checks", ModuleType("checks"))
    before = dict(CHECKS)
    yield
    CHECKS.clear()
    CHECKS.update(before)


def nothing(target):
    yield from ()


def test_a_check_is_registered_by_its_clause():
    CHECKS.pop("completions.example", None)

    check("completions.example", requires=("deterministic",), slow=True)(nothing)

    assert CHECKS["completions.example"] == Check(
        "completions.example", nothing, ("deterministic",), True
    )


def test_a_second_check_of_a_clause_is_refused():
    CHECKS.pop("completions.example", None)
    check("completions.example")(nothing)

    with pytest.raises(ValueError, match="second"):
        check("completions.example")(nothing)


def test_a_check_of_no_clause_is_refused(spec):
    with pytest.raises(ValueError, match=r"no\.such-clause"):
        bound(spec, {"no.such-clause": Check("no.such-clause", nothing)})


def test_written_and_derived_checks_come_in_the_order_of_the_spec(spec, monkeypatch):
    one = Check("completions.example", nothing)
    two = Check("completions.n-type", nothing)
    monkeypatch.setattr(registry, "CHECKS", {two.clause_id: two})
    monkeypatch.setattr("conformance.derived.derived_checks", lambda spec: iter([one]))

    found = list(all_checks(spec))

    assert found == ["completions.example", "completions.n-type"]


def test_nothing_is_derived_for_a_resource_without_a_written_check(spec, monkeypatch):
    written = Check("completions.example", nothing)
    derived = Check("chat.n-type", nothing)
    monkeypatch.setattr(registry, "CHECKS", {written.clause_id: written})
    monkeypatch.setattr(
        "conformance.derived.derived_checks", lambda spec: iter([derived])
    )

    assert list(all_checks(spec)) == ["completions.example"]


def test_a_derived_check_of_a_clause_that_is_checked_by_hand_is_refused(
    spec, monkeypatch
):
    one = Check("completions.example", nothing)
    monkeypatch.setattr(registry, "CHECKS", {one.clause_id: one})
    monkeypatch.setattr("conformance.derived.derived_checks", lambda spec: iter([one]))

    with pytest.raises(ValueError, match="got two"):
        all_checks(spec)
