"""Stores that fail while a server runs: full, or gone, and back again."""

import logging
import os
import resource
from contextlib import contextmanager

import httpx
import pytest

from mockserver.app import application, house
from mockserver.database import Unavailable

KEY = {"authorization": "Bearer sk-test"}
PICTURE = {"prompt": "An otter", "size": "256x256"}
COMPLETE = {"model": "ada", "prompt": "Once", "max_tokens": 2, "user": "ann"}
SERVER = (500, "server_error"), (503, "server_error")


@pytest.fixture
def client(spec, mind, shared):
    rooms = house(spec, mind=mind, store=shared)
    transport = httpx.WSGITransport(application(rooms))
    with httpx.Client(transport=transport, base_url="http://m/v1", headers=KEY) as one:
        one.rooms = rooms
        yield one
    rooms.store.database.close()


def upload(client, size):
    parts = {"file": ("a.bin", b" " * size), "purpose": (None, "answers")}
    return client.post("/files", files=parts)


def asked(client, id):
    """One request of each kind."""
    yield upload(client, 3000)
    yield upload(client, 3_000_000)
    yield client.get("/models")
    yield client.get(f"/files/{id}/content")
    yield client.delete("/files/file-nope")
    yield client.post("/completions", json=COMPLETE)
    yield client.post("/images/generations", json=PICTURE)
    yield client.post("/_assay/keys", json={"organizations": ["org-a"]})


def told(reply):
    """Status and type of an answer that is a refusal of our server."""
    assert reply.headers["content-type"] == "application/json"
    return reply.status_code, reply.json()["error"]["type"]


def rows(client):
    with client.rooms.store.database.writing() as connection:
        tables = ("objects", "pieces")
        words = [f"SELECT count(*) FROM {table}" for table in tables]
        return [connection.exec_driver_sql(ask).scalar() for ask in words]


@contextmanager
def full():
    """No file of this process can grow."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def temporary():
    """The files without a name that this process has open."""
    links = (f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd"))
    places = (os.readlink(link) for link in links if os.path.islink(link))
    return sorted(place for place in places if place.endswith("(deleted)"))


@pytest.mark.parametrize("shared", ["file"], indirect=True)
def test_a_full_disk_refuses_and_recovers(client, caplog):
    id = upload(client, 100).json()["id"]
    before, open_before = rows(client), temporary()

    with full():
        replies = list(asked(client, id))

    assert [told(reply) for reply in replies] == [SERVER[0]] * len(replies)
    assert (rows(client), temporary()) == (before, open_before)
    quiet(caplog, len(replies))
    again = [reply.status_code for reply in asked(client, id)]
    assert again == [200, 200, 200, 200, 404, 200, 200, 200]
    assert rows(client) == [before[0] + 3, before[1] + 5]


@pytest.mark.parametrize("shared", ["postgresql"], indirect=True)
def test_a_server_that_is_gone_refuses_and_recovers(client, postgres, caplog):
    id = upload(client, 100).json()["id"]
    before = rows(client)

    postgres.stop()
    try:
        replies = list(asked(client, id))
    finally:
        postgres.start()

    assert [told(reply) for reply in replies] == [SERVER[1]] * len(replies)
    assert rows(client) == before
    quiet(caplog, len(replies))
    again = [reply.status_code for reply in asked(client, id)]
    assert again == [200, 200, 200, 200, 404, 200, 200, 200]


def quiet(caplog, requests):
    """A line for each request, and no traceback."""
    faults = [row for row in caplog.records if row.levelno >= logging.ERROR]
    assert len(faults) == requests
    assert not any(row.exc_info or "\n" in row.getMessage() for row in faults)


@pytest.mark.parametrize("shared", ["file"], indirect=True)
def test_a_picture_of_a_store_that_fails_is_no_traceback(client, monkeypatch):
    reply = client.post("/images/generations", json=PICTURE)
    url = reply.json()["data"][0]["url"]
    place = client.rooms.store.database

    def fail(*_, **__):
        raise Unavailable("gone", reached=False)

    with monkeypatch.context() as patch:
        patch.setattr(place, "rows", fail)
        broken = client.get(url)

    assert told(broken) == SERVER[1]
    assert client.get(url).status_code == 200
