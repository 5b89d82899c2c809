"""Files that come in a form: what is known of them, and where their bytes are."""

import json
from collections.abc import Iterator, Mapping
from typing import IO, Any

FORM = "multipart/form-data"
PIECE = 1 << 20  # bytes that are held of a file at once
LONGEST = 1 << 24  # bytes of one line of JSON Lines
HEAD = 64  # bytes that tell a format
PICTURE = 1 << 25  # bytes of one that is looked into

IMAGES: Mapping[str, tuple[bytes, ...]] = {
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpeg": (b"\xff\xd8\xff",),
    "gif": (b"GIF87a", b"GIF89a"),
}
SOUNDS: Mapping[str, tuple[bytes, ...]] = {
    "mp3": (b"ID3", b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2", b"\xff\xe3"),
    "mpga": (b"\xff\xfd", b"\xff\xfc", b"\xff\xf5", b"\xff\xf4"),
    "flac": (b"fLaC",),
    "ogg": (b"OggS",),
    "webm": (b"\x1aE\xdf\xa3",),
    "mpeg": (b"\x00\x00\x01\xba",),
}


class Upload(dict[str, Any]):
    """What validation is told of a file (``spec.load.FILE``); its bytes beside it."""

    def __init__(
        self, file: IO[bytes], facts: Mapping[str, Any], media_type: str = ""
    ) -> None:
        super().__init__(facts)
        self.media_type = media_type
        """As the part of the form told it; nothing of ours judges by it."""
        self._file = file

    def pieces(self) -> Iterator[bytes]:
        """The bytes, a piece at a time."""
        self._file.seek(0)
        while piece := self._file.read(PIECE):
            yield piece

    def read(self) -> bytes:
        """All the bytes."""
        return b"".join(self.pieces())

    def records(self) -> Iterator[dict[str, Any] | None]:
        """What each line holds that is not blank; None where that is no object."""
        return _records(self._file)

    def close(self) -> None:
        """Give back the room that the bytes take."""
        self._file.close()


def described(file: IO[bytes], filename: str, media_type: str = "") -> Upload:
    """The file with its size, its format, and what that format lets one know."""
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(HEAD)
    facts = _facts(file, head, filename)
    return Upload(file, {"filename": filename, "bytes": size, **facts}, media_type)


def _facts(file: IO[bytes], head: bytes, filename: str) -> dict[str, Any]:
    kind = next((name for name, marks in IMAGES.items() if head.startswith(marks)), "")
    if kind or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return _image(file, kind or "webp")
    sound = _sound(head, filename)
    return {"format": sound} if sound else _lines(file)


def _image(file: IO[bytes], kind: str) -> dict[str, Any]:
    """Width, height and transparency; of an unknown format if broken or too large."""
    from reference_model.image import describe

    file.seek(0)
    data = file.read(PICTURE + 1)
    if len(data) > PICTURE:
        return {"format": "unknown"}
    try:
        return {**describe(data), "format": kind}
    except ValueError:
        return {"format": "unknown"}


def _sound(head: bytes, filename: str) -> str | None:
    """The format of a recording; MPEG-4 goes by many names, so its own one counts."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head[4:8] == b"ftyp":
        return "m4a" if filename.lower().endswith("m4a") else "mp4"
    return next(
        (name for name, marks in SOUNDS.items() if head.startswith(marks)), None
    )


def _lines(file: IO[bytes]) -> dict[str, Any]:
    """How many lines of JSON Lines there are, and the first that is no object."""
    count = 0
    for count, record in enumerate(_records(file), 1):
        if record is None:
            known = "jsonl" if count > 1 else "unknown"
            return {"format": known, "lines": count, "faulty": count}
    if not count:
        return {"format": "unknown"}
    return {"format": "jsonl", "lines": count, "faulty": 0}


def _records(file: IO[bytes]) -> Iterator[dict[str, Any] | None]:
    file.seek(0)
    while line := file.readline(LONGEST):
        if line.strip():
            yield _object(line)


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
