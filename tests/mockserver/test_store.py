"""The store: in memory, on a file, in PostgreSQL."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, Thread
from types import SimpleNamespace

import pytest

from mockserver.database import Unavailable
from mockserver.store import LEASE, NoRoom, Store


@pytest.fixture(params=["memory", "file", "postgresql"])
def store(request, tmp_path, opened):
    match request.param:
        case "memory":
            return opened()
        case "file":
            return opened(f"sqlite:///{tmp_path / 'assay.db'}")
    return opened(request.getfixturevalue("postgres").fresh())


def ids(store, kind="model", organization="org-a"):
    return [body["id"] for body in store.all(kind, organization)]


def test_what_is_put_is_there_in_the_order_it_came(store):
    for name in ("b", "a", "c"):
        store.put("model", "org-a", {"id": name, "deep": {"list": [1, None, "é"]}})

    assert ids(store) == ["b", "a", "c"]
    assert store.all("model", "org-a")[0] == {
        "id": "b",
        "deep": {"list": [1, None, "é"]},
    }


def test_kinds_and_organizations_are_apart(store):
    store.put("model", "org-a", {"id": "x"})
    store.put("file", "org-a", {"id": "x"})
    store.put("model", "org-b", {"id": "y"})

    assert ids(store) == ids(store, "file") == ["x"]
    assert ids(store, organization="org-b") == ["y"]


def test_a_second_object_of_an_id_replaces_the_first(store):
    store.put("model", "org-a", {"id": "x", "version": 1})
    store.put("model", "org-a", {"id": "x", "version": 2})

    assert store.all("model", "org-a") == [{"id": "x", "version": 2}]


def test_an_object_is_dropped_once(store):
    store.put("model", "org-a", {"id": "x"})

    dropped = [store.drop("model", "org-a", "x") for _ in range(2)]

    assert dropped == [True, False]
    assert ids(store) == []


@pytest.mark.parametrize(
    ("kind", "organization", "id"),
    [("file", "org-a", "x"), ("model", "org-b", "x"), ("model", "org-a", "y")],
)
def test_nothing_else_is_dropped(store, kind, organization, id):
    store.put("model", "org-a", {"id": "x"})

    assert not store.drop(kind, organization, id)
    assert ids(store) == ["x"]


def test_an_empty_store_has_nothing(store):
    assert ids(store) == store.every("model") == []
    assert store.change("model", "org-a", "x", dict) is None
    assert not store.drop("model", "org-a", "x")


def test_what_is_shared_survives_reopening(shared, opened):
    opened(shared).put("model", "org-a", {"id": "kept"})
    opened(shared).put("model", "org-a", {"id": "more"})

    assert ids(opened(shared)) == ["kept", "more"]
    assert opened(shared).drop("model", "org-a", "kept")
    assert ids(opened(shared)) == ["more"]


NAMES = ["\0", "\ud800", "org-\u00e9", '"', "\\u0000", "a" * 200]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_any_name_will_do(store, name):
    store.put("model", name, {"id": name, "text": name})

    assert store.get("model", name, name) == {"id": name, "text": name}
    assert store.every("model") == [(name, {"id": name, "text": name})]
    assert store.found("model", name) == (name, {"id": name, "text": name})
    assert store.get("model", name, "x" * 10_000) is None


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_content_goes_with_an_object_of_any_name(store, name):
    keep(store, name, [b"one"], name)

    assert list(store.read(name, 3)) == [b"one"]
    assert store.drop("file", name, name)
    assert rows(store) == [0, 0]


def test_several_threads_may_open_and_write(store):
    start, faults = Barrier(4), []

    def write(writer):
        start.wait()
        try:
            for number in range(20):
                store.put("model", "org-a", {"id": f"{writer}-{number}"})
                store.all("model", "org-a")
        except Exception as fault:
            faults.append(fault)

    writers = [Thread(target=write, args=(name,)) for name in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert faults == []
    assert len(ids(store)) == 80


def test_what_is_changed_is_stored_and_told(store):
    store.put("job", "org-a", {"id": "x", "steps": 1})

    told = store.change("job", "org-a", "x", lambda job: {**job, "steps": 2})

    assert told == store.get("job", "org-a", "x") == {"id": "x", "steps": 2}


def test_a_change_to_none_leaves_the_object_as_it_was(store):
    store.put("job", "org-a", {"id": "x", "steps": [1]})

    told = store.change("job", "org-a", "x", lambda job: job["steps"].clear())

    assert told == store.get("job", "org-a", "x") == {"id": "x", "steps": [1]}


def test_a_change_that_fails_leaves_the_object_as_it_was(store):
    store.put("job", "org-a", {"id": "x", "steps": 1})

    with pytest.raises(KeyError):
        store.change("job", "org-a", "x", lambda job: {"steps": job["none"]})

    assert store.get("job", "org-a", "x") == {"id": "x", "steps": 1}


@pytest.mark.parametrize(
    ("kind", "organization", "id"),
    [("file", "org-a", "x"), ("job", "org-b", "x"), ("job", "org-a", "y")],
)
def test_what_is_not_there_is_not_changed(store, kind, organization, id):
    store.put("job", "org-a", {"id": "x"})

    told = store.change(kind, organization, id, lambda job: {**job, "changed": True})

    assert told is None
    assert store.every("job") == [("org-a", {"id": "x"})]


def test_changes_at_once_are_made_one_after_the_other(store):
    store.put("job", "org-a", {"id": "x", "steps": 0})

    def more(job):
        return {**job, "steps": job["steps"] + 1}

    with ThreadPoolExecutor(4) as pool:
        for _ in range(80):
            pool.submit(store.change, "job", "org-a", "x", more)

    assert store.get("job", "org-a", "x")["steps"] == 80


def test_every_organization_is_read_in_the_order_of_storing(store):
    for organization, name in (("org-b", "x"), ("org-a", "y"), ("org-b", "z")):
        store.put("job", organization, {"id": name})
    store.put("file", "org-a", {"id": "x"})

    told = [(organization, job["id"]) for organization, job in store.every("job")]

    assert told == [("org-b", "x"), ("org-a", "y"), ("org-b", "z")]


PIECES = [b"one", b"\0\xff" * 9000, b"", b"end"]
WHOLE = b"".join(PIECES)


def keep(store, id, pieces, organization="org-a", **more):
    body = {"id": id, "bytes": sum(map(len, pieces))}
    store.keep("file", organization, body, pieces, **more)


def rows(store):
    """How many objects and pieces there are, of whatever kind."""
    with store.database.writing() as connection:
        tables = ("objects", "pieces")
        asked = [f"SELECT count(*) FROM {table}" for table in tables]
        return [connection.exec_driver_sql(words).scalar() for words in asked]


def test_content_comes_back_in_the_order_it_was_written(store):
    keep(store, "file-a", PIECES)
    keep(store, "file-b", [b"other"])

    assert b"".join(store.read("file-a", len(WHOLE))) == WHOLE
    assert b"".join(store.read("file-b", 5)) == b"other"
    assert ids(store, "file") == ["file-a", "file-b"]


@pytest.mark.parametrize("pieces", [[], [b""]], ids=["none", "an empty one"])
def test_no_content_is_content_too(store, pieces):
    keep(store, "file-a", pieces)

    assert list(store.read("file-a", 0)) == []
    assert ids(store, "file") == ["file-a"]


def test_content_is_read_a_piece_at_a_time(store):
    keep(store, "file-a", [b"one", b"two"])
    pieces = store.read("file-a", 6)

    first = next(pieces)
    store.put("file", "org-a", {"id": "x"})  # nobody waits for who reads

    assert (first, *pieces) == (b"one", b"two")


def test_who_reads_what_is_dropped_learns_of_it(store):
    keep(store, "file-a", [b"one", b"two"])
    pieces = store.read("file-a", 6)

    next(pieces)
    store.drop("file", "org-a", "file-a")

    with pytest.raises(LookupError):
        next(pieces)


def test_what_is_dropped_goes_with_its_content_and_leaves_the_rest(store):
    for name in ("file-a", "file-b"):
        keep(store, name, PIECES)

    store.drop("file", "org-a", "file-a")

    assert b"".join(store.read("file-b", len(WHOLE))) == WHOLE
    assert rows(store) == [1, len(PIECES)]


def test_an_object_whose_content_could_not_be_written_whole_is_not_there(store):
    def cut():
        yield b"one"
        raise OSError("the client is gone")

    with pytest.raises(OSError, match="gone"):
        store.keep("file", "org-a", {"id": "file-a", "bytes": 3}, cut())

    assert rows(store) == [0, 0]


def test_others_are_served_while_a_long_file_is_written(store):
    def slow():
        yield b"one"
        assert ids(store, "file") == []
        store.put("file", "org-a", {"id": "x"})
        yield b"two"

    store.keep("file", "org-a", {"id": "file-a", "bytes": 6}, slow())

    assert sorted(ids(store, "file")) == ["file-a", "x"]
    assert b"".join(store.read("file-a", 6)) == b"onetwo"


def test_an_organization_has_room_for_so_many_bytes(store):
    keep(store, "file-a", [b"1234"], most=10)
    keep(store, "file-b", [b"123456"], most=10)
    keep(store, "file-c", [b"1234567890"], "org-b", most=10)

    with pytest.raises(NoRoom):
        keep(store, "file-d", [b"1"], most=10)

    store.drop("file", "org-a", "file-a")
    keep(store, "file-d", [b"1"], most=10)
    assert ids(store, "file") == ["file-b", "file-d"]


def test_what_is_still_being_written_takes_room(store):
    def slow():
        yield b"123"
        with pytest.raises(NoRoom):
            keep(store, "file-b", [b"12345"], most=10)
        yield b"456"

    store.keep("file", "org-a", {"id": "file-a", "bytes": 6}, slow(), most=10)
    keep(store, "file-b", [b"1234"], most=10)

    assert ids(store, "file") == ["file-a", "file-b"]


def test_uploads_at_once_do_not_exceed_the_room(store):
    def upload(number):
        with suppress(NoRoom):
            keep(store, f"file-{number}", [b"12", b"3"], most=10)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(upload, range(16)))

    assert len(ids(store, "file")) == 3
    assert rows(store) == [3, 6]


def left_behind(store, monkeypatch, seconds):
    """Begin an object, and let so much time pass."""
    moment = time.time()
    with monkeypatch.context() as patch:
        patch.setattr(Store, "drop", lambda *_: False)  # as if killed
        with suppress(ZeroDivisionError):
            store.keep("file", "org-a", {"id": "x", "bytes": 9}, (1 // n for n in (0,)))
    clock = SimpleNamespace(time=lambda: moment + seconds, monotonic=time.monotonic)
    monkeypatch.setattr("mockserver.store.time", clock)


def test_an_object_left_behind_is_cleared_and_its_room_free(store, monkeypatch):
    left_behind(store, monkeypatch, LEASE + 1)

    keep(store, "file-b", [b"12"], most=10)

    assert rows(store) == [1, 1]


def test_an_object_that_somebody_may_still_write_is_not_cleared(store, monkeypatch):
    left_behind(store, monkeypatch, LEASE - 1)

    store.expire(0)

    assert rows(store)[0] == 1


def test_who_was_taken_for_gone_is_told_and_stores_nothing(store, monkeypatch):
    moment = time.time()

    def slow():
        yield b"one"
        clock = SimpleNamespace(time=lambda: moment + LEASE + 1)
        monkeypatch.setattr("mockserver.store.time", clock)
        store.expire(0)
        yield b"two"

    with pytest.raises(Unavailable, match="left behind"):
        store.keep("file", "org-a", {"id": "x", "bytes": 6}, slow())

    assert rows(store) == [0, 0]


def test_what_has_an_end_is_thrown_away_then(store):
    keep(store, "file-a", [b"one"], until=100)
    keep(store, "file-b", [b"two"], "org-b", until=100)
    keep(store, "file-c", [b"three"])
    store.put("run", "org-a", {"id": "x"}, until=101)

    store.expire(100, "org-a")

    assert (ids(store, "file"), ids(store, "run")) == (["file-c"], ["x"])
    assert rows(store) == [3, 2]
    store.expire(101)
    assert rows(store) == [1, 1]
