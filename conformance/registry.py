"""The checks by the id of the clause that each observes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spec import Spec, load
from spec.pages import editions

if TYPE_CHECKING:
    from conformance.target import Target

Findings = Iterator[str]
Function = Callable[["Target"], Findings]


@dataclass(frozen=True)
class Check:
    """A function that observes one clause."""

    clause_id: str
    function: Function
    requires: tuple[str, ...] = ()
    """What the method of checking needs: ``deterministic``, or a capability."""
    slow: bool = False
    """Left out by ``--quick``."""


CHECKS: dict[str, Check] = {}


def check(
    clause_id: str, *, requires: tuple[str, ...] = (), slow: bool = False
) -> Callable[[Function], Function]:
    """Registers the function below as what observes the clause.

    Raises ValueError where another function already does.
    """

    def register(function: Function) -> Function:
        if clause_id in CHECKS:
            raise ValueError(f"expected one check of {clause_id!r}, got a second")
        CHECKS[clause_id] = Check(clause_id, function, requires, slow)
        return function

    return register


def bound(spec: Spec, checks: Mapping[str, Check] | None = None) -> dict[str, Check]:
    """The written checks of this edition.

    Raises ValueError for a check of a clause that no edition says.
    """
    written = CHECKS if checks is None else checks
    strangers = set(written) - set(spec.clauses)
    if strangers:
        strangers -= {id for edition in editions() for id in load(edition).clauses}
    if strangers:
        raise ValueError(f"expected ids of clauses, got {sorted(strangers)}")
    return {id: check for id, check in written.items() if id in spec.clauses}


def all_checks(spec: Spec) -> dict[str, Check]:
    """The written and the derived checks of this edition, in the order of the spec.

    Where nothing is written for a resource, nothing is derived either: a resource is
    judged once somebody stands behind its checks. Raises ValueError where a derived
    check is also written by hand.
    """
    import conformance.checks  # noqa: F401  # importing it registers
    from conformance.derived import derived_checks

    found = bound(spec)
    judged = {spec.clauses[id].resource for id in found}
    for derived in derived_checks(spec):
        if spec.clauses[derived.clause_id].resource not in judged:
            continue
        if derived.clause_id in found:
            raise ValueError(f"expected one check of {derived.clause_id!r}, got two")
        found[derived.clause_id] = derived
    return {id: found[id] for id in spec.clauses if id in found}
