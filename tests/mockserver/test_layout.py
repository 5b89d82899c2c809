"""Stores that other versions of the mock have written."""

import json
import sqlite3

import pytest

from mockserver.__main__ import main
from mockserver.layout import LAYOUT
from mockserver.store import NoRoom

FIRST = """
CREATE TABLE objects (
    place INTEGER NOT NULL, kind VARCHAR(40) NOT NULL, id VARCHAR(200) NOT NULL,
    organization VARCHAR(80) NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (place), UNIQUE (kind, id));
CREATE TABLE pieces (
    file VARCHAR(200) NOT NULL, number INTEGER NOT NULL, piece BLOB NOT NULL,
    PRIMARY KEY (file, number));
"""
"""The tables of layout 0, which had no number."""
FILE = {"id": "file-a", "bytes": 5, "purpose": "answers"}
PICTURE = {"id": "x.png", "bytes": 3, "organization": "org-é", "until": 100}


@pytest.fixture
def first(tmp_path):
    """The URL of a store of layout 0."""
    place = tmp_path / "assay.db"
    rows = (
        ("file", "org-é", FILE),
        ("picture", "", PICTURE),
        ("model", "o", {"id": "m"}),
    )
    with sqlite3.connect(place) as file:
        file.executescript(FIRST)
        for number, (kind, organization, body) in enumerate(rows, 1):
            words = number, kind, body["id"], organization, json.dumps(body)
            file.execute("INSERT INTO objects VALUES (?, ?, ?, ?, ?)", words)
        pieces = (("file-a", 0, b"on"), ("file-a", 1, b"two"), ("x.png", 0, b"PNG"))
        file.executemany("INSERT INTO pieces VALUES (?, ?, ?)", pieces)
    file.close()
    return f"sqlite:///{place}"


def number(url):
    file = sqlite3.connect(url.removeprefix("sqlite:///"))
    ((found,),) = file.execute("SELECT number FROM layout")
    file.close()
    return found


def test_the_first_layout_is_opened_without_loss(first, opened):
    for _ in range(2):  # brought up to date once
        store = opened(first)

    assert store.all("file", "org-é") == [FILE]
    assert b"".join(store.read("file-a", 5)) == b"ontwo"
    assert store.every("model") == [("o", {"id": "m"})]
    assert b"".join(store.read("x.png", 3)) == b"PNG"
    assert number(first) == LAYOUT


def test_files_of_the_first_layout_take_room(first, opened):
    store = opened(first)

    with pytest.raises(NoRoom):
        store.keep("file", "org-é", {"id": "b", "bytes": 6}, [b"abcdef"], most=10)


def test_pictures_of_the_first_layout_are_their_makers_and_end(first, opened):
    store = opened(first)
    maker, row = store.found("picture", "x.png")

    store.expire(100, "org-é")

    assert (maker, row["until"]) == ("org-é", 100)
    assert store.found("picture", "x.png") is None


def test_a_new_store_tells_its_layout(shared, opened):
    store = opened(shared)

    with store.database.writing() as connection:
        told = connection.exec_driver_sql("SELECT number FROM layout").all()
    assert [row.number for row in told] == [LAYOUT]


def test_a_store_of_the_future_is_refused_in_one_line(shared, opened, capsys):
    with opened(shared).database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE layout SET number = {LAYOUT + 1}")

    code = main(["--store", shared, "--port", "0"])

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert said.err.count("\n") == 1
    assert f"layout {LAYOUT} or older, got {LAYOUT + 1}" in said.err


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "sqlite:///",
        "sqlite://?mode=memory",
        "mysql://root:secret@host/x",
        "postgresql://u:secret@127.0.0.1:1/x",
        "sqlite:////nowhere/at/all.db",
    ],
)
def test_a_store_that_cannot_be_had_is_refused_in_one_line(url, capsys):
    code = main(["--store", url, "--port", "0"])

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert said.err.startswith("assay-mock: ")
    assert said.err.count("\n") == 1
    assert "secret" not in said.err


def test_a_file_that_is_no_database_is_refused(tmp_path, capsys):
    place = tmp_path / "notes.txt"
    place.write_text("no database " * 1000)

    assert main(["--store", f"sqlite:///{place}", "--port", "0"]) == 2
    assert "file is not a database" in capsys.readouterr().err
    assert place.read_text() == "no database " * 1000
