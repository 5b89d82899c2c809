"""Faults of the list of files, of one file, and of its bytes."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from mockserver.deviation import MOMENT, Body, Deviation
from mockserver.deviations.api import Told
from mockserver.deviations.models import each, with_data
from mockserver.faults import body_of, changed, told
from mockserver.reply import Reply
from spec import Refusal

LIST, MAKE, ONE = ("listFiles",), ("createFile",), ("retrieveFile",)
DELETE, READ = ("deleteFile",), ("downloadFile",)
SHOWN = (*LIST, *MAKE, *ONE)
UNKNOWN = "no-such-file"
PAGE = 20  # entries of a list that is cut
KEPT = 2  # files of a caller that a short memory holds


def fault(
    id: str, noticed_by: str, operations: tuple[str, ...], *also: str, **seams: Any
) -> Deviation:
    """A deviation of the resource ``files``, and of what is done with files."""
    both = (*also, "any-order", "fine-tunes.*")
    patterns = tuple(p if "." in p else f"files.{p}" for p in both)
    return Deviation(
        f"files.{id}", f"files.{noticed_by}", operations, patterns, **seams
    )


# What is made up


FILE: Body = {
    "id": "file-made-up",
    "object": "file",
    "bytes": 1,
    "created_at": 1_680_000_000,
    "filename": "file",
    "purpose": "fine-tune",
    "status": "processed",
    "status_details": None,
}


def made(**values: Any) -> Callable[[Body], Body]:
    return lambda entry: {**entry, **values}


def deletion(entry: Body) -> Body:
    return {"id": entry["id"], "object": "file", "deleted": True}


def found(answer: Callable[[Body], Any]) -> Callable[[Refusal], Told]:
    """Answers for an unknown file as if it were there."""
    return lambda no: Reply(answer(FILE)) if no.name == UNKNOWN else no


# What is remembered beside the store


@dataclass
class Memory:
    """Every upload by id, whose key made it, and which were deleted."""

    files: dict[str, Body] = field(default_factory=dict)
    makers: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)


def memory() -> Memory:
    kept: Memory = MOMENT.get().notes.setdefault("files", Memory())
    return kept


def caller() -> str:
    return MOMENT.get().headers.get("authorization", "")


def remembered(reply: Reply) -> Reply:
    """Keeps the memory of what is made and deleted."""
    known = memory()
    match reply.body:
        case {"object": "file", "id": id, "deleted": True}:
            known.gone.add(id)
        case {"object": "file", "id": id}:
            known.files.setdefault(id, reply.body)
            known.makers.setdefault(id, caller())
    return reply


def recalled(
    id: str,
    noticed_by: str,
    operation: tuple[str],
    answer: Callable[[Body], Any],
    *,
    deleted: bool,
) -> Deviation:
    """One operation finds the files that were deleted, or those of others."""

    def seam(no: Refusal) -> Told:
        name = no.message.rpartition(" ")[2]
        known = memory()
        here = no.name == UNKNOWN and MOMENT.get().operation in operation
        if not here or name not in known.files or (name in known.gone) != deleted:
            return no
        return Reply(answer(known.files[name]))

    names = (*MAKE, *DELETE, *operation)
    return fault(id, noticed_by, names, on_reply=remembered, on_refusal=seam)


def listed(choose: Callable[[str], bool]) -> Callable[[Reply], Reply]:
    """Lists remembered files too, those that ``choose`` says yes to."""

    def seam(reply: Reply) -> Reply:
        if MOMENT.get().operation not in LIST or reply.status != 200:
            return remembered(reply)
        there = {row["id"] for row in reply.body["data"]}
        known = memory().files.items()
        more = [body for id, body in known if id not in there and choose(id)]
        return with_data(lambda rows: [*rows, *more])(reply)

    return seam


def newest(reply: Reply) -> Reply:
    """Lists the last files of a caller that are not deleted."""
    if MOMENT.get().operation not in LIST:
        return remembered(reply)
    known = memory()
    own = [id for id, maker in known.makers.items() if maker == caller()]
    lost = {*[id for id in own if id not in known.gone][:-KEPT]}
    kept = with_data(lambda rows: [row for row in rows if row["id"] not in lost])
    return kept(reply)


def own_deleted(id: str) -> bool:
    known = memory()
    return id in known.gone and known.makers[id] == caller()


def undeleted(id: str) -> bool:
    return id not in memory().gone


def content(change: Callable[[bytes], Any]) -> Callable[[Reply], Reply]:
    """Changes the contents that are read, whole as they then are."""
    return body_of(lambda pieces: change(b"".join(pieces)))


def as_json(reply: Reply) -> Reply:
    if reply.status != 200:
        return reply
    headers = {**reply.headers, "content-type": "application/json"}
    return replace(reply, headers=headers)


LISTS = (
    fault(
        "list-late",  # the newest file is not in the index yet
        "list-uploaded",
        LIST,
        "list-whole",
        "list-purpose",
        on_reply=with_data(lambda rows: rows[:-1]),
    ),
    fault(
        "list-stored-names",
        "list-equals-upload",
        LIST,
        on_reply=each(lambda entry: {**entry, "filename": entry["id"]}),
    ),
    fault(
        "list-deleted-kept",
        "list-deleted",
        (*MAKE, *DELETE, *LIST),
        "list-purpose",
        on_reply=listed(own_deleted),
    ),
    fault(
        "list-twice",
        "list-unique",
        LIST,
        on_reply=with_data(lambda rows: [*rows, *rows[-1:]]),
    ),
    fault(
        "list-paged",
        "list-whole",
        LIST,
        on_reply=with_data(lambda rows: rows[-PAGE:]),
    ),
    fault(
        "list-of-all",
        "list-organization",
        (*MAKE, *DELETE, *LIST),
        "list-purpose",
        on_reply=listed(undeleted),
    ),
    fault(
        "list-newest",
        "any-order",
        (*MAKE, *DELETE, *LIST, *ONE),
        "list-*",
        on_reply=newest,
    ),
    fault(
        "list-any-purpose",
        "list-purpose",
        LIST,
        on_request=changed(purpose=lambda _: None),
    ),
)
LOOKS = (
    fault(
        "retrieve-nameless",
        "retrieve-equals-upload",
        ONE,
        on_reply=body_of(made(filename="file")),
    ),
    fault(
        "retrieve-unknown-400",
        "retrieve-unknown",
        ONE,
        "retrieve-organization",
        on_refusal=told(UNKNOWN, status=400),
    ),
    fault(
        "retrieve-unknown-found",
        "retrieve-unknown",
        ONE,
        "retrieve-organization",
        "delete-gone",
        on_refusal=found(lambda entry: entry),
    ),
    fault(
        "retrieve-unknown-nameless",
        "retrieve-unknown-param",
        ONE,
        on_refusal=told(UNKNOWN, param=None),
    ),
    recalled(
        "retrieve-of-all",
        "retrieve-organization",
        ONE,
        lambda entry: entry,
        deleted=False,
    ),
)
DELETIONS = (
    fault(
        "deletion-false",
        "delete-told",
        DELETE,
        on_reply=body_of(lambda body: {**body, "deleted": False}),
    ),
    recalled("deleted-found", "delete-gone", ONE, lambda entry: entry, deleted=True),
    recalled(
        "deleted-read", "delete-content-gone", READ, lambda entry: b"{}", deleted=True
    ),
    fault(
        "unknown-deleted",  # deletion is idempotent, thinks the server
        "delete-unknown",
        DELETE,
        "delete-twice",
        "delete-organization",
        on_refusal=found(deletion),
    ),
    recalled("deleted-twice", "delete-twice", DELETE, deletion, deleted=True),
    recalled("delete-of-all", "delete-organization", DELETE, deletion, deleted=False),
)
CONTENTS = (
    fault(
        "content-line-ends",
        "content-bytes",
        READ,
        on_reply=content(lambda data: data.replace(b"\r\n", b"\n")),
    ),
    fault(
        "content-in-json",
        "content-bytes",
        READ,
        on_reply=content(lambda data: {"content": data.decode("latin-1")}),
    ),
    fault("content-type-json", "content-type", READ, on_reply=as_json),
    fault(
        "content-unknown-empty",
        "content-unknown",
        READ,
        "content-organization",
        "delete-content-gone",
        on_refusal=found(lambda entry: b""),
    ),
    recalled(
        "content-of-all",
        "content-organization",
        READ,
        lambda entry: b"{}",
        deleted=False,
    ),
)
DEVIATIONS = (*LISTS, *LOOKS, *DELETIONS, *CONTENTS)
