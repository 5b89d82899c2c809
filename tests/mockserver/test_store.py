"""The store, on a file and in memory."""

from threading import Barrier, Thread

import pytest

from mockserver.store import Store


@pytest.fixture(params=["file", "memory"])
def store(request, tmp_path):
    place = tmp_path / "assay.db"
    return Store("sqlite://" if request.param == "memory" else f"sqlite:///{place}")


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
    assert ids(store) == []
    assert not store.drop("model", "org-a", "x")


def test_a_file_survives_reopening(tmp_path):
    url = f"sqlite:///{tmp_path / 'assay.db'}"
    Store(url).put("model", "org-a", {"id": "kept"})
    Store(url).put("model", "org-a", {"id": "more"})

    assert ids(Store(url)) == ["kept", "more"]
    assert Store(url).drop("model", "org-a", "kept")
    assert ids(Store(url)) == ["more"]


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


PIECES = [b"one", b"\0\xff" * 9000, b"", b"end"]
WHOLE = b"".join(PIECES)


def test_content_comes_back_in_the_order_it_was_written(store):
    store.write("file-a", PIECES)
    store.write("file-b", [b"other"])

    assert b"".join(store.read("file-a", len(WHOLE))) == WHOLE
    assert b"".join(store.read("file-b", 5)) == b"other"


@pytest.mark.parametrize("pieces", [[], [b""]], ids=["none", "an empty one"])
def test_no_content_is_content_too(store, pieces):
    store.write("file-a", pieces)

    assert list(store.read("file-a", 0)) == []


def test_content_is_read_a_piece_at_a_time(store):
    store.write("file-a", [b"one", b"two"])
    pieces = store.read("file-a", 6)

    first = next(pieces)
    store.put("file", "org-a", {"id": "x"})  # nobody waits for who reads

    assert (first, *pieces) == (b"one", b"two")


def test_who_reads_what_is_forgotten_learns_of_it(store):
    store.write("file-a", [b"one", b"two"])
    pieces = store.read("file-a", 6)

    next(pieces)
    store.forget("file-a")

    with pytest.raises(LookupError):
        next(pieces)


def test_what_is_forgotten_leaves_the_rest(store):
    for name in ("file-a", "file-b"):
        store.write(name, PIECES)

    store.forget("file-a")

    assert b"".join(store.read("file-b", len(WHOLE))) == WHOLE
    with pytest.raises(LookupError):
        list(store.read("file-a", len(WHOLE)))


def test_content_that_could_not_be_written_whole_is_not_there(store):
    def cut():
        yield b"one"
        raise OSError("the client is gone")

    with pytest.raises(OSError, match="gone"):
        store.write("file-a", cut())

    with pytest.raises(LookupError):
        list(store.read("file-a", 3))


def test_others_are_served_while_a_long_file_is_written(store):
    def slow():
        yield b"one"
        store.put("file", "org-a", {"id": "x"})
        yield b"two"

    store.write("file-a", slow())

    assert ids(store, "file") == ["x"]
    assert b"".join(store.read("file-a", 6)) == b"onetwo"


def test_content_survives_reopening(tmp_path):
    url = f"sqlite:///{tmp_path / 'assay.db'}"
    Store(url).write("file-a", PIECES)

    assert b"".join(Store(url).read("file-a", len(WHOLE))) == WHOLE
