"""Writes the recordings that the suite sends, read by our own voice.

python -m bench.recordings
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import cast

import av
from av.container import InputContainer

from reference_model.speech import speak

FOLDER = Path(__file__).parents[1] / "conformance" / "recordings"
SPEECH = "Hi there. Bye."
FOREIGN = "Доброе утро."
SPEED = 1.2
RATE = 12_000  # samples a second: the carriers of the text end below 6 kHz
EXACT = {"fflags": "+bitexact"}  # no dates and no random numbers


@dataclass(frozen=True)
class Format:
    """How a file is written: the container and the codec by FFmpeg's names."""

    container: str
    codec: str
    rate: int = 24_000
    bits: int = 48_000


FORMATS = {
    "flac": Format("flac", "flac", RATE, 0),
    "m4a": Format("ipod", "aac"),
    "mp3": Format("mp3", "libmp3lame"),
    "mp4": Format("mp4", "aac"),
    "mpeg": Format("mpeg", "mp2"),
    "mpga": Format("mp2", "mp2"),
    "ogg": Format("ogg", "libopus"),
    "wav": Format("wav", "pcm_u8", RATE, 0),
    "webm": Format("webm", "libopus"),
}


def main() -> None:
    """Write every file, and tell its size."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in (("speech", SPEECH), ("foreign", FOREIGN)):
        spoken = speak(text, "alloy", SPEED, "wav")
        small = written(spoken, FORMATS["wav"])
        for kind in FORMATS if name == "speech" else ("mp3",):
            source = small if kind == "flac" else spoken  # eight bits, which pack well
            data = written(source, FORMATS[kind])
            (FOLDER / f"{name}.{kind}").write_bytes(data)
            print(f"{name}.{kind}: {len(data)} bytes")


def written(spoken: bytes, kind: Format) -> bytes:
    """The sound of a file as a file of another format."""
    told = BytesIO()
    with (
        av.open(BytesIO(spoken), "r") as source,
        av.open(told, "w", format=kind.container, options=EXACT) as output,
    ):
        added = output.add_stream(kind.codec, kind.rate, layout="mono")
        stream = cast("av.AudioStream", added)
        stream.codec_context.thread_count = 1
        if kind.bits:
            stream.codec_context.bit_rate = kind.bits
        resampler = av.AudioResampler(stream.codec_context.format, "mono", kind.rate)
        for frame in frames(source):
            for part in resampler.resample(frame):
                output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return told.getvalue()


def frames(source: InputContainer) -> Iterator[av.AudioFrame | None]:
    """The sound of a file, and None for its end."""
    yield from source.decode(audio=0)
    yield None


if __name__ == "__main__":
    main()
