"""Several workers judge as one does."""

from conformance.registry import all_checks
from conformance.runner import run
from conformance.target import Claims
from mockserver.app import application, house
from mockserver.registry import built
from mockserver.server import serving


def test_workers_reach_the_same_verdicts(target_at, spec):
    """In the order of the spec, however many look at once."""
    chosen = {
        id: check
        for id, check in all_checks(spec).items()
        if spec.clauses[id].resource in ("models", "moderations", "files")
        and not check.slow
    }
    verdicts = []
    for workers in (1, 4):
        with serving(application(house(spec, seed=1), [])) as url:
            target = target_at(
                url, timeout=10.0, claims=Claims(built(spec), frozenset({"control"}))
            )
            results = list(run(target, chosen, workers=workers))
            target.close()
        verdicts.append([(one.clause.id, one.outcome) for one in results])

    assert verdicts[0] == verdicts[1]
    assert {outcome for _, outcome in verdicts[0]} == {"holds"}
