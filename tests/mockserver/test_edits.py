"""A text is changed as an instruction says."""

import pytest
from asking import Mock

from mockserver.app import house
from spec import load


@pytest.fixture
def newer(mind):
    return Mock(house(load("2023-12"), mind=mind, seed=1))


def edit(mock, **changes):
    answer = mock.sample("createEdit", **changes)
    assert answer.status == 200
    return answer.json


def test_the_documented_example_is_answered_as_documented(mock):
    body = edit(mock)

    assert body["object"] == "edit"
    assert body["choices"] == [{"text": "What day of the week is it?", "index": 0}]


def test_the_newer_edition_says_why_a_text_ended(newer):
    (choice,) = edit(newer)["choices"]

    assert choice["finish_reason"] == "stop"


def test_choices_differ_at_a_temperature_and_count_together(mock):
    body = edit(mock, instruction="Tell a story", input="", n=5, temperature=2)
    usage = body["usage"]

    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2, 3, 4]
    assert len({choice["text"] for choice in body["choices"]}) > 1
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_a_text_beyond_the_context_is_refused(mock):
    answer = mock.sample("createEdit", input="word " * 3000)

    assert answer.error == (400, "invalid_request_error", None, None)
    assert "2049 tokens" in answer.json["error"]["message"]


def test_an_edit_ends_however_wild_it_is(mock):
    """Its room is bounded by what it was made from."""
    body = edit(mock, temperature=2, n=3)

    assert body["usage"]["completion_tokens"] <= 3 * (
        2 * body["usage"]["prompt_tokens"] + 64
    )


def test_the_blocklist_holds_for_edits(mock):
    mock.ask("controlPolicy", {"blocked": ["week"]})

    (choice,) = edit(mock)["choices"]

    assert "week" not in choice["text"]
