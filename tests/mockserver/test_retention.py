"""What is kept of requests and answers, and for how long."""

import json
import logging
import time
from types import SimpleNamespace

import httpx
import pytest

from conformance.recording import recording
from mockserver.app import application, house
from mockserver.records import Policy
from mockserver.retention import Keeping, ends, keeping
from reference_model.job import Job, Step
from reference_model.memo import Memo
from spec import load

KEY = {"authorization": "Bearer sk-test"}
DAY = 24 * 60 * 60
CANARY = "the canary sang nineteen songs about zinc and quartz"
NEWER = "2023-12"
MODEL = "gpt-3.5-turbo-instruct"


@pytest.fixture
def rooms(mind, shared):
    made = house(load(NEWER), mind=mind, store=shared)
    yield made
    made.store.database.close()


@pytest.fixture
def client(rooms):
    transport = httpx.WSGITransport(application(rooms))
    with httpx.Client(transport=transport, base_url="http://m/v1", headers=KEY) as one:
        yield one


def complete(client, **asked):
    body = {"model": MODEL, "prompt": CANARY, "max_tokens": 4, "temperature": 0}
    reply = client.post("/completions", json=body | asked)
    assert reply.status_code == 200, reply.text
    return reply.json()["choices"][0]["text"]


def transcribe(client):
    sound = {"file": ("a.wav", recording("wav")["data"])}
    form = {"model": "whisper-1", "prompt": CANARY}
    return client.post("/audio/transcriptions", data=form, files=sound)


def say(client, page, **asked):
    assert client.post(f"/_assay/{page}", json=asked).status_code == 200


def seen(client):
    return client.get("/_assay/counters").json()["prompt"]["tokens"]


def stored(rooms):
    """Every record, as text."""
    with rooms.store.database.writing() as connection:
        found = connection.exec_driver_sql("SELECT kind, body, until FROM records")
        return str(found.all())


def tokens(rooms):
    """How the canary is told in a record."""
    return json.dumps(rooms.mind.tokenizer.encode(CANARY))[1:-1]


@pytest.mark.parametrize("zero_retention", [False, True])
@pytest.mark.parametrize("edition", ["2023-04", NEWER])
def test_what_is_kept_follows_the_table(edition, zero_retention):
    spec = load(edition)
    policy = Policy(zero_retention=zero_retention)
    wanted = {
        "no": Keeping.STORED,
        "always": Keeping.MEMORY,
        "eligible": Keeping.NOTHING if zero_retention else Keeping.STORED,
    }

    told = {id: keeping(spec.operations[id], policy, spec) for id in spec.retention}

    assert told == {id: wanted[row.zero] for id, row in spec.retention.items()}
    assert keeping(spec.operations["listModels"], policy, spec) is Keeping.STORED


def test_what_is_stored_ends_as_the_table_says():
    spec = load(NEWER)

    told = {
        id: ends(spec.operations[id], spec, 100)
        for id in ("createCompletion", "createFile", "createModeration", "listModels")
    }

    assert told == {
        "createCompletion": 100 + 30 * DAY,
        "createFile": None,
        "createModeration": None,
        "listModels": None,
    }


def test_a_prompt_is_kept_for_thirty_days(client, rooms):
    complete(client)

    say(client, "clock", seconds=30 * DAY - 60)
    before = stored(rooms), seen(client)
    say(client, "clock", seconds=60)

    assert tokens(rooms) in before[0]
    assert before[1]
    assert tokens(rooms) not in stored(rooms)
    assert seen(client) == []


def test_with_zero_retention_no_prompt_is_kept(client, rooms):
    complete(client)
    say(client, "policy", zero_retention=True)

    texts = {complete(client) for _ in range(2)}

    assert len(texts) == 1
    assert tokens(rooms) not in stored(rooms)
    assert seen(client) == []
    say(client, "policy")
    complete(client)
    assert tokens(rooms) in stored(rooms)


def test_what_is_transcribed_is_never_stored(client, rooms):
    complete(client)

    assert transcribe(client).status_code == 200

    assert tokens(rooms) not in stored(rooms)
    assert seen(client) == rooms.mind.tokenizer.encode(CANARY)


@pytest.mark.parametrize("zero_retention", [False, True])
def test_a_fault_of_ours_is_logged_without_what_is_not_to_be_kept(
    client, rooms, monkeypatch, caplog, zero_retention
):
    def fail(*_, **__):
        raise ArithmeticError(CANARY)

    say(client, "policy", zero_retention=zero_retention)
    monkeypatch.setattr(type(rooms.mind), "submit", fail)

    body = {"model": MODEL, "prompt": CANARY}
    reply = client.post("/completions", json=body)

    assert reply.status_code == 500
    assert (CANARY in caplog.text) is not zero_retention
    assert "ArithmeticError" in caplog.text
    assert caplog.records[0].levelno == logging.ERROR


def test_a_job_that_is_not_to_be_remembered_is_not():
    memo, step = Memo(), Step(5, -1.0)
    jobs = [Job((1,), 1, remembered=kept) for kept in (True, False)]

    for job in jobs:
        memo.put(job, (step,))

    assert [memo.get(job) for job in jobs] == [(step,), None]


def test_with_zero_retention_a_job_is_not_remembered(client, monkeypatch, rooms):
    jobs, submit = [], type(rooms.mind).submit

    def noted(self, job, *more):
        jobs.append(job)
        return submit(self, job, *more)

    monkeypatch.setattr(type(rooms.mind), "submit", noted)
    complete(client)
    say(client, "policy", zero_retention=True)
    complete(client)

    assert [job.remembered for job in jobs] == [True, False]


def test_files_are_kept_until_they_are_deleted(client):
    parts = {"file": ("a.bin", b"kept"), "purpose": (None, "assistants")}
    id = client.post("/files", files=parts).json()["id"]

    say(client, "clock", seconds=400 * DAY)

    assert client.get(f"/files/{id}/content").content == b"kept"


def test_what_has_ended_is_swept_once_an_hour(rooms, client, monkeypatch):
    now = [0.0]
    rooms.store.put("run", "org-a", {"id": "x"}, until=1)
    clock = SimpleNamespace(time=time.time, monotonic=lambda: now[0])
    monkeypatch.setattr("mockserver.retention.time", clock)
    rooms.broom.pass_by()
    rooms.store.put("run", "org-a", {"id": "y"}, until=1)

    for now[0], left in ((3599.0, 1), (3601.0, 0)):
        client.get("/models")

        assert len(rooms.store.all("run", "org-a")) == left
