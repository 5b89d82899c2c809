"""Sound files: waves to the bytes of a format, and bytes of any format to waves."""

import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, groupby
from typing import TYPE_CHECKING, TypedDict, cast

import numpy as np
from numpy.typing import NDArray

from reference_model.sound import HEARD, RATE, Wave

if TYPE_CHECKING:
    from av import AudioFrame, AudioStream
    from av.container import InputContainer

LEVEL = 0.1  # seconds that one level of loudness stands for
DECODED = 3_600.0  # seconds; what comes after them is counted and not decoded
_SLOWEST, _FASTEST = 4_000, 192_000  # samples a second

_ENCODERS = {  # format: container, codec, bits a second, options
    "mp3": ("mp3", "libmp3lame", 96_000, {"compression_level": "7"}),
    "opus": ("ogg", "libopus", 64_000, {"compression_level": "5"}),
    "aac": ("adts", "aac", 96_000, {}),
    "flac": ("flac", "flac", 0, {}),
    "wav": ("wav", "pcm_s16le", 0, {}),
}
FORMATS = tuple(_ENCODERS)

# Naming the reader keeps FFmpeg from guessing: some of its formats are lists of other
# files, which it would then open.
_READERS = {
    "aac": "aac",
    "flac": "flac",
    "m4a": "mov",
    "mp3": "mp3",
    "mp4": "mov",
    "mpeg": "mpeg",
    "mpga": "mp3",
    "ogg": "ogg",
    "wav": "wav",
    "webm": "matroska",
}


class Facts(TypedDict):
    """What an upload is: one of the readable formats, and its length if it tells."""

    format: str
    seconds: float | None


class Broken(ValueError):  # noqa: N818  # what is wrong is the file
    """A file of a format that is known, from which no sound can be read."""


@dataclass(frozen=True)
class Sound:
    """A recording: its first two minutes, and how loud every tenth of a second is."""

    start: Wave
    levels: NDArray[np.float64]  # root mean squares, one for each LEVEL seconds
    seconds: float


def encode(waves: Iterable[Wave], kind: str) -> bytes:
    """A file of one of FORMATS, with one channel of RATE samples a second."""
    import av

    container, codec, rate, options = _ENCODERS[kind]
    file = io.BytesIO()
    exact = {"fflags": "+bitexact"}  # no random numbers and no dates in the file
    with av.open(file, "w", format=container, options=exact) as output:
        added = output.add_stream(codec, RATE, options, layout="mono")
        stream = cast("AudioStream", added)
        stream.codec_context.thread_count = 1
        if rate:
            stream.codec_context.bit_rate = rate
        resampler = av.AudioResampler(stream.codec_context.format, "mono", RATE)
        for frame in map(_frame, waves):
            for part in resampler.resample(frame):
                output.mux(stream.encode(part))
        for part in resampler.resample(None):
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return file.getvalue()


def describe(data: bytes) -> Facts:
    """The facts of an upload; a ValueError, often Broken, says why it is no sound."""
    with _opened(data) as container:
        stream = container.streams.audio[0]
        if next(_frames(container, stream), None) is None:
            raise Broken("expected sound, got a file that no sound is read from")
        length = container.duration
    return {"format": _kind(data), "seconds": length / 1_000_000 if length else None}


def listen(data: bytes) -> Sound:
    """A whole recording, frame by frame; ValueError as for `describe`."""
    start: list[Wave] = []
    levels = _Levels()
    with _opened(data) as container:
        clock = _Clock()
        kept = 0
        for wave in _waves(container, clock):
            levels.add(wave)
            if kept < HEARD * RATE:
                start.append(wave)
                kept += len(wave)
    if not kept:
        raise Broken("expected sound, got a file that no sound is read from")
    return Sound(np.concatenate(start), levels.whole(), round(clock.seconds, 6))


@dataclass
class _Clock:
    """Seconds that were decoded or counted."""

    seconds: float = 0.0


class _Levels:
    """Loudness, of waves that come in pieces of any length."""

    def __init__(self) -> None:
        self._rest: Wave = np.zeros(0, np.float32)
        self._done: list[NDArray[np.float64]] = []

    def add(self, wave: Wave) -> None:
        self._rest = np.concatenate([self._rest, wave])
        size = round(LEVEL * RATE)
        whole = len(self._rest) // size * size
        if whole:
            self._done.append(_loudness(self._rest[:whole].reshape(-1, size)))
            self._rest = self._rest[whole:]

    def whole(self) -> NDArray[np.float64]:
        if len(self._rest):
            self._done.append(_loudness(self._rest[None]))
        return np.concatenate(self._done)


