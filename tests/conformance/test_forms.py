"""Forms, and files that fit a description."""

import io
import json
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.forms import Form, content
from mockserver.uploads import described


@pytest.mark.parametrize(
    "file",
    [
        {"format": "wav", "bytes": 32_044, "seconds": 1},
        {"format": "jsonl", "bytes": 60, "lines": 3, "faulty": 0},
        {"format": "jsonl", "bytes": 60, "lines": 3, "faulty": 2},
        {"format": "unknown", "bytes": 500},
    ],
)
def test_a_file_is_what_its_description_says(file):
    seen = described(io.BytesIO(content(file)), "a")

    expected = {key: v for key, v in file.items() if key not in ("bytes", "seconds")}
    if file.get("faulty"):
        expected["lines"] = file["faulty"]  # what comes after it is not read
    assert {key: seen[key] for key in expected} == expected


@given(st.integers(1, 40), st.sampled_from(["none", "opaque", "transparent"]))
def test_a_picture_has_its_size_in_pixels_and_in_bytes(side, alpha):
    file = {"format": "png", "width": side, "height": side, "alpha": alpha}

    data = content({**file, "bytes": 9000})

    assert len(data) == 9000
    assert data[16:24] == side.to_bytes(4) * 2


def test_a_recording_lasts_as_long_as_it_says():
    data = content({"format": "wav", "bytes": 0, "seconds": 1.5})

    with wave.open(io.BytesIO(data)) as sound:
        assert sound.getnframes() / sound.getframerate() == 1.5


def test_a_form_holds_texts_and_files():
    file = {
        "filename": "a.jsonl",
        "bytes": 9,
        "format": "jsonl",
        "lines": 1,
        "faulty": 0,
    }

    raw, form = Form({"n": 2, "file": file, "user": None, "ok": True}).encoded()

    assert form.startswith("multipart/form-data; boundary=")
    assert b'name="n"\r\n\r\n2\r\n' in raw
    assert b'name="ok"\r\n\r\ntrue\r\n' in raw
    assert b'name="file"; filename="a.jsonl"' in raw
    assert b"user" not in raw
    assert json.loads(raw.split(b"\r\n\r\n")[2].split(b"\r\n")[0])["prompt"]


def test_an_empty_form_is_still_a_form():
    assert Form({}).encoded()[1].startswith("multipart/form-data")
