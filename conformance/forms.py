"""Bodies as forms, and files that are made to fit a description."""

import json
import random
import struct
import wave
import zlib
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import httpx

FORM = "multipart/form-data"
OCTETS = "application/octet-stream"
RATE = 16_000  # samples a second of a recording
CHANNELS = {"none": (2, 3), "opaque": (6, 4), "transparent": (6, 4)}
"""Transparency -> PNG's colour type, and the bytes of a pixel."""


class Form(dict[str, Any]):
    """A body that is sent as multipart/form-data; a file in it is described."""

    def encoded(self) -> tuple[bytes, str]:
        """The bytes and the content type."""
        parts = [
            (name, part(value)) for name, value in self.items() if value is not None
        ]
        # a part that has no name of a file is sent as a field
        made = httpx.Request("POST", "http://form", files=parts or [("", (None, ""))])
        return made.read(), made.headers["content-type"]


def part(value: Any) -> tuple[str | None, bytes | str, str] | tuple[None, str]:
    """One part: a file where the value describes one, else a text."""
    if isinstance(value, Mapping) and "filename" in value:
        data = value["data"] if "data" in value else content(value)
        return value["filename"], data, value.get("media_type", OCTETS)
    return None, value if isinstance(value, str) else json.dumps(value)


def content(file: Mapping[str, Any]) -> bytes:
    """Bytes that fit a description of the spec (``spec.load.FILE``).

    They are as many as it says, where the format needs no more than that.
    """
    size = file["bytes"]
    match file["format"]:
        case "png":
            data = png(file["width"], file["height"], file["alpha"], size)
        case "wav":
            data = wav(file.get("seconds", 1.0), size)
        case "jsonl":
            data = b"".join(lines(file["lines"], file["faulty"]))
        case kind if kind in HEADS:
            data = HEADS[kind].ljust(size, b"\0")
        case _:
            data = random.Random(size).randbytes(max(1, size))
    return data


HEADS = {
    "jpeg": bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9"),
    "gif": b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
}
"""The smallest beginnings of formats that nothing here writes whole."""


def png(width: int, height: int, alpha: str, size: int = 0) -> bytes:
    """A picture of one colour; ``transparent`` has a hole in its middle.

    A private chunk fills it up to ``size`` bytes.
    """
    colour, depth = CHANNELS[alpha]
    row, rows = bytes((200, 120, 40, 255)[:depth]) * width, []
    for y in range(height):
        line = bytearray(row)
        if alpha == "transparent" and height // 4 <= y < max(1, 3 * height // 4):
            for x in range(width // 4, max(1, 3 * width // 4)):
                line[x * depth : (x + 1) * depth] = bytes(4)
        rows.append(b"\0" + bytes(line))
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"".join(rows)))
    start, end = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head), chunk(b"IEND", b"")
    left = size - len(start) - len(body) - len(end) - len(chunk(b"", b""))
    fill = chunk(b"fiLl", bytes(left - 4)) if left >= 4 else b""
    return start + fill + body + end


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG: its length, name, data and checksum."""
    whole = name + data
    return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))


def wav(seconds: float, size: int = 0) -> bytes:
    """A quiet hum of 16-bit samples, filled up to ``size`` bytes."""
    count = max(int(seconds * RATE), (size - 44) // 2)
    period = b"".join(
        struct.pack("<h", 2000 if step < 40 else -2000) for step in range(80)
    )
    told = BytesIO()
    with wave.open(told, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes((period * (count // 80 + 1))[: 2 * count])
    return told.getvalue()


def lines(count: int, faulty: int) -> Iterator[bytes]:
    """Records of prompt and completion; the ``faulty`` one is none, if not 0."""
    for number in range(1, count + 1):
        record = {"prompt": f"{number} ->", "completion": f" number {number}"}
        yield (
            b"no record\n" if number == faulty else json.dumps(record).encode() + b"\n"
        )
