"""Hearing: our own speech is read back to the letter, other sound gets made-up words.

What was not spoken by `speech` has no words that this model could know. It gets
English ones that follow from the sound alone (and from prompt and temperature), at the
times where something is heard. Silence is heard as Whisper is known to hear it: as
thanks, with a high probability that nobody spoke.
"""

import hashlib
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from numpy.typing import NDArray

from reference_model.audio import LEVEL, Sound, listen
from reference_model.language import identified, name_of
from reference_model.sound import Message, message
from reference_model.speech import LEAD, TAIL
from reference_model.words import DEEDS, PEOPLE, PLACES, SIGHTS, TIMES

_QUIET = 0.003  # loudness below which nobody speaks: 50 dB under full scale
_PAUSE = 0.5  # seconds that part two segments of foreign sound
_LONGEST = 10.0  # seconds of a segment of foreign sound
_PACE = 2.5  # words a second
_WINDOW = 30  # seconds that Whisper hears at a time
_UNSURE = -1.0  # average log probability below which Whisper tries again, bolder
_SENTENCE = re.compile(
    r".{1,250}?(?:[.!?\u2026](?=\s)|[\u3002\uff01\uff1f]|\n+|\Z)|.{1,250}", re.DOTALL
)

Span = tuple[float, float, str]  # start and end in seconds, text
_Levels = NDArray[np.float64]


@dataclass(frozen=True)
class Segment:
    """A part of a transcript, with the fields that Whisper tells."""

    id: int
    seek: int  # the window it was heard in, in hundredths of a second
    start: float  # seconds
    end: float
    text: str
    temperature: float
    avg_logprob: float  # how clear it was: 0 is certain
    compression_ratio: float  # bytes of the text for each byte of it when compressed
    no_speech_prob: float  # the share of it that is quiet
    tokens: tuple[int, ...] = ()  # for the caller to fill


@dataclass(frozen=True)
class Transcript:
    """A recording in words. The texts of all segments, joined, are its text."""

    text: str
    language: str  # an English name, such as "english"
    duration: float  # seconds
    segments: tuple[Segment, ...]


def transcribe(
    data: bytes, *, language: str = "", prompt: str = "", temperature: float = 0.0
) -> Transcript:
    """What is said in a file; ``language`` is a code. ValueError: it is no sound."""
    sound = listen(data)
    heard = message(sound.start)
    if heard is None:
        seed = _seed(sound.levels, prompt, temperature)
        spans, sure = list(_made_up(sound, Random(seed))), 0.7
    else:
        spans, sure = list(_spoken(heard, sound.seconds)), heard.clarity
    segments = tuple(
        _segment(index, span, sound, sure, temperature)
        for index, span in enumerate(spans)
    )
    text = "".join(segment.text for segment in segments)
    told = name_of(language) if language else identified(text)
    return Transcript(text, told, sound.seconds, segments)


def translate(data: bytes, *, prompt: str = "", temperature: float = 0.0) -> Transcript:
    """As `transcribe`, in English: other languages become made-up English words."""
    heard = transcribe(data, prompt=prompt, temperature=temperature)
    if heard.language == "english":
        return heard
    segments = tuple(map(_translated, heard.segments))
    text = "".join(segment.text for segment in segments)
    return replace(heard, text=text, language="english", segments=segments)


def _translated(segment: Segment) -> Segment:
    """The same foreign words become the same English ones."""
    seed = _digest(segment.text.encode("utf-8", "surrogatepass"))
    text = _lead(segment.id) + _words(Random(seed), segment.end - segment.start)
    return replace(segment, text=text, compression_ratio=_ratio(text))


def _spoken(heard: Message, seconds: float) -> Iterator[Span]:
    """The sentences of our own speech; a voice gives each character the same time."""
    each = max(seconds - LEAD - TAIL, 0.0) / max(len(heard.text), 1)
    for match in _SENTENCE.finditer(heard.text):
        yield LEAD + match.start() * each, LEAD + match.end() * each, match[0]


def _made_up(sound: Sound, rng: Random) -> Iterator[Span]:
    parts = list(_sounding(sound.levels > _threshold(sound.levels)))
    if not parts:
        yield 0.0, sound.seconds, "Thank you."
    for index, (start, end) in enumerate(parts):
        end = min(end, sound.seconds)
        yield start, end, _lead(index) + _words(rng, end - start)


def _threshold(levels: _Levels) -> float:
    """A fifth of the loud parts, so that the hum of a room is not speech."""
    return max(_QUIET, float(np.quantile(levels, 0.9)) / 5)


def _sounding(loud: NDArray[np.bool_]) -> Iterator[tuple[float, float]]:
    """Stretches in seconds that no longer pause parts, cut where they grow too long."""
    places = np.flatnonzero(loud)
    gaps = np.flatnonzero(np.diff(places) > _PAUSE / LEVEL) + 1
    for run in np.split(places, gaps):
        size = round(_LONGEST / LEVEL)
        for begin in range(0, len(run), size):
            part = run[begin : begin + size]
            yield float(part[0] * LEVEL), float((part[-1] + 1) * LEVEL)


def _segment(
    index: int, span: Span, sound: Sound, sure: float, temperature: float
) -> Segment:
    start, end, text = span
    quiet = _quiet(sound.levels, start, end)
    logprob = math.log(max(sure * (1 - 0.9 * quiet), 0.01))
    return Segment(
        id=index,
        seek=int(start // _WINDOW) * _WINDOW * 100,
        start=round(start, 2),
        end=round(end, 2),
        text=text,
        temperature=temperature or (1.0 if logprob < _UNSURE else 0.0),
        avg_logprob=round(logprob, 6),
        compression_ratio=_ratio(text),
        no_speech_prob=round(quiet, 6),
    )


def _quiet(levels: _Levels, start: float, end: float) -> float:
    part = levels[int(start / LEVEL) : int(end / LEVEL) + 1]
    return float((part <= _QUIET).mean()) if len(part) else 1.0


def _ratio(text: str) -> float:
    plain = text.encode("utf-8", "surrogatepass")
    return round(len(plain) / len(zlib.compress(plain)), 6)


def _words(rng: Random, seconds: float) -> str:
    """About as many English words as fit, in whole phrases, ending in a stop."""
    text = ""
    while not text or len(text.split()) < seconds * _PACE - 1:
        text += f" {_phrase(rng)}" if text else _deed(rng)
    return f"{text}."


def _deed(rng: Random) -> str:
    verb, objects = rng.choice(DEEDS)
    return f"{rng.choice(PEOPLE)} {verb} {rng.choice(objects)}"


def _phrase(rng: Random) -> str:
    return rng.choice(
        (
            rng.choice(PLACES),
            rng.choice(TIMES),
            f"and {rng.choice(SIGHTS)}",
            f"while {_deed(rng)}",
        )
    )


def _lead(index: int) -> str:
    return " " if index else ""


def _seed(levels: _Levels, prompt: str, temperature: float) -> int:
    """The same for the same sound, and most often so for a copy in another format."""
    decibels = 20 * np.log10(np.maximum(levels, 1e-4))
    rough = np.rint(decibels / 6).astype(np.int8).tobytes()
    return _digest(rough + f"{temperature} {prompt}".encode("utf-8", "surrogatepass"))


def _digest(data: bytes) -> int:
    return int.from_bytes(hashlib.sha256(data).digest()[:8], "big")
