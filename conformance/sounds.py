"""Strict readers of sound files: how they begin, and how long they last."""

import struct
import wave
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO

ID3 = 10  # bytes before a tag's own
TAIL = 128  # bytes of a tag that stands behind the last frame
RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000)}
RATES[0] = (11_025, 12_000, 8_000)
"""Samples a second by the version that a frame of MPEG sound names, 3 for MPEG-1."""
KILOBITS = {
    True: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Of layer III, for MPEG-1 and for the others; the first has the index 1."""


@dataclass(frozen=True)
class Frame:
    """One frame of an mp3."""

    size: int  # bytes
    samples: int
    rate: int

    @property
    def seconds(self) -> float:
        return self.samples / self.rate


def seconds(data: bytes) -> float:
    """How long a wav, a flac or an mp3 lasts. Raises ValueError for anything else."""
    if data[:4] == b"RIFF":
        return _wav(data)
    if data[:4] == b"fLaC":
        return _flac(data)
    return sum(frame.seconds for frame in frames(data))


def begins(data: bytes, kind: str) -> bool:
    """Whether a file begins as files of the format ``kind`` do."""
    try:
        return BEGINS[kind](data)
    except (IndexError, ValueError, struct.error):
        return False


def frames(data: bytes) -> Iterator[Frame]:
    """Every frame of an mp3, without its tags. Raises ValueError where one is none."""
    place = 0
    if data[:3] == b"ID3":
        place = ID3 + _syncsafe(data[6:10])
    end = len(data) - TAIL if data[-TAIL:][:3] == b"TAG" else len(data)
    if place >= end:
        raise ValueError("expected frames of an mp3, got none")
    while place < end:
        frame = _frame(data[place : place + 4])
        yield frame
        place += frame.size


def _frame(head: bytes) -> Frame:
    """What the four bytes before a frame of layer III tell."""
    bits = int.from_bytes(head, "big") if len(head) == 4 else 0
    version, layer = bits >> 19 & 3, bits >> 17 & 3
    speed, rate = bits >> 12 & 15, bits >> 10 & 3
    lawful = bits >> 21 == 0x7FF and layer == 1 and version != 1
    if not lawful or speed in (0, 15) or rate == 3:
        raise ValueError(f"expected a frame of an mp3, got {head!r}")
    first = version == 3
    hertz, padding = RATES[version][rate], bits >> 9 & 1
    samples = 1152 if first else 576
    size = samples // 8 * 1000 * KILOBITS[first][speed - 1] // hertz + padding
    return Frame(size, samples, hertz)


def _syncsafe(four: bytes) -> int:
    """A number of seven bits a byte, as tags have it."""
    if len(four) < 4 or max(four) > 127:
        raise ValueError(f"expected the size of a tag, got {four!r}")
    return sum(byte << 7 * place for place, byte in enumerate(reversed(four)))


def _wav(data: bytes) -> float:
    try:
        with wave.open(BytesIO(data)) as sound:
            return float(sound.getnframes() / sound.getframerate())
    except (wave.Error, EOFError) as fault:
        raise ValueError(f"expected a wav, got a broken one: {fault}") from fault


def _flac(data: bytes) -> float:
    """As the first block tells; a stream of unknown length tells none."""
    if len(data) < 42 or data[4] & 0x7F or data[5:8] != b"\0\0\x22":
        raise ValueError("expected a flac with its facts first")
    facts = int.from_bytes(data[18:26], "big")
    rate, samples = facts >> 44, facts & (1 << 36) - 1
    if not rate or not samples:
        raise ValueError("expected a flac that tells its length")
    return samples / rate


def _begins_mp3(data: bytes) -> bool:
    return next(frames(data)).size > 0


def _begins_opus(data: bytes) -> bool:
    """A page of Ogg whose first packet is the head of Opus."""
    return data[:5] == b"OggS\0" and data[27 + data[26] :][:8] == b"OpusHead"


def _begins_aac(data: bytes) -> bool:
    """A frame of ADTS behind which another begins, or nothing."""
    size = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
    rest = data[size : size + 2]
    return _adts(data[:2]) and size > 7 and (not rest or _adts(rest))


def _adts(two: bytes) -> bool:
    return two[0] == 0xFF and two[1] & 0xF6 == 0xF0


def _begins_flac(data: bytes) -> bool:
    return data[:4] == b"fLaC" and not data[4] & 0x7F and data[5:8] == b"\0\0\x22"


BEGINS: Mapping[str, Callable[[bytes], bool]] = {
    "mp3": _begins_mp3,
    "opus": _begins_opus,
    "aac": _begins_aac,
    "flac": _begins_flac,
}
