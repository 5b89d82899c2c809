"""Servers that are killed in the middle of their work."""

import hashlib
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from types import SimpleNamespace

import httpx
import pytest
from running import running, within

from mockserver.store import LEASE

MB = 1 << 20
SMALL = range(0, 10**6, 997)
LARGE = [24 * MB] * 10
WRITERS = 3
POISED = """
SELECT count(*) FROM pieces JOIN objects ON file = id WHERE kind = 'unfinished file'
"""


def upload(client, data):
    """The id of a new file, once it was acknowledged."""
    parts = {"file": ("a.bin", data), "purpose": (None, "answers")}
    reply = client.post("/files", files=parts)
    assert reply.status_code == 200, reply.text
    return reply.json()["id"]


def uploads(client, sizes, stop, kept):
    """Store one file after another and note the digest of each acknowledged one."""
    with suppress(httpx.TransportError):
        for size in sizes:
            if stop:
                return
            data = os.urandom(size)
            kept[upload(client, data)] = hashlib.sha256(data).hexdigest()


def moves(client, stop, counted):
    with suppress(httpx.TransportError):
        while not stop:
            client.post("/_assay/clock", json={"seconds": 1}).raise_for_status()
            counted.append(1)


def kill(mock):
    for pid in (*mock.workers(), mock.process.pid):
        os.kill(pid, signal.SIGKILL)
    mock.process.wait(10)


def kill_in_the_middle(mock, store):
    """Kill a server while a file is half stored; tells whether there was one."""
    with store.database.writing() as connection:
        if connection.dialect.name == "postgresql":  # else nobody writes beside us
            connection.exec_driver_sql("LOCK TABLE pieces")
        if connection.exec_driver_sql(POISED).scalar() < 5:
            return False
        kill(mock)
        return True


def ended(mock):
    return mock.process.returncode is not None


def rows(store, table):
    with store.database.writing() as connection:
        return connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()


def stored(client):
    """The digests of all files that are listed."""
    found = {}
    for file in client.get("/files").json()["data"]:
        content = client.get(f"/files/{file['id']}/content").content
        assert len(content) == file["bytes"]
        found[file["id"]] = hashlib.sha256(content).hexdigest()
    return found


def moved(client):
    """The seconds by which the clock was moved, or one less."""
    now = client.post("/_assay/clock", json={"seconds": 0}).json()["now"]
    return now - round(time.time())


@pytest.fixture
def store(shared, opened):
    return opened(shared)


def test_a_kill_loses_nothing_acknowledged_and_leaves_nothing_half(
    shared, store, tmp_path, monkeypatch
):
    kept, counted, stop = {}, [], []
    environ = os.environ | {"TMPDIR": str(tmp_path)}
    with ExitStack() as stack:
        one, other = (
            stack.enter_context(running("--store", shared, env=environ))
            for _ in range(2)
        )
        pool = stack.enter_context(ThreadPoolExecutor())
        with one.client() as client, other.client() as beside:
            for _ in range(WRITERS):
                pool.submit(uploads, client, SMALL, stop, kept)
            pool.submit(uploads, beside, SMALL, stop, kept)
            pool.submit(moves, client, stop, counted)
            pool.submit(uploads, client, LARGE, stop, kept)
            assert within(30, lambda: len(kept) > 20)
            assert within(30, lambda: ended(one) or kill_in_the_middle(one, store))
            stop.append(True)
            pool.shutdown()
            unfinished = len(store.all("unfinished file", "org-assay"))
            restarted = stack.enter_context(running("--store", shared, env=environ))

            with restarted.client() as again:
                found = stored(again)
                seconds = moved(again)
                assert found == stored(beside)
            assert found.items() >= kept.items()
            assert len(found) <= len(kept) + WRITERS + 1
            assert len(counted) - 1 <= seconds <= len(counted) + 2
            assert 1 <= unfinished <= WRITERS + 1

    clock = SimpleNamespace(time=lambda: time.time() + LEASE + 1)
    monkeypatch.setattr("mockserver.store.time", clock)
    store.expire(0)
    files = store.all("file", "org-assay")
    assert rows(store, "objects") == len(files) == len(found)
    assert rows(store, "pieces") == sum(-(-file["bytes"] // MB) for file in files)
