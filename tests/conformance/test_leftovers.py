"""A run leaves nothing on the server; what cannot be taken away is told."""

import httpx
import pytest

from conformance.registry import Check, all_checks
from conformance.runner import run
from conformance.target import Claims
from mockserver.app import application, house
from mockserver.registry import built
from mockserver.server import serving
from spec import load

ID = "files.list-uploaded"
LINE = b'{"prompt": "a", "completion": "b"}\n'


@pytest.fixture
def mock(spec):
    """The URL of a mock with a store of its own, and what it stored."""
    rooms = house(spec, seed=1)
    with serving(application(rooms, [])) as url:
        yield url, rooms.store


def uploading(target):
    for _ in range(3):
        target.call("createFile").json()
    yield from ()


def interrupted(target):
    target.call("createFile").json()
    raise KeyboardInterrupt
    yield ""


def files(store):
    return store.all("file", "org-assay")


def test_what_checks_made_is_taken_away(mock, target_at):
    url, store = mock
    target = target_at(url, key="sk-any")
    checks = {ID: Check(ID, uploading)}

    (result,) = run(target, checks)

    assert result.outcome == "holds"
    assert len(files(store)) == 3
    assert target.close() == []
    assert files(store) == []


def tuning(target):
    target.call("createFineTune").json()
    yield from ()


def test_a_job_is_ended_as_soon_as_its_check_is(mock, target_at):
    url, store = mock
    target = target_at(url, key="sk-any")
    id = "fine-tunes.created-pending"

    (result,) = run(target, {id: Check(id, tuning)})

    assert result.outcome == "holds"
    (job,) = store.all("fine-tune", "org-assay")
    assert job["status"] == "cancelled"
    assert len(files(store)) == 1


def test_so_is_what_an_interrupted_check_made(mock, target_at):
    url, store = mock
    target = target_at(url, key="sk-any")
    checks = {ID: Check(ID, interrupted)}

    with pytest.raises(KeyboardInterrupt):
        list(run(target, checks))

    assert len(files(store)) == 1
    assert target.close() == []
    assert files(store) == []


def test_a_whole_run_over_files_leaves_none(mock, target_at, spec):
    url, store = mock
    claims = Claims(built(spec), frozenset({"control"}))
    target = target_at(url, key="sk-any", claims=claims)
    checks = {
        id: check
        for id, check in all_checks(spec).items()
        if spec.clauses[id].resource == "files" and not check.slow
    }

    results = list(run(target, checks))

    assert {result.outcome for result in results} <= {"holds", "not claimed"}
    assert target.close() == []
    assert files(store) == []


def test_what_somebody_else_stored_stays(mock, target_at):
    url, store = mock
    headers = {"Authorization": "Bearer sk-any"}
    upload = {"file": ("own.jsonl", LINE)}
    kept = httpx.post(
        f"{url}/files", files=upload, data={"purpose": "fine-tune"}, headers=headers
    ).json()
    target = target_at(url, key="sk-any")
    list(run(target, {ID: Check(ID, uploading)}))

    target.close()

    assert [row["id"] for row in files(store)] == [kept["id"]]


def test_what_stays_is_told(target_at, spec):
    """Nothing takes a connection any more."""
    with serving(application(house(load(), seed=1), [])) as url:
        target = target_at(url, key="sk-any")
        list(run(target, {ID: Check(ID, uploading)}))

    left = target.close()

    assert len(left) == 3
    assert all(path.startswith("/files/file-") for path in left)
