"""Recordings and speech over a loopback socket: what is spoken is written down."""

import io
import logging
import re
import struct
from random import Random

import av
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.recordings import FORMATS, SPEECH, Format, written
from conformance.recording import WORDS, recording, silence
from conformance.sounds import seconds
from mockserver.app import application, house
from mockserver.server import serving
from mockserver.uploads import SOUNDS, described
from reference_model import audio
from reference_model.speech import speak
from spec import load

KEY = {"authorization": "Bearer sk-test"}
WRITE, TRANSLATE = "transcriptions", "translations"
SAID = "The quick brown fox jumped over the lazy dog. Was it late? It was noon."
INVALID = "invalid_request_error"
LOG = "assay.mock"
RATES = (24_000, 44_100)  # samples a second


@pytest.fixture(scope="module")
def client(mind):
    rooms = house(load("2023-12"), mind=mind, seed=1)
    with (
        serving(application(rooms)) as url,
        httpx.Client(base_url=url, headers=KEY, timeout=60) as client,
    ):
        yield client


def ask(client, data, name="speech.wav", task=WRITE, **fields):
    parts = {"file": (name, data, "application/octet-stream")}
    form = {"model": "whisper-1", **fields}
    return client.post(f"/audio/{task}", data=form, files=parts)


def say(client, text, **fields):
    body = {"model": "tts-1", "voice": "alloy", "input": text, **fields}
    return client.post("/audio/speech", json=body)


def refusal(reply):
    error = reply.json()["error"]
    return reply.status_code, error["type"], error["param"], error["code"]


def clocks(body, point):
    """The times of subtitles in seconds, as they come."""
    found = re.findall(rf"(\d\d):(\d\d):(\d\d){point}(\d{{3}})", body)
    return [
        3600 * int(h) + 60 * int(m) + int(s) + int(t) / 1000 for h, m, s, t in found
    ]


def shipped():
    """Each shipped format, and the speech of the suite in it."""
    return [(kind, recording(kind)["data"]) for kind in FORMATS]


# There and back


@pytest.mark.parametrize("kind", ["mp3", "opus", "aac", "flac"])
def test_what_is_read_aloud_is_written_down(client, kind):
    spoken = say(client, SAID, response_format=kind)
    name = "speech.ogg" if kind == "opus" else f"speech.{kind}"

    reply = ask(client, spoken.content, name)

    assert spoken.headers["content-type"] == (
        "audio/mpeg" if kind == "mp3" else f"audio/{kind}"
    )
    if kind == "aac":  # which may be asked for and not be sent
        assert refusal(reply) == (400, INVALID, None, None)
    else:
        assert reply.json() == {"text": SAID}


@pytest.mark.parametrize("task", [WRITE, TRANSLATE])
@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_speech_is_heard_in_every_format(client, kind, task):
    data = written(speak(SAID, "nova", 1.5, "wav"), FORMATS[kind])

    reply = ask(client, data, f"speech.{kind}", task, response_format="verbose_json")

    assert reply.json()["text"] == SAID
    assert reply.json()["duration"] == pytest.approx(
        0.4 + len(SAID) / 15 / 1.5, abs=0.15
    )


@settings(max_examples=15, deadline=None)
@given(
    st.text(min_size=1, max_size=40),
    st.sampled_from(["alloy", "echo", "fable", "onyx", "nova", "shimmer"]),
    st.sampled_from([0.25, 1, 4]),
)
def test_any_text_goes_there_and_back(client, text, voice, speed):
    spoken = say(client, text, voice=voice, speed=speed)

    reply = ask(client, spoken.content, "speech.mp3")

    assert reply.json() == {"text": text}


@pytest.mark.parametrize("speed", [0.25, 1, 4])
def test_a_duration_is_that_of_the_file(client, speed):
    data = say(client, SAID, speed=speed, response_format="flac").content

    told = ask(client, data, "a.flac", response_format="verbose_json").json()

    assert told["duration"] == pytest.approx(seconds(data), abs=0.001)


