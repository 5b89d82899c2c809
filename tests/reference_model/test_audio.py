import io
import random
import re
import subprocess
import sys
from contextlib import suppress
from functools import cache

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_model import audio, sound
from reference_model.hearing import transcribe, translate
from reference_model.language import identified, name_of
from reference_model.speech import VOICES, seconds, speak
from reference_model.subtitles import srt, vtt

FOX = "The quick brown fox jumped over the lazy dog. Was it late? It was noon."


def noise(length, *, loud=0.1, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(0, loud, round(length * audio.RATE)).astype(np.float32)


def recorded(container, codec, rate, layout, bit_rate=None, text=FOX, speed=1):
    """Our speech, written by another program into another kind of file."""
    file = io.BytesIO()
    with (
        av.open(io.BytesIO(speech("wav", text=text, speed=speed))) as source,
        av.open(file, "w", format=container) as output,
    ):
        stream = output.add_stream(codec, rate, layout=layout)
        if bit_rate:
            stream.codec_context.bit_rate = bit_rate
        resampler = av.AudioResampler(stream.codec_context.format, layout, rate)
        for frame in [*source.decode(audio=0), None]:
            for part in resampler.resample(frame):
                output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return file.getvalue()


@cache
def speech(kind, *, text=FOX, voice="alloy", speed=1.0):
    return speak(text, voice, speed, kind)


# Our own speech


@settings(max_examples=60)
@given(
    st.text(max_size=60),
    st.sampled_from(audio.FORMATS),
    st.sampled_from(sorted(VOICES)),
    st.sampled_from([0.25, 1.0, 1.7, 4.0]),
)
def test_what_was_said_is_heard(text, kind, voice, speed):
    heard = transcribe(speak(text, voice, speed, kind))

    assert heard.text == text
    assert heard.duration == pytest.approx(seconds(text, speed), abs=0.1)


@pytest.mark.parametrize("kind", audio.FORMATS)
def test_the_same_words_are_the_same_bytes(kind):
    assert speak(FOX, "fable", 2, kind) == speak(FOX, "fable", 2, kind)


@pytest.mark.parametrize("kind", ["mp3", "opus"])
def test_the_longest_text_is_heard_at_the_highest_speed(kind):
    rng = random.Random(kind)
    text = "".join(chr(rng.randrange(0x10000, 0x20000)) for _ in range(4_096))

    assert transcribe(speak(text, "nova", 4.0, kind)).text == text


@pytest.mark.parametrize(
    ("container", "codec", "rate", "layout", "bit_rate", "kind"),
    [
        ("webm", "libopus", 48_000, "stereo", 64_000, "webm"),
        ("webm", "libopus", 48_000, "mono", 32_000, "webm"),
        ("mp4", "aac", 44_100, "stereo", 128_000, "mp4"),
        ("ipod", "aac", 44_100, "mono", 64_000, "m4a"),
        ("mpeg", "mp2", 44_100, "stereo", 192_000, "mpeg"),
        ("mp2", "mp2", 44_100, "mono", 96_000, "mpga"),
        ("mp3", "libmp3lame", 44_100, "stereo", 128_000, "mp3"),
        ("mp3", "libmp3lame", 16_000, "mono", 48_000, "mp3"),
        ("wav", "pcm_s16le", 16_000, "mono", None, "wav"),
        ("wav", "pcm_u8", 22_050, "mono", None, "wav"),
        ("flac", "flac", 48_000, "stereo", None, "flac"),
        ("ogg", "libopus", 24_000, "mono", 48_000, "ogg"),
    ],
)
def test_speech_is_heard_in_every_format(
    container, codec, rate, layout, bit_rate, kind
):
    data = recorded(container, codec, rate, layout, bit_rate)

    heard = transcribe(data)

    assert heard.text == FOX
    assert heard.duration == pytest.approx(seconds(FOX, 1), abs=0.1)
    assert audio.describe(data)["format"] == kind
    assert audio.describe(data)["seconds"] == pytest.approx(seconds(FOX, 1), abs=0.1)


def test_speech_is_heard_though_its_beginning_is_cut_off():
    wave = audio.listen(speech("wav", speed=0.5)).start

    heard = transcribe(audio.encode([wave[30_000:]], "mp3"))

    assert heard.text == FOX


def test_speech_is_heard_under_noise_and_half_as_loud():
    wave = audio.listen(speech("wav")).start
    noisy = 0.5 * wave + noise(len(wave) / audio.RATE, loud=0.01)[: len(wave)]

    assert transcribe(audio.encode([noisy], "mp3")).text == FOX


@pytest.mark.parametrize(
    ("kind", "starts"),
    [
        ("mp3", (b"ID3", b"\xff\xf3", b"\xff\xfb")),
        ("opus", (b"OggS",)),
        ("aac", (b"\xff\xf1",)),
        ("flac", (b"fLaC",)),
        ("wav", (b"RIFF",)),
    ],
)
def test_a_file_begins_as_its_format_does(kind, starts):
    assert speech(kind).startswith(starts)


def test_fifteen_characters_take_a_second():
    long, longer = "word " * 30, "word " * 60

    assert seconds(longer, 1) - seconds(long, 1) == pytest.approx(10)
    assert seconds(longer, 4) - seconds(long, 4) == pytest.approx(2.5)


@given(st.text(max_size=200))
def test_faster_speech_is_shorter(text):
    assert seconds(text + "!", 4) < seconds(text + "!", 1) < seconds(text + "!", 0.25)


def test_voices_have_their_pitch():
    for name, voice in VOICES.items():
        wave = audio.listen(speech("wav", text="aaaaaaaaaaaaaaa", voice=name)).start
        part = wave[6_000:18_000].astype(float)
        echoes = np.fft.irfft(np.abs(np.fft.rfft(part, 32_768)) ** 2)
        lags = np.arange(60, 400)  # samples: 60 to 400 Hz

        found = audio.RATE / lags[echoes[60:400].argmax()]

        assert (
            min(
                abs(12 * np.log2(found / voice.pitch) - note)
                for note in (-5, -3, 0, 2, 4)
            )
            < 1
        )


def test_a_text_too_long_for_its_heading_is_refused():
    rng = random.Random(1)

    with pytest.raises(ValueError, match="65,535"):
        sound.seconds(
            "".join(chr(rng.randrange(0x10000, 0x20000)) for _ in "x" * 50_000)
        )


# Other sound


def test_segments_lie_where_something_sounds():
    wave = np.concatenate([noise(2, loud=0), noise(3), noise(2, loud=0), noise(14)])

    heard = transcribe(audio.encode([wave], "flac"))

    times = [(segment.start, segment.end) for segment in heard.segments]
    assert times == [(2, 5), (7, 17), (17, 21)]
    assert heard.duration == pytest.approx(21)
    assert heard.language == "english"
    assert heard.text == "".join(segment.text for segment in heard.segments)


def test_the_same_sound_has_the_same_words():
    wave = noise(4)

    texts = {transcribe(audio.encode([wave], kind)).text for kind in ("wav", "flac")}

    assert len(texts) == 1


def test_words_follow_from_sound_prompt_and_temperature():
    one, other = (
        audio.encode(
            [noise(4) * np.linspace(first, 1, 96_000, dtype=np.float32)], "wav"
        )
        for first in (0.2, 1)
    )

    texts = {
        transcribe(one).text,
        transcribe(other).text,
        transcribe(one, prompt="Zyntrix").text,
        transcribe(one, temperature=0.5).text,
    }

    assert len(texts) == 4


def test_a_long_sound_has_many_words():
    words = transcribe(audio.encode([noise(20)], "wav")).text.split()

    assert 30 < len(words) < 70


def test_silence_is_thanked_and_doubted():
    heard = transcribe(audio.encode([noise(3, loud=0)], "wav"))

    (segment,) = heard.segments
    assert segment.text == "Thank you."
    assert segment.no_speech_prob == 1
    assert segment.avg_logprob < -1
    assert segment.temperature > 0


def test_speech_is_surer_than_a_guess():
    said = transcribe(speech("mp3")).segments[0]
    guessed = transcribe(audio.encode([noise(3)], "mp3")).segments[0]

    assert guessed.avg_logprob < said.avg_logprob <= 0
    assert said.no_speech_prob < 0.5


# Files that are none


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"#EXTM3U\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"RIFF\x24\x00\x00\x00WAVE",
        b"RIFF1234WAVEgarbage",
        b"ID3" + bytes(500),
        b"\xff\xfb" + bytes(1_000),
        b"fLaC" + bytes(100),
        b"OggS" + bytes(100),
        bytes(4) + b"ftypM4A " + bytes(200),
        b"\x1a\x45\xdf\xa3" + bytes(50),
        b"\x00\x00\x01\xba" + bytes(3_000),
        audio.encode([], "wav"),
    ],
    ids=lambda data: repr(data[:8]),
)
def test_what_is_no_sound_is_refused(data):
    for reader in (transcribe, translate, audio.describe):
        with pytest.raises(ValueError, match=r"^expected "):
            reader(data)


