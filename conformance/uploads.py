"""Files that checks upload, and what becomes of them."""

import json
from typing import Any

from conformance.answer import Answer
from conformance.control import waits
from conformance.target import Target
from conformance.view import Absent, View

LINE = {"prompt": "Once upon ->", "completion": " a time"}
FINAL = ("processed", "error")
"""What a file's status may end in."""
OTHERS = ("assistants", "answers", "search", "classifications")
"""Purposes beside fine-tune, of all editions."""


def lines(*records: dict[str, str]) -> bytes:
    """Records as JSON Lines."""
    return b"".join(
        json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in records
    )


def file(data: bytes | None = None, **more: str) -> dict[str, Any]:
    """A file as ``conformance.forms`` sends it; by default a lawful one."""
    content = lines(LINE, LINE) if data is None else data
    return {"filename": "train.jsonl", "data": content, **more}


def uploaded(target: Target, **asked: Any) -> View:
    """What an upload was answered with."""
    return target.call("createFile", **{"file": file(), **asked}).json()


def retrieved(target: Target, id: str) -> Answer:
    return target.call("retrieveFile", path={"file_id": id})


def downloaded(target: Target, id: str) -> Answer:
    return target.call("downloadFile", path={"file_id": id})


def rows(target: Target) -> list[Any]:
    """The entries of the list."""
    return list(target.call("listFiles").json()["data"])


def ids(target: Target) -> list[str]:
    return [row["id"] for row in rows(target)]


def other_purpose(target: Target) -> str:
    """A purpose beside fine-tune that the server knows; raises Absent for none."""
    for purpose in OTHERS:
        if target.call("createFile", purpose=purpose, file=file()).status == 200:
            return purpose
    raise Absent("purpose beside fine-tune that is taken")


def settled(target: Target, id: str) -> View:
    """The file once its status is final, or when all waiting is in vain."""
    for wait in waits(target):
        found = retrieved(target, id).json()
        if found["status"] in FINAL:
            return found
        wait()
    return retrieved(target, id).json()
