"""Clients that are not ours drive the mock, and see what plain requests see."""

import base64
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bench.drivers import (
    CLIENTS,
    FIRST,
    NEWER,
    NOT_BUILT,
    OK,
    PLAIN,
    Client,
    Told,
    operation,
    serving,
    told,
    verdicts,
)
from bench.likeness import Likeness, differences
from bench.recordings import SPEECH
from mockserver.registry import built
from spec import load

RUNS = [(edition, client) for client in CLIENTS for edition in client.editions]
BOTH = pytest.mark.parametrize("served", [FIRST, NEWER], indirect=True)


@dataclass(frozen=True)
class Served:
    """A mock of an edition, and what plain requests see of it."""

    edition: str
    base_url: str
    plain: Told

    def seen(self, step: str) -> Any:
        return next(row["seen"] for name, row in self.plain.steps if name == step)


@pytest.fixture(scope="module")
def mocks() -> Iterator[Callable[[str], Served]]:
    """A mock for each edition, started when it is first asked for."""
    with ExitStack() as stack:
        yield cache(lambda edition: stack.enter_context(looked_at(edition)))


@contextmanager
def looked_at(edition: str) -> Iterator[Served]:
    with serving(edition) as base_url, tempfile.TemporaryDirectory() as room:
        yield Served(edition, base_url, told(PLAIN, base_url, edition, Path(room)))


@pytest.fixture
def served(request: pytest.FixtureRequest, mocks: Callable[[str], Served]) -> Served:
    return mocks(request.param)


@pytest.mark.parametrize(
    ("served", "client"),
    RUNS,
    indirect=["served"],
    ids=[f"{client.name}-{edition}" for edition, client in RUNS],
)
def test_a_client_sees_what_a_plain_request_sees(
    served: Served, client: Client, tmp_path: Path
) -> None:
    if client.absent:
        pytest.skip(f"there is no {client.program} on this machine")

    saw = told(client, served.base_url, served.edition, tmp_path)

    found = list(verdicts(client, saw, served.plain, served.edition))
    assert [row for row in found if row[1] not in (OK, NOT_BUILT)] == []
    if served.edition == FIRST:
        spec = load(served.edition)
        wanted = {op.id for op in spec.operations.values() if not op.capability}
        assert {operation(step) for step, _ in found} >= wanted & built(spec)


# What plain requests must see


@BOTH
def test_only_what_is_not_built_is_refused(served: Served) -> None:
    lacking = load(served.edition).operations.keys() - built(load(served.edition))
    refused = {step for step, row in served.plain.steps if "fault" in row}

    assert {operation(step) for step in refused} <= lacking


@BOTH
def test_what_is_made_is_there_until_it_is_deleted(served: Served) -> None:
    seen = served.seen
    sent = base64.b64decode(seen("downloadFile"))
    file = seen("createFile")

    assert sent.startswith(b'{"prompt": ')
    assert (file["bytes"], file["filename"]) == (len(sent), "mydata.jsonl")
    assert [one["id"] for one in seen("listFiles")["data"]] == [file["id"]]
    assert seen("retrieveFile")["id"] == seen("deleteFile")["id"] == file["id"]
    assert seen("deleteFile")["deleted"] is seen("deleteModel")["deleted"] is True
    for step in ("deleteFile again", "deleteModel again"):
        assert seen(step)[1] == 404


@BOTH
def test_a_stream_tells_the_same_text(served: Served) -> None:
    (whole,) = served.seen("createCompletion")["choices"]
    chunks = served.seen("createCompletion streamed")

    choices = [choice for chunk in chunks for choice in chunk["choices"]]

    for index in (0, 1):
        texts = (one["text"] for one in choices if one["index"] == index)
        assert "".join(texts) == whole["text"]


@BOTH
def test_a_stream_of_events_tells_what_is_listed(served: Served) -> None:
    seen = served.seen

    for step, status in (
        ("createFineTune", "pending"),
        ("cancelFineTune", "cancelled"),
        ("retrieveFineTune", "cancelled"),
    ):
        assert seen(step)["status"] == status
    events = seen("listFineTuneEvents")["data"]
    assert seen("listFineTuneEvents streamed") == events != []


@BOTH
def test_texts_pictures_and_sounds_are_what_was_asked(served: Served) -> None:
    seen = served.seen

    several = seen("createCompletion several")["choices"]
    assert [choice["index"] for choice in several] == [0, 1, 2, 3]
    assert (
        seen("createEmbedding texts")["data"][0] == seen("createEmbedding")["data"][0]
    )
    for choice in seen("createEdit")["choices"]:
        assert choice["text"] == "What day of the week is it?"
    assert seen("createModeration")["results"][0]["flagged"]
    assert seen("createTranscription")["text"] == SPEECH
    assert seen("createTranscription srt").startswith("1\n00:00:00,100 --> ")
    assert seen("createTranslation")["text"].isascii()
    drawn = [picture["b64_json"] for picture in seen("createImage")["data"]]
    assert seen("createImage url") == drawn[0] != drawn[1]
    for picture in drawn:
        assert Image.open(BytesIO(base64.b64decode(picture))).size == (256, 256)


@BOTH
def test_each_refusal_has_its_status(served: Served) -> None:
    names = ("unknown model", "no input", "limited", "server-fault", "overloaded")
    statuses = [served.seen(f"createEmbedding {name}")[1] for name in names]

    assert statuses == [404, 400, 429, 500, 503]
    assert served.seen("createEmbedding no-organization")[1] == 401


# How answers are compared


@settings(max_examples=25)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_an_answer_does_not_differ_from_itself(answer: Any) -> None:
    assert list(differences(answer, answer)) == []


@pytest.mark.parametrize(
    ("expected", "seen", "place"),
    [
        ({"a": 1}, {"a": 2}, ".a"),
        ({"a": [1, 2]}, {"a": [1]}, ".a"),
        ({"a": [1, {"b": None}]}, {"a": [1, {}]}, ".a[1].b"),
        ({}, {"a": 1}, ".a"),
        ("a", ["a"], "the answer"),
    ],
)
def test_a_difference_tells_its_place(expected: Any, seen: Any, place: str) -> None:
    (found,) = differences(expected, seen)

    assert re.match(rf"{re.escape(place)} (is|has) ", found)


def test_an_id_is_the_same_only_where_it_came_from_the_same_step() -> None:
    one, other = Likeness(), Likeness()

    made = one.of("make", {"id": "file-abc123", "created_at": 1})
    told = other.of("make", {"id": "file-def456", "created_at": 2})

    assert made == told
    assert one.of("get", "has file-abc123") == other.of("get", "has file-def456")
    assert one.of("get", ["file-abc123"]) != other.of("get", ["file-ghi789"])