def test_a_rate_that_no_recorder_has_is_refused():
    data = bytearray(audio.encode([noise(1)], "wav"))
    data[24:28] = (1).to_bytes(4, "little")

    with pytest.raises(ValueError, match=r"^expected "):
        transcribe(bytes(data))


@settings(max_examples=120)
@given(st.data())
def test_a_broken_file_is_heard_or_refused(data):
    kind = data.draw(st.sampled_from(audio.FORMATS))
    broken = bytearray(speech(kind, text="Hi there", speed=4.0))
    places = st.integers(0, 200) | st.integers(0, len(broken) - 1)
    for place, value in data.draw(st.dictionaries(places, st.integers(0, 255))).items():
        broken[place] = value
    cut = data.draw(st.integers(0, len(broken)))

    with suppress(ValueError):
        assert transcribe(bytes(broken[:cut])).duration > 0


def test_numbers_that_are_none_are_silence():
    file = io.BytesIO()
    with av.open(file, "w", format="wav") as output:
        stream = output.add_stream("pcm_f32le", 24_000, layout="mono")
        samples = np.full((1, 48_000), np.nan, np.float32)
        samples[0, ::2] = np.inf
        frame = av.AudioFrame.from_ndarray(samples, "flt", "mono")
        frame.sample_rate = 24_000
        output.mux([*stream.encode(frame), *stream.encode(None)])

    assert transcribe(file.getvalue()).duration == pytest.approx(2)


