"""Stories of objects: none on a faithful server, the shortest one on a faulty one."""

import pytest

from conformance.registry import all_checks
from conformance.runner import run
from conformance.stateful import kind
from conformance.target import Claims
from mockserver.app import application, house
from mockserver.deviations import deviations
from mockserver.registry import built
from mockserver.server import serving

CLAUSE = "files.any-order"


@pytest.fixture
def judged(spec, target_at):
    """What becomes of the clause on a mock with a deviation, or without."""

    def judge(name=None, clause=CLAUSE):
        faults = [deviations(spec)[name]] if name else []
        with serving(application(house(spec, seed=1), faults)) as url:
            claims = Claims(built(spec), frozenset({"control"}))
            target = target_at(url, claims=claims, timeout=10.0)
            (result,) = run(target, {clause: all_checks(spec)[clause]})
            target.close()
        return result

    return judge


def test_a_faithful_server_has_no_story(judged):
    assert judged().outcome == "holds"


@pytest.mark.parametrize(
    ("name", "story"),
    [
        (
            "files.list-newest",
            [
                "A was never deleted and is not in the list",
                "step 1: POST /files: made A, uploaded",
                "step 2: POST /files: made B, uploaded",
                "step 3: POST /files: made C, uploaded",
                "step 4: GET /files: lists B, C",
            ],
        ),
        (
            "files.list-deleted-kept",
            [
                "A was deleted and is still in the list",
                "step 1: POST /files: made A, uploaded",
                "step 2: DELETE /files/A: 200",
                "step 3: GET /files: lists A",
            ],
        ),
        (
            "files.deleted-twice",
            [
                "A was deleted, and was answered 200",
                "step 1: POST /files: made A, uploaded",
                "step 2: DELETE /files/A: 200",
                "step 3: DELETE /files/A: 200",
            ],
        ),
    ],
)
def test_a_fault_is_told_by_the_shortest_story(judged, name, story):
    result = judged(name)

    assert result.outcome == "fails"
    assert list(result.findings) == story


def test_the_same_seed_tells_the_same_story(judged):
    first, second = judged("files.deleted-twice"), judged("files.deleted-twice")

    assert first.findings == second.findings


@pytest.mark.parametrize(
    ("name", "operations"),
    [
        ("FileObject", ["createFile", "retrieveFile", "listFiles", "deleteFile"]),
        (
            "FineTune",
            ["createFineTune", "retrieveFineTune", "listFineTunes", "cancelFineTune"],
        ),
    ],
)
def test_the_operations_of_a_life_are_found(spec, name, operations):
    assert [one.id for one in kind(spec, name).operations] == operations
