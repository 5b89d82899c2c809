"""Recordings that checks send: a small file of each format, read by our own voice."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from conformance.forms import wav

FORMATS = ("mp3", "mp4", "mpeg", "mpga", "m4a", "wav", "webm")
ADDED = ("flac", "ogg")
"""Formats of later editions."""
WORDS = ("hi", "there", "bye")
"""What is said, in two sentences; `bench.recordings` wrote it down."""
HEADER = 44  # bytes of a wav before its samples


def recording(kind: str = "wav", name: str = "speech", **more: str) -> dict[str, Any]:
    """A file as ``conformance.forms`` sends it; ``foreign`` is in another language."""
    return {"filename": f"{name}.{kind}", "data": _shipped(f"{name}.{kind}"), **more}


def hum(seconds: float) -> dict[str, Any]:
    """A file in which nobody speaks, and which is not silent."""
    return {"filename": "hum.wav", "data": wav(seconds)}


def silence(seconds: float) -> dict[str, Any]:
    """A file in which nothing sounds."""
    loud = wav(seconds)
    return {"filename": "silence.wav", "data": loud[:HEADER].ljust(len(loud), b"\0")}


def document(text: str) -> bool:
    """Whether a text is JSON, and not a number that was said."""
    try:
        return isinstance(json.loads(text), dict | list | str)
    except (ValueError, RecursionError):
        return False


@cache
def _shipped(name: str) -> bytes:
    return files("conformance").joinpath("recordings", name).read_bytes()
