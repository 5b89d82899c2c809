import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.forms import wav
from conformance.recording import recording
from conformance.sounds import BEGINS, begins, frames, seconds

FRAME = bytes.fromhex("fffb9064").ljust(417, b"\0")  # 128 kbit/s at 44,100 Hz
LENGTH = 1.18  # seconds of the recordings


def shipped(kind):
    return recording(kind)["data"]


@pytest.mark.parametrize("kind", ["mp3", "flac", "wav"])
def test_a_length_is_read_off_the_file(kind):
    assert seconds(shipped(kind)) == pytest.approx(LENGTH, abs=0.12)  # encoders pad


@given(st.floats(0.01, 3))
def test_a_wav_is_as_long_as_it_was_made(length):
    assert seconds(wav(length)) == pytest.approx(length, abs=0.001)


def test_frames_stand_between_tags():
    tag = b"ID3\x04\0\0\0\0\0\x05" + b"title"
    tail = b"TAG".ljust(128, b"\0")

    found = list(frames(tag + 3 * FRAME + tail))

    assert [frame.size for frame in found] == 3 * [len(FRAME)]
    assert found[0].seconds == pytest.approx(1152 / 44_100)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        FRAME + b"more",
        b"\xff\xfd\x90\x64",
        b"\xff\xfb\xf0\x64",
        b"ID3",
        b"ID3\x04\0\0\xff\xff\xff\xff",
        b"RIFF....WAVE",
        b"fLaC",
        b"fLaC\0\0\0\x22" + bytes(34),
    ],
)
def test_what_cannot_be_read_is_a_value_error(data):
    with pytest.raises(ValueError, match="expected"):
        seconds(data)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("mp3", shipped("mp3")),
        ("mp3", FRAME),
        ("opus", shipped("ogg")),
        ("flac", shipped("flac")),
        ("aac", bytes.fromhex("fff15c40013ffc00ff") + bytes.fromhex("fff1")),
    ],
    ids=["mp3 with a tag", "mp3", "opus", "flac", "aac"],
)
def test_a_file_begins_as_its_format_and_as_no_other(kind, data):
    assert [name for name in BEGINS if begins(data, name)] == [kind]


@given(st.binary(max_size=60), st.sampled_from(sorted(BEGINS)))
def test_any_bytes_begin_somehow(data, kind):
    assert begins(data, kind) in (True, False)