def _loudness(windows: Wave) -> NDArray[np.float64]:
    """(n, samples) -> (n,)"""
    level: NDArray[np.float64] = np.sqrt((windows.astype(np.float64) ** 2).mean(axis=1))
    return level


def _frame(wave: Wave) -> "AudioFrame":
    import av

    samples = (wave.clip(-1, 1) * 32_767).astype(np.int16)[None]  # (1, samples)
    frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
    frame.sample_rate = RATE
    return frame


def _opened(data: bytes) -> "InputContainer":
    import av

    reader = _READERS.get(_kind(data))
    if reader is None:
        raise ValueError(f"expected one of {sorted(_READERS)}, got an unknown format")
    try:
        container = av.open(
            io.BytesIO(data),
            "r",
            format=reader,
            options={"protocol_whitelist": "none"},
            metadata_errors="replace",
        )
    except av.FFmpegError as error:
        raise Broken(f"expected {reader}, got a broken file") from error
    if not any(stream.codec_context for stream in container.streams.audio[:1]):
        container.close()
        raise Broken("expected sound, got a file without any that can be decoded")
    return container


def _waves(container: "InputContainer", clock: _Clock) -> Iterator[Wave]:
    """One channel of RATE samples a second."""
    stream = container.streams.audio[0]
    frames = _counted(_frames(container, stream), clock)
    for _, alike in groupby(frames, _shape):  # a damaged file changes its mind
        yield from _resampled(alike)
    clock.seconds += _rest(container, stream)


def _counted(frames: "Iterator[AudioFrame]", clock: _Clock) -> "Iterator[AudioFrame]":
    """What is to be decoded, while the clock runs."""
    for frame in frames:
        clock.seconds += frame.samples / frame.sample_rate
        yield frame
        if clock.seconds > DECODED:
            return


def _shape(frame: "AudioFrame") -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _resampled(frames: "Iterable[AudioFrame]") -> Iterator[Wave]:
    """Waves of frames that all have one shape."""
    import av

    resampler = av.AudioResampler("flt", "mono", RATE)
    with suppress(av.FFmpegError):  # a shape that one channel cannot be made of
        for frame in chain(frames, [None]):
            yield from map(_wave, resampler.resample(frame))


def _wave(frame: "AudioFrame") -> Wave:
    """A file of floats may hold infinities, and numbers that are none."""
    wave: Wave = np.nan_to_num(frame.to_ndarray()[0].astype(np.float32))
    return wave.clip(-1, 1)


def _frames(
    container: "InputContainer", stream: "AudioStream"
) -> "Iterator[AudioFrame]":
    """What can be decoded; as players do, skips what cannot."""
    import av

    stream.codec_context.thread_count = 1
    try:
        for packet in container.demux(stream):
            try:
                yield from filter(_lawful, stream.decode(packet))
            except av.FFmpegError:
                continue
    except av.FFmpegError:
        return


def _lawful(frame: "AudioFrame") -> bool:
    return _SLOWEST <= frame.sample_rate <= _FASTEST and frame.samples > 0


def _rest(container: "InputContainer", stream: "AudioStream") -> float:
    """Seconds that are left, without decoding them."""
    import av

    total = 0
    try:
        for packet in container.demux(stream):
            total += packet.duration or 0
    except av.FFmpegError:
        pass
    return float(total * (stream.time_base or 0))


def _kind(data: bytes) -> str:
    """The format that the first bytes tell."""
    match data[:4], data[4:8], data[8:12]:
        case b"RIFF", _, b"WAVE":
            return "wav"
        case _, b"ftyp", brand:
            return "m4a" if brand.startswith(b"M4A") else "mp4"
        case b"fLaC", _, _:
            return "flac"
        case b"OggS", _, _:
            return "ogg"
        case b"\x1a\x45\xdf\xa3", _, _:
            return "webm"
        case b"\x00\x00\x01\xba", _, _:
            return "mpeg"
        case _ if data.startswith(b"ID3"):
            return "mp3"
    return _layer(data)


def _layer(data: bytes) -> str:
    """MPEG sound without a container begins with eleven bits of one."""
    if len(data) < 2 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return "unknown"
    return ("aac", "mp3", "mpga", "mpga")[data[1] >> 1 & 3]
