"""Several workers judge as one does."""

import pytest

from conformance import options
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


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ([], options.AT_ONCE),
        (["http://127.0.0.1:1/v1"], 1),
        (["--only", "models", "http://127.0.0.1:1/v1"], 1),
        (["http://127.0.0.1:1/v1", "--workers", "4"], 4),
        (["--workers", "1"], 1),
    ],
)
def test_a_server_of_others_is_asked_one_thing_at_a_time_by_default(words, count):
    reader = options.parser(dict.fromkeys(options.COMMANDS, int))

    assert options.workers(options.parsed(reader, ["check", *words])) == count


def test_no_worker_at_all_is_refused():
    reader = options.parser(dict.fromkeys(options.COMMANDS, int))

    with pytest.raises(ValueError, match="at least one worker, got 0"):
        options.workers(options.parsed(reader, ["check", "--workers", "0"]))
