"""How the suite reads pictures."""

import base64
import struct
import zlib
from io import BytesIO

import httpx
import pytest
from PIL import Image

from conformance.forms import chunk, png
from conformance.pictures import (
    BASE64,
    changed,
    drawn,
    file,
    opened,
    scene,
    sized,
    unpacked,
)
from conformance.target import Target
from conformance.view import Absent
from conformance.wire import Tape
from spec import load

PNG = png(64, 64, "transparent")
HUGE = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0)
BOX = (10, 20, 30, 40)


def packed(kind):
    written = BytesIO()
    scene().save(written, kind)
    return written.getvalue()


def server(entry, pictures=b""):
    """A target whose images are told as ``entry``, and whose urls yield bytes."""

    def answered(request):
        if request.method == "GET":
            return httpx.Response(200, content=pictures)
        return httpx.Response(200, json={"created": 1, "data": [entry]})

    tape = Tape(httpx.MockTransport(answered))
    return Target("http://mock/v1", load(), tape=tape)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_whole_picture_is_opened(kind):
    assert sized(opened(packed(kind))) == "256x256"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>",
        PNG[:-60],
        PNG[:60] + b"\0" + PNG[61:],
        PNG[:8] + chunk(b"IHDR", HUGE) + chunk(b"IDAT", zlib.compress(b"0")),
        packed("JPEG"),
    ],
    ids=["empty", "page", "truncated", "altered", "huge", "jpeg"],
)
def test_what_is_no_whole_png_is_not_opened(data):
    with pytest.raises(ValueError, match="no whole picture"):
        opened(data, "PNG")


@pytest.mark.parametrize("text", ["data:image/png;base64,AAAA", "AAA", "é", None])
def test_what_is_no_base64_is_not_unpacked(text):
    with pytest.raises(ValueError, match="not base64"):
        unpacked(text)


def test_a_picture_is_read_however_it_is_told():
    entries = ({BASE64: base64.b64encode(PNG).decode()}, {"url": "http://mock/1.png"})

    for entry in entries:
        (picture,) = drawn(server(entry, PNG), "createImage")

        assert sized(picture) == "64x64"


@pytest.mark.parametrize(
    "entry", [{}, {BASE64: "???"}, {"url": "/1.png"}, {"url": "http://mock/1.png"}]
)
def test_a_picture_that_cannot_be_read_is_absent(entry):
    with pytest.raises(Absent):
        drawn(server(entry), "createImage")


def test_what_changed_is_told_apart_by_the_hole():
    before, after = scene(), scene()
    after.paste("white", (0, 0, 12, 25))

    outside, inside = changed(before, after, BOX)

    assert outside == (0, 0, 12, 25)
    assert inside == (0, 0, 2, 5)
    assert changed(before, before, BOX) == (None, None)


def test_another_size_is_not_compared():
    with pytest.raises(Absent, match="1x1"):
        changed(scene(), Image.new("RGB", (1, 1)), BOX)


def test_a_scene_is_sent_with_its_hole():
    sent = Image.open(BytesIO(file(scene(BOX))["data"]))

    hole = sent.getchannel("A").point(lambda alpha: 255 - alpha)
    assert (sent.mode, hole.getbbox()) == ("RGBA", BOX)
