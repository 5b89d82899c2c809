"""What a loaded spec holds besides its clauses."""

import re
from datetime import date
from pathlib import Path

import pytest

from spec.load import load
from spec.pages import HERE, SHARED, digest, editions, files, pages
from spec.pages import _parsed as parsed
from spec.pages import _span as span


def test_a_spec_is_read_once():
    assert load("2023-04") is load("2023-04")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a page, and a cache of our own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.yaml").write_text("one: 1")
    yield tmp_path / "pages"
    digest.cache_clear()
    files.cache_clear()


def again(folder):
    """The pages as a new process would read them."""
    digest.cache_clear()
    files.cache_clear()
    return files(folder)


def test_pages_from_the_cache_are_those_that_were_parsed(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    first, second = again(HERE), again(HERE)

    assert first == second == {name: parsed(HERE / name) for name in first}
    assert len(list(tmp_path.rglob("pages-*.json"))) == 1


def test_a_page_that_changed_is_read_anew(folder):
    assert again(folder) == {"a.yaml": {"one": 1}}
    (folder / "a.yaml").write_text("one: 2")
    (folder / "b.yaml").write_text("two: 3")

    assert again(folder) == {"a.yaml": {"one": 2}, "b.yaml": {"two": 3}}


def test_a_cache_that_is_broken_or_cannot_be_written_is_passed_over(folder):
    again(folder)
    (kept,) = folder.parent.rglob("pages-*.json")
    kept.write_text("{")
    assert again(folder) == {"a.yaml": {"one": 1}}

    kept.unlink()
    kept.parent.rmdir()
    kept.parent.write_text("no folder")
    assert again(folder) == {"a.yaml": {"one": 1}}


def test_who_has_no_home_reads_the_pages(folder, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)

    assert again(folder) == {"a.yaml": {"one": 1}}


def homeless():
    raise RuntimeError


def test_a_spec_is_named_by_the_sha256_of_its_pages(spec):
    assert re.fullmatch("[0-9a-f]{64}", spec.sha256)
    assert spec.sha256 == digest()


def test_the_pages_are_the_resources_and_what_they_share():
    resources = {name for edition in editions() for name in load(edition).resources}

    assert {SHARED, *resources} | {"safety"} == set(pages())


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("S4-001", ["S4-001"]),
        ("S4-009..011", ["S4-009", "S4-010", "S4-011"]),
        ("E01 E99..101", ["E01", "E99", "E100", "E101"]),
    ],
)
def test_a_span_names_every_id_between_its_ends(text, ids):
    assert list(span(text)) == ids


@pytest.mark.parametrize("text", ["..5", "E-", "S4-x"])
def test_a_span_begins_with_an_id(text):
    with pytest.raises(ValueError, match="an id like S4-001"):
        list(span(text))


def test_every_operation_knows_its_refusals(spec):
    for operation in spec.operations.values():
        if not operation.capability:
            assert operation.refusals["missing-key"].status == 401
        assert set(operation.refusals) <= set(spec.refusals)


def test_an_operation_that_streams_says_how(spec):
    streamed = {op.id: op.stream for op in spec.operations.values() if op.stream}

    assert set(streamed) == {
        "createCompletion",
        "createChatCompletion",
        "listFineTuneEvents",
    }
    assert {stream.terminator for stream in streamed.values()} == {"[DONE]"}


@pytest.mark.parametrize(
    ("id", "day", "named"),
    [
        ("gpt-4", date(2023, 3, 13), "gpt-4"),
        ("gpt-4", date(2023, 3, 14), "gpt-4-0314"),
        ("gpt-4", date(2023, 6, 27), "gpt-4-0613"),
        ("ada", date(2023, 6, 27), "ada"),
    ],
)
def test_an_alias_stands_for_the_snapshot_of_the_day(spec, id, day, named):
    assert spec.models[id].snapshot(day) == named


def test_a_model_accepts_what_the_live_api_does(spec):
    accepted = {id: spec.models[id].accepts for id in ("gpt-3.5-turbo", "gpt-4", "ada")}

    assert accepted == {"gpt-3.5-turbo": 4097, "gpt-4": 8192, "ada": 2049}


def test_an_endpoint_is_served_by_models_that_name_it(spec):
    assert [m.id for m in spec.served("embeddings")] == ["text-embedding-ada-002"]
    assert spec.served("nothing") == ()
