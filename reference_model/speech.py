"""Speech: a voice that hums a text, with the text itself in a band of carriers above.

Nobody would take it for a human: each letter is a short tone, words follow a melody of
five notes, commas and stops are rests. A listener that knows `sound` reads it back.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from reference_model import audio, sound
from reference_model.sound import RATE, Wave

PACE = 15.0  # characters a second at speed 1
LEAD = 0.1  # seconds before the first character
TAIL = 0.3  # seconds after the last one
_STEP = 120  # samples between two settings of the voice
_TABLE = 4_096  # samples of one period
_CARRIERS = 0.016  # root mean square of what carries the text
_TOP = 2_800.0  # Hz; nothing of the voice is higher, so the carriers stay clear

_NOTES = (-5, -3, 0, 2, 4)  # semitones: a scale in which no two notes quarrel
_VOWELS = "ieaou"  # neighbours are neighbours in the mouth
_FORMANTS = ((280, 2250), (430, 2000), (740, 1350), (480, 900), (320, 800))  # Hz
_SILENT = frozenset(' \t\r\n.,;:!?-\u2026\u3001\u3002()[]"')

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Voice:
    """How a voice differs from the others."""

    pitch: float  # Hz
    size: float  # of the mouth: formants are multiplied by it
    softness: float  # decibels by which each octave is weaker
    tremble: float  # semitones of vibrato


VOICES = {
    "alloy": Voice(147, 1.00, 8, 0.15),
    "echo": Voice(110, 0.92, 9, 0.10),
    "fable": Voice(165, 1.08, 7, 0.35),
    "onyx": Voice(82, 0.85, 10, 0.08),
    "nova": Voice(208, 1.12, 8, 0.20),
    "shimmer": Voice(233, 1.20, 11, 0.30),
}


def speak(text: str, voice: str, speed: float = 1.0, kind: str = "mp3") -> bytes:
    """A file of one of `audio.FORMATS` in which ``text`` is read."""
    return audio.encode(_waves(text, VOICES[voice], speed), kind)


def seconds(text: str, speed: float) -> float:
    """How long ``text`` takes, which is longer where its carriers need the time."""
    return max(LEAD + len(text) / PACE / speed + TAIL, sound.seconds(text) + LEAD)


def _waves(text: str, voice: Voice, speed: float) -> Iterator[Wave]:
    """Pieces of a second, the voice and its carriers added up."""
    steps = -(-round(seconds(text, speed) * RATE) // _STEP)
    score = _score(text, voice, speed, steps + 1)
    under = sound.carriers(text, _CARRIERS)
    turn = 0.0
    for start in range(0, steps, RATE // _STEP):
        part = score[:, start : start + RATE // _STEP + 1]
        hum, turn = _hum(part, voice, turn)
        places = np.arange(start * _STEP, start * _STEP + len(hum)) % len(under)
        yield hum + under[places]


def _score(text: str, voice: Voice, speed: float, steps: int) -> _Floats:
    """Pitch in Hz, loudness and vowel (3, steps) of each setting of the voice."""
    signs = np.array([*_signs(text), (0.0, 0.0, 2.0)])  # the last stands for silence
    now = np.arange(steps) * (_STEP / RATE)
    index = np.floor((now - LEAD) * (PACE * speed)).astype(np.int64)
    index[(index < 0) | (index >= len(text))] = len(text)
    note, loudness, vowel = signs[index].T  # (steps,) each
    width = int(np.clip(0.5 / (PACE * speed) * RATE / _STEP, 4, 16))
    note, loudness, vowel = (_smooth(each, width) for each in (note, loudness, vowel))
    note = note + voice.tremble * np.sin(2 * np.pi * 5.2 * now)
    return np.stack([voice.pitch * 2 ** (note / 12), loudness, vowel])


def _signs(text: str) -> Iterator[tuple[float, float, float]]:
    """Note, loudness and vowel of each character; a word keeps to one or two notes."""
    note, vowel = 0, _VOWELS.index("a")
    for place, letter in enumerate(text):
        sign = letter.lower()[0]
        if sign in _SILENT:
            ahead = text[place : place + 4].encode(errors="replace")
            note = _NOTES[crc32(ahead, place) % len(_NOTES)]
            yield note, 0.0, vowel
        elif sign in _VOWELS:
            vowel = _VOWELS.index(sign)
            yield note, 1.0, vowel
        elif sign.isascii():
            yield note - 1, 0.5, vowel
        else:
            note, vowel = _NOTES[ord(sign) % 5], ord(sign) // 5 % 5
            yield note, 0.9, vowel


def _smooth(values: _Floats, width: int) -> _Floats:
    """Blurred over ``width`` steps to both sides."""
    bell = np.hanning(2 * width + 1)
    padded = np.pad(values, width, mode="edge")
    return np.convolve(padded, bell / bell.sum(), "valid")


def _hum(score: _Floats, voice: Voice, turn: float) -> tuple[Wave, float]:
    """Samples between the settings (3, steps + 1), and the turn that comes next."""
    pitch, loudness, vowel = (_between(row) for row in score)
    turns = turn + np.cumsum(pitch) / RATE
    place = (turns % 1 * _TABLE).astype(np.int64)
    row = np.minimum(vowel.astype(np.int64), len(_VOWELS) - 2)
    tables = _tables(voice)
    here, there = tables[row, place], tables[row + 1, place]
    wave = loudness * (here + (vowel - row) * (there - here))
    return wave.astype(np.float32), float(turns[-1] % 1)


def _between(values: _Floats) -> _Floats:
    """Straight lines: (steps + 1,) -> (steps * _STEP,)."""
    ramp = np.arange(_STEP) / _STEP
    return (values[:-1, None] + np.diff(values)[:, None] * ramp).ravel()


@cache
def _tables(voice: Voice) -> _Floats:
    """One period of each vowel (vowels, _TABLE), equally loud."""
    count = int(_TOP / (voice.pitch * 2 ** (5 / 12)))
    numbers = np.arange(1, count + 1)
    hertz = numbers * voice.pitch
    waves = np.sin(2 * np.pi * np.outer(np.arange(_TABLE) / _TABLE, numbers))
    rows = []
    for formants in _FORMANTS:
        peaks = sum(1 / (1 + ((hertz - f * voice.size) / 110) ** 2) for f in formants)
        strength = (0.08 + peaks) * 10 ** (-voice.softness / 20 * np.log2(numbers))
        rows.append(waves @ strength)
    table: _Floats = np.stack([0.13 * row / row.std() for row in rows])
    return table
