"""Files: what is uploaded, its fate, and its bytes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mockserver.context import Context
from mockserver.registry import handles
from mockserver.reply import Refuse, Reply
from mockserver.store import NoRoom
from mockserver.uploads import Upload

GB = 10**9
TOTAL = {"files.total-limit": GB, "files.total-limit-raised": 100 * GB}
"""Bytes of all files of an organisation, by the clause that says so."""
LARGEST = 2**29  # bytes of one file, where files.size-limit is said
TOKENS = 2_000_000  # of one for assistants, where files.assistants-tokens is said
CHARACTERS = 2**16  # that are counted at once
RECORDS = {
    "files.record-fields": (("prompt", "completion"),),
    "files.record-kinds": (("messages",), ("prompt", "completion")),
}
"""What a record for fine-tuning has at least, by the clause that says so."""
PACE = 1  # seconds until a file is processed
NAMED = 200  # characters of a file's name that a header tells


@dataclass(frozen=True)
class ListFiles:
    """The purpose of the files to be listed; None lists them all."""

    purpose: str | None = None


@dataclass(frozen=True)
class CreateFile:
    """A file, and what it is for."""

    file: Upload
    purpose: str


@dataclass(frozen=True)
class RetrieveFile:
    """The file of the path."""

    file_id: str


@dataclass(frozen=True)
class DeleteFile:
    """The file of the path."""

    file_id: str


@dataclass(frozen=True)
class DownloadFile:
    """The file of the path."""

    file_id: str


@handles("listFiles")
def list_files(request: ListFiles, context: Context) -> Reply:
    rows = context.house.store.all("file", context.caller.organization.id)
    asked = (row for row in rows if request.purpose in (None, row["purpose"]))
    return Reply({"object": "list", "data": [shown(row, context) for row in asked]})


@handles("createFile")
def create_file(request: CreateFile, context: Context) -> Reply:
    _admit(request, context)
    row = {
        "id": context.id(),
        "object": "file",
        "bytes": request.file["bytes"],
        "created_at": context.now,
        "filename": request.file["filename"],
        "purpose": request.purpose,
        "fault": _fault(request, context),
    }
    house, most = context.caller.organization, _room(context)
    try:
        context.house.store.keep(
            "file",
            house.id,
            row,
            request.file.pieces(),
            most=most // house.file_weight,
        )
    except NoRoom as full:
        raise context.refuse("files-total", limit=most) from full
    return Reply(shown(row, context, row["created_at"]))


@handles("retrieveFile")
def retrieve_file(request: RetrieveFile, context: Context) -> Reply:
    return Reply(shown(stored(request.file_id, context), context))


@handles("deleteFile")
def delete_file(request: DeleteFile, context: Context) -> Reply:
    id = request.file_id
    if not context.house.store.drop("file", context.caller.organization.id, id):
        raise _unknown(id, context)
    return Reply({"id": id, "object": "file", "deleted": True})


@handles("downloadFile")
def download_file(request: DownloadFile, context: Context) -> Reply:
    row = stored(request.file_id, context)
    headers = {
        "content-type": "application/octet-stream",
        "content-length": str(row["bytes"]),
        "content-disposition": _attached(row["filename"]),
    }
    content = context.house.store.read(row["id"], row["bytes"])
    return Reply(content, headers=headers)


def stored(id: str, context: Context) -> dict[str, Any]:
    """The organisation's file of this id. Raises Refuse where there is none."""
    row = context.house.store.get("file", context.caller.organization.id, id)
    if row is None:
        raise _unknown(id, context)
    return row


def shown(
    row: dict[str, Any], context: Context, at: int | None = None
) -> dict[str, Any]:
    """A file as the API shows it, where it has come to ``at`` that second, or now."""
    life, fault = context.house.spec.lifecycles["FileObject"], row["fault"]
    begun, processed = life.walk
    if (context.now if at is None else at) < row["created_at"] + PACE:
        status, details = begun, None
    else:
        status, details = "error" if fault else processed, fault
    facts = {name: value for name, value in row.items() if name != "fault"}
    return {**facts, life.field: status, "status_details": details}


def _unknown(id: str, context: Context) -> Refuse:
    return context.refuse("no-such-file", file=id[:100])


def _admit(request: CreateFile, context: Context) -> None:
    """Raises Refuse where a file is too large."""
    said, house = context.house.spec.clauses, context.caller.organization
    weight, size = house.file_weight, request.file["bytes"]
    if "files.size-limit" in said and size * weight > LARGEST:
        raise context.refuse("too-large", limit=LARGEST)
    if "files.assistants-tokens" in said and request.purpose == "assistants":
        _admit_tokens(request.file, context)


def _room(context: Context) -> int:
    """Bytes that all files of an organisation may have."""
    said = context.house.spec.clauses
    return next(bytes for id, bytes in TOTAL.items() if id in said)


def _admit_tokens(file: Upload, context: Context) -> None:
    left = TOKENS // context.caller.organization.file_weight
    for text in _texts(file):
        left -= len(context.tokenizer.encode(text))
        if left < 0:
            raise context.refuse("too-large", limit=f"{TOKENS} tokens")


def _texts(file: Upload) -> Iterator[str]:
    """The file as text, a stretch at a time; a cut costs at most a token."""
    for piece in file.pieces():
        text = piece.decode("utf-8", "replace")
        for start in range(0, len(text), CHARACTERS):
            yield text[start : start + CHARACTERS]


def _fault(request: CreateFile, context: Context) -> str | None:
    """What is wrong with a file for fine-tuning, found after its upload."""
    if request.purpose != "fine-tune":
        return None
    said = context.house.spec.clauses
    kinds = next(kinds for id, kinds in RECORDS.items() if id in said)
    for number, record in enumerate(request.file.records(), 1):
        if record is None or not any(record.keys() >= {*kind} for kind in kinds):
            wanted = " or ".join(" and ".join(kind) for kind in kinds)
            return f"Invalid file format. Example {number} has no {wanted}."
    return None


def _attached(filename: str) -> str:
    """The header that tells a file's name, whatever characters it has."""
    return f"attachment; filename*=UTF-8''{quote(filename[:NAMED], safe='')}"