def test_the_recordings_that_the_suite_ships_say_what_it_thinks():
    assert re.findall(r"\w+", SPEECH.lower()) == [*WORDS]
    for kind, data in shipped():
        told = described(io.BytesIO(data), f"speech.{kind}")

        assert told["format"] == kind
        assert len(data) < 15_000
        assert 1 <= audio.listen(data).seconds <= 2


# What is told


def test_a_verbose_answer_tells_all(client):
    data = recording("mp3")["data"]

    told = ask(client, data, "a.mp3", response_format="verbose_json").json()

    assert [*told] == ["task", "language", "duration", "segments", "text"]
    assert told["task"] == "transcribe"
    assert told["language"] == "english"
    assert [one["text"] for one in told["segments"]] == ["Hi there.", " Bye."]
    assert all(one["tokens"] for one in told["segments"])


@settings(max_examples=15, deadline=None)
@given(st.text("ab.?! \n\u3002-><&", max_size=40))
def test_subtitles_are_well_formed(client, text):
    data = speak(f"{text} So.", "alloy", 4, "wav")

    srt, vtt = (
        ask(client, data, response_format=shape).text for shape in ("srt", "vtt")
    )

    blocks = srt.removesuffix("\n\n").split("\n\n")
    assert [block.split("\n")[0] for block in blocks] == [
        str(number) for number in range(1, len(blocks) + 1)
    ]
    assert all(block.count("\n") == 2 for block in blocks)
    assert srt.count("-->") == vtt.count("-->") == len(blocks)
    assert clocks(srt, ",") == clocks(vtt, r"\.") == sorted(clocks(srt, ","))
    assert vtt.startswith("WEBVTT\n\n")
    assert not re.search(r"<|&(?!amp;|lt;|gt;)", vtt)


@pytest.mark.parametrize("task", [WRITE, TRANSLATE])
@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ("json", "application/json"),
        ("verbose_json", "application/json"),
        ("text", "text/plain; charset=utf-8"),
        ("srt", "text/plain; charset=utf-8"),
        ("vtt", "text/plain; charset=utf-8"),
    ],
)
def test_a_form_has_its_media_type(client, task, shape, kind):
    reply = ask(client, recording()["data"], task=task, response_format=shape)

    assert reply.headers["content-type"] == kind
    assert reply.headers["openai-model"] == "whisper-1"


def test_other_languages_are_named_and_translated(client):
    data = recording("mp3", "foreign")["data"]

    said = ask(client, data, "a.mp3", response_format="verbose_json").json()
    english = ask(client, data, "a.mp3", TRANSLATE).json()["text"]

    assert said["language"] == "russian"
    assert not said["text"].isascii()
    assert english.isascii()


def test_silence_is_doubted(client):
    data = silence(2.0)["data"]

    (segment,) = ask(client, data, response_format="verbose_json").json()["segments"]

    assert segment["avg_logprob"] < -1
    assert segment["temperature"] == 1
    assert segment["no_speech_prob"] == 1


def test_a_prompt_reaches_the_model(client):
    ask(client, recording()["data"], prompt="Zyntrix")

    seen = client.get("/_assay/counters").json()["prompt"]["tokens"]

    assert seen


# What is wrong


def no_traceback(caplog, reply):
    assert not [row for row in caplog.records if row.name == LOG]
    return refusal(reply) == (400, INVALID, None, None)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.sampled_from(sorted({mark for marks in SOUNDS.values() for mark in marks})),
    st.binary(max_size=200),
)
def test_a_beginning_alone_is_no_sound(client, caplog, mark, rest):
    with caplog.at_level(logging.INFO, LOG):
        reply = ask(client, mark + rest)

    assert reply.status_code == 200 or no_traceback(caplog, reply)


