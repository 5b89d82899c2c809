"""Text under sound: a quiet band of carriers that says in bits what a voice reads.

Between 4 and 5.5 kHz lie 64 carriers, above the voice and far below it in strength.
Each turns by a quarter, a half or three quarters of a circle, or not at all, from one
symbol to the next: two bits. A round is a known symbol (where am I?), a heading (how
long, which sum?) and the text, compressed and with Reed-Solomon parity. Rounds repeat
for as long as the voice reads; the listener adds them up, so that slow speech survives
worse encoders than fast speech does.

Letters: S symbols, W windows tried, C carriers.
"""

import hashlib
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float32]  # one channel of RATE samples a second, -1 to 1
RATE = 24_000
HEARD = 120.0  # seconds that hold a whole round of any text that the API takes

_WINDOW = 1_024  # samples that one symbol is told by
_GUARD = 256  # samples by which a symbol repeats its own end, to forgive bad timing
_TAPER = 128  # samples of fading at both ends, which keep the voice out of the band
_SYMBOL = _WINDOW + _GUARD
_CARRIERS = 64
_LOWEST = 172  # the first carrier, in units of RATE / _WINDOW
_BYTES = _CARRIERS // 4  # in a symbol
_BLOCK = 255
_PARITY = 48  # bytes of a block, half of which may be wrong
_MAGIC = 0xA5
_HOP = 64  # samples between the places where a known symbol is looked for
_FOUND = 0.5  # likeness to the known symbol; noise reaches it once in 10 million

_Complex = NDArray[np.complex128]
_Numbers = NDArray[np.int64]
_TURNS: _Numbers = np.array([0, 1, 3, 2])  # Gray code: a small slip costs one bit


@dataclass(frozen=True)
class Message:
    """A text found in a sound, and how clear it was: from 0, barely, to 1."""

    text: str
    clarity: float


def seconds(text: str) -> float:
    """The time that one round of ``text`` takes."""
    return len(_turns(text)) * _SYMBOL / RATE