@pytest.mark.parametrize("kind", audio.FORMATS)
def test_what_lies_beyond_the_first_hour_is_counted(kind, monkeypatch):
    monkeypatch.setattr(audio, "DECODED", 2.0)

    heard = transcribe(audio.encode([noise(1)] * 9, kind))

    assert heard.duration == pytest.approx(9, abs=0.1)
    assert heard.segments[-1].end < 4


# Segments, subtitles, languages


@settings(max_examples=40)
@given(st.text(alphabet="ab .!?\n\u3002", max_size=400))
def test_segments_part_a_text(text):
    heard = transcribe(speak(text, "onyx", 4.0, "wav"))

    assert "".join(segment.text for segment in heard.segments) == text
    ends = [0.0, *(segment.end for segment in heard.segments)]
    starts = [*(segment.start for segment in heard.segments), heard.duration]
    assert all(end <= start for end, start in zip(ends, starts, strict=True))
    assert [segment.id for segment in heard.segments] == [*range(len(heard.segments))]


def test_sentences_are_segments():
    texts = [segment.text for segment in transcribe(speech("mp3")).segments]

    assert texts == [
        "The quick brown fox jumped over the lazy dog.",
        " Was it late?",
        " It was noon.",
    ]


def test_seek_counts_windows_of_thirty_seconds():
    heard = transcribe(audio.encode([noise(65)], "wav"))

    assert {segment.seek for segment in heard.segments} == {0, 3_000, 6_000}


TIME = r"\d\d:[0-5]\d:[0-5]\d"


def test_subrip_is_numbered_blocks():
    blocks = srt(transcribe(speech("mp3")).segments).rstrip("\n").split("\n\n")

    assert len(blocks) == 3
    for number, block in enumerate(blocks, 1):
        assert re.fullmatch(rf"{number}\n{TIME},\d{{3}} --> {TIME},\d{{3}}\n.+", block)


def test_webvtt_begins_with_its_name():
    name, *blocks = vtt(transcribe(speech("mp3")).segments).rstrip("\n").split("\n\n")

    assert name == "WEBVTT"
    assert len(blocks) == 3
    for block in blocks:
        assert re.fullmatch(rf"{TIME}\.\d{{3}} --> {TIME}\.\d{{3}}\n.+", block)


@pytest.mark.parametrize("write", [srt, vtt])
def test_a_text_cannot_end_its_block_or_fake_a_time(write):
    spoken = speak("one\n\n00:00 --> 00:01 <b>two & three</b>", "echo", 1, "wav")

    written = write(transcribe(spoken).segments)

    assert written.count("-->") == len(transcribe(spoken).segments)
    assert write is srt or "<b>" not in written


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (FOX, "english"),
        ("", "english"),
        ("12 + 4", "english"),
        ("Der Hund ist nicht auf der Wiese.", "german"),
        ("Elle est dans la maison et je ne sais pas.", "french"),
        ("El perro no es de la casa.", "spanish"),
        ("\u041f\u0440\u0438\u0432\u0435\u0442", "russian"),
        ("\u4eca\u5929\u5929\u6c14\u5f88\u597d", "chinese"),
        ("\u4eca\u65e5\u306f\u6674\u308c", "japanese"),
    ],
)
def test_a_language_is_recognised(text, name):
    assert identified(text) == name


@pytest.mark.parametrize(("code", "name"), [("de", "german"), ("xx", "xx")])
def test_a_code_becomes_a_name(code, name):
    assert name_of(code) == name
    assert transcribe(speech("mp3"), language=code).language == name


def test_english_is_translated_to_itself():
    assert translate(speech("mp3")) == transcribe(speech("mp3"))


def test_another_language_is_translated_to_english():
    said = speech("mp3", text="Der Hund ist nicht auf der Wiese. Die Katze ist da.")

    first, second = transcribe(said), translate(said)

    assert second == translate(said)
    assert first.language == "german"
    assert second.language == identified(second.text) == "english"
    assert second.text.isascii()
    assert [part.start for part in second.segments] == [
        part.start for part in first.segments
    ]


def test_large_libraries_are_imported_when_needed():
    code = (
        "import sys, reference_model.hearing, reference_model.image;"
        "print({'av', 'PIL', 'torch', 'reedsolo'} & set(sys.modules))"
    )

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert told.stdout.strip() == "set()"