@pytest.mark.parametrize("kind", sorted(FORMATS))
@pytest.mark.parametrize("share", [0.002, 0.02, 0.2, 0.8])
def test_a_cut_file_is_heard_or_refused(client, caplog, kind, share):
    data = recording(kind)["data"]

    reply = ask(client, data[: int(len(data) * share)], f"a.{kind}")

    assert reply.status_code == 200 or no_traceback(caplog, reply)


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_a_damaged_file_is_heard_or_refused(client, caplog, kind):
    chance, data = Random(kind), bytearray(recording(kind)["data"])
    for _ in range(len(data) // 50):
        data[chance.randrange(12, len(data))] = chance.randrange(256)

    reply = ask(client, bytes(data), f"a.{kind}")

    assert reply.status_code == 200 or no_traceback(caplog, reply)


def test_the_wrong_file_is_told_from_a_broken_one(client):
    text = ask(client, b"no sound at all", "notes.txt")
    broken = ask(client, b"fLaC" + bytes(100), "a.flac")
    mute = ask(client, muted(), "video.mp4")

    assert "Supported formats" in text.json()["error"]["message"]
    assert "could not be decoded" in broken.json()["error"]["message"]
    assert "could not be decoded" in mute.json()["error"]["message"]


def muted():
    """A film without sound."""
    told = io.BytesIO()
    with av.open(told, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", 24)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        output.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
        output.mux(stream.encode(None))
    return told.getvalue()


def test_half_a_surrogate_pair_in_a_sound_can_be_told(client):
    data = speak("a\ud800b", "alloy", 1, "wav")

    replies = [
        ask(client, data, response_format=shape)
        for shape in ("json", "text", "srt", "vtt", "verbose_json")
    ]

    assert [reply.status_code for reply in replies] == [200] * 5
    assert replies[0].json() == {"text": "a?b"}


def pcm(kind, channels, bits, samples):
    """A wav of samples of any kind: 1 are whole numbers, 3 are floats."""
    each, rate = channels * bits // 8, 16_000
    form = struct.pack("<HHIIHH", kind, channels, rate, rate * each, each, bits)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form
    chunks += b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def test_floats_that_are_no_numbers_are_survived(client):
    samples = struct.pack("<4f", float("nan"), float("inf"), -1e38, 1) * 4000

    reply = ask(client, pcm(3, 1, 32, samples), response_format="verbose_json")

    assert reply.status_code == 200
    assert reply.json()["duration"] == pytest.approx(1)


@pytest.mark.parametrize("channels", [0, 2, 9, 64, 65_535])
def test_any_number_of_channels_is_heard_or_refused(client, caplog, channels):
    reply = ask(client, pcm(1, channels, 8, b"\x90" * 65_535))

    assert reply.status_code == 200 or no_traceback(caplog, reply)


def test_a_sound_that_changes_its_rate_is_heard_to_its_end(client):
    parts = [
        written(silence(1.0)["data"], Format("mp3", "libmp3lame", r)) for r in RATES
    ]

    reply = ask(client, b"".join(parts), "a.mp3", response_format="verbose_json")

    assert reply.json()["duration"] == pytest.approx(2, abs=0.3)


def test_a_file_of_25_mb_is_the_largest(client):
    data = recording()["data"].ljust(26_214_400, b"\x80")

    largest, larger = ask(client, data), ask(client, data + b"\x80")

    assert largest.status_code == 200
    assert refusal(larger) == (413, "server_error", None, None)


@pytest.mark.parametrize("language", ["de", "zu", "la"])
def test_a_language_is_a_code(client, language):
    assert ask(client, recording()["data"], language=language).status_code == 200


@pytest.mark.parametrize("language", ["xx", "eng", "english", "EN", "en-US", ""])
def test_a_language_that_is_no_code_is_refused(client, language):
    reply = ask(client, recording()["data"], language=language)

    assert refusal(reply)[:2] == (400, INVALID)
    assert "ISO-639-1" in reply.json()["error"]["message"]


def test_the_older_edition_takes_seven_formats(mind):
    rooms = house(load("2023-04"), mind=mind, seed=1)

    with (
        serving(application(rooms)) as url,
        httpx.Client(base_url=url, headers=KEY, timeout=60) as client,
    ):
        found = {
            kind: ask(client, data, f"a.{kind}").status_code for kind, data in shipped()
        }
        speech = say(client, SAID).status_code

    assert {kind for kind, status in found.items() if status == 400} == {"flac", "ogg"}
    assert speech == 404


def test_what_a_beginning_tells_is_read_as_that():
    for marks in SOUNDS.values():
        for mark in marks:
            with pytest.raises(audio.Broken):
                audio.listen(mark + bytes(20))