def carriers(text: str, strength: float) -> Wave:
    """One round, to be repeated; ``strength`` is its root mean square."""
    angles = _known_angles() + _turns(text).cumsum(axis=0)  # (S, C)
    bins = np.zeros((len(angles), _WINDOW // 2 + 1), np.complex128)
    bins[:, _LOWEST : _LOWEST + _CARRIERS] = np.exp(0.5j * np.pi * angles)
    symbols = np.fft.irfft(bins, _WINDOW)  # (S, window)
    wave = np.hstack([symbols[:, -_GUARD:], symbols]).ravel()
    scaled: Wave = (wave * (strength / wave.std())).astype(np.float32)
    return scaled


def message(wave: Wave) -> Message | None:
    """The text under a sound, or None if there is none or too little is left of it."""
    wave = np.pad(wave, _SYMBOL)  # an encoder may have moved all by a few samples
    start = _place(wave)
    if start is None:
        return None
    points = _points(wave[start % _SYMBOL :], _SYMBOL)
    turned = points[1:] * points[:-1].conj()
    marks = np.flatnonzero(_likeness(points[:-1]) > _FOUND).tolist()
    for turns in _rounds(turned, marks):
        with suppress(zlib.error, UnicodeDecodeError):
            text = _text(turns)
            if text is not None:
                return Message(text, _clarity(turns))
    return None


def _turns(text: str) -> _Numbers:
    """Quarter turns (S, C) of one round; those of the known symbol are none."""
    plain = text.encode("utf-8", "surrogatepass")
    packed = zlib.compress(plain, 9)
    body = min(packed, plain, key=len)
    if len(body) > 0xFFFF:
        raise ValueError(f"expected a text of at most 65,535 bytes, got {len(body)}")
    heading = bytes([_MAGIC, body is packed]) + len(body).to_bytes(2, "big")
    heading += zlib.crc32(body).to_bytes(4, "big")
    coded = _parity(heading, _BYTES // 2) + _shuffle(_parity(body, _PARITY))
    coded += bytes(-len(coded) % _BYTES)
    bits = np.frombuffer(_whiten(coded), np.uint8)[:, None] >> np.array([6, 4, 2, 0])
    turns = _TURNS[bits & 3].reshape(-1, _CARRIERS)
    return np.vstack([np.zeros((1, _CARRIERS), np.int64), turns])


def _text(turned: _Complex) -> str | None:
    """What the turns (S, C) of a round say, if the sum is right."""
    quarters = np.rint(np.angle(turned) / (np.pi / 2)).astype(np.int64) % 4
    pairs = _TURNS[quarters].reshape(-1, 4)
    data = _whiten((pairs @ np.array([64, 16, 4, 1])).astype(np.uint8).tobytes())
    heading = _repaired(data[:_BYTES], _BYTES // 2)
    if heading is None or heading[0] != _MAGIC:
        return None
    size = int.from_bytes(heading[2:4], "big")
    coded = data[_BYTES : _BYTES + size + -(-size // (_BLOCK - _PARITY)) * _PARITY]
    body = _repaired(_shuffle(coded, back=True), _PARITY)
    if body is None or zlib.crc32(body) != int.from_bytes(heading[4:], "big"):
        return None
    return _unpacked(body) if heading[1] else body.decode("utf-8", "surrogatepass")


def _unpacked(body: bytes) -> str:
    """A sound made to harm may unpack to more than any text that we speak."""
    plain = zlib.decompressobj().decompress(body, max_length=0x10000)
    return plain.decode("utf-8", "surrogatepass")


def _rounds(turned: _Complex, marks: list[int]) -> Iterator[_Complex]:
    """All rounds added up, then each of them alone."""
    steps = [after - before for before, after in pairwise(marks)]
    length = min((step for step in steps if step > 2), default=0)
    if length:
        total = np.zeros((length - 1, _CARRIERS), np.complex128)
        for mark in marks:
            part = turned[mark : mark + length - 1]
            total[: len(part)] += part / (np.abs(part).mean() + 1e-12)
        yield total
    for mark in marks:
        yield turned[mark:]


def _place(wave: Wave) -> int | None:
    """The sample where the clearest known symbol of the first stretch begins."""
    stretch = 10 * RATE
    for start in range(0, len(wave), stretch):
        piece = wave[start : start + stretch + _SYMBOL]
        likeness = _likeness(_points(piece, _HOP))
        if likeness.size and likeness.max() > _FOUND:
            return start + int(likeness.argmax()) * _HOP
    return None


def _points(wave: Wave, hop: int) -> _Complex:
    """The carriers (W, C) of windows that begin ``hop`` samples apart."""
    if len(wave) < _SYMBOL:
        return np.zeros((0, _CARRIERS), np.complex128)
    views = np.lib.stride_tricks.sliding_window_view(wave, _SYMBOL)[::hop]
    rise = np.sin(np.linspace(0, np.pi / 2, _TAPER)) ** 2
    first = (_GUARD - _TAPER) // 2  # half of the guard is left for bad timing
    windows = views[:, first : first + _WINDOW + _TAPER].astype(np.float64)
    windows[:, :_TAPER] *= rise
    windows[:, -_TAPER:] *= 1 - rise
    windows[:, _WINDOW:] += windows[:, :_TAPER]  # the two fades sum to one whole
    bins: _Complex = np.fft.rfft(windows[:, _TAPER:])
    return bins[:, _LOWEST : _LOWEST + _CARRIERS]


def _likeness(points: _Complex) -> NDArray[np.float64]:
    """How much each row of (W, C) is like the known symbol, at any small shift."""
    straight = points * np.exp(-0.5j * np.pi * _known_angles())
    sums = np.abs((straight[:, 1:] * straight[:, :-1].conj()).sum(axis=1))
    result: NDArray[np.float64] = sums / ((np.abs(points) ** 2).sum(axis=1) + 1e-12)
    return result


def _clarity(turned: _Complex) -> float:
    return max(0.0, float(np.cos(4 * np.angle(turned)).mean()))


def _parity(data: bytes, count: int) -> bytes:
    from reedsolo import RSCodec  # type: ignore[import-untyped]

    return bytes(RSCodec(count).encode(data))


def _repaired(coded: bytes, count: int) -> bytes | None:
    from reedsolo import ReedSolomonError, RSCodec

    try:
        return bytes(RSCodec(count).decode(coded)[0])
    except ReedSolomonError:
        return None


def _shuffle(data: bytes, *, back: bool = False) -> bytes:
    """First bytes of all blocks, then second bytes: a gap harms each block a little."""
    order = np.argsort(np.arange(len(data)) % _BLOCK, kind="stable")
    order = order.argsort() if back else order
    return np.frombuffer(data, np.uint8)[order].tobytes()


def _whiten(data: bytes) -> bytes:
    """Undoes itself; without it, a run of equal bytes would buzz."""
    noise = hashlib.shake_256(b"whiten").digest(len(data))
    return (np.frombuffer(data, np.uint8) ^ np.frombuffer(noise, np.uint8)).tobytes()


@cache
def _known_angles() -> _Numbers:
    """Quarter turns (C,) at which the known symbol sets out."""
    noise = hashlib.shake_256(b"known").digest(_CARRIERS)
    return np.frombuffer(noise, np.uint8).astype(np.int64) % 4
