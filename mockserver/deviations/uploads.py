"""Faults of uploads: their form, their fate, their limits."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO

from mockserver.deviation import MOMENT, Body
from mockserver.deviations.api import Told
from mockserver.deviations.files import (
    DELETE,
    FILE,
    MAKE,
    ONE,
    SHOWN,
    caller,
    fault,
    made,
    remembered,
    undeleted,
)
from mockserver.deviations.models import each
from mockserver.faults import body_of, changed, refused_if, without
from mockserver.reply import Reply
from mockserver.uploads import Upload
from spec import Refusal

FORM = 180  # bytes of a form around its file
ANYTHING = ("files.*", "api.*")
"""What a server breaks that takes no file."""
LIMITS = ("files.total-*", "files.size-limit", "files.assistants-tokens")


def taken(name: str, words: str = "") -> Callable[[Refusal], Told]:
    """Takes the file that the refusal ``name`` was due to."""
    return lambda no: Reply(FILE) if no.name == name and words in no.message else no


def sent(body: Body) -> Upload:
    """The file of a form; an empty one where there is none."""
    one = body.get("file")
    return one if isinstance(one, Upload) else Upload(BytesIO(), {})


class Lenient(Upload):
    """Records that all have a completion."""

    def records(self) -> Iterator[Body | None]:
        for record in super().records():
            yield record and {"completion": "", **record}


def lenient(file: Upload) -> Upload:
    return Lenient(BytesIO(file.read()), file)


def became(before: str, after: str) -> Callable[[Body], Body]:
    """One status is told as another."""

    def change(entry: Body) -> Body:
        if entry["status"] != before:
            return entry
        return {**entry, "status": after, "status_details": None}

    return change


def doubled(weight: int | None) -> int | None:
    return weight and 2 * weight


def milliseconds(entry: Body) -> Body:
    return {**entry, "created_at": 1000 * entry["created_at"]}


def same_again(body: Body, reply: Reply) -> Reply:
    """A file is known by its name and content, and is answered as it was before."""
    sent: Upload = body["file"]
    content = hashlib.sha256(sent.read()).hexdigest()
    key = f"{caller()} {sent['filename']} {body['purpose']} {content}"
    notes = MOMENT.get().notes
    if key not in notes or not undeleted(notes[key]["id"]):
        notes[key] = reply.body
    return replace(reply, body=notes[key])


def read_often(entry: Body) -> Body:
    """From the third look on a file is being looked through anew."""
    notes = MOMENT.get().notes
    looks = notes[entry["id"]] = notes.get(entry["id"], 0) + 1
    return {**entry, "status": "uploaded"} if looks > 2 else entry


UPLOADS = (
    fault(
        "upload-needs-user",
        "upload-form",
        MAKE,
        *ANYTHING,
        on_body=refused_if(lambda body: "user" not in body),
    ),
    fault("upload-json", "upload-json-refused", MAKE, on_refusal=taken("not-a-form")),
    fault(
        "upload-one-type",
        "upload-part-type",
        MAKE,
        on_body=refused_if(lambda body: sent(body).media_type in ("text/plain", "a/b")),
    ),
    fault(
        "upload-purpose-first",  # the form is read as a stream
        "upload-part-order",
        MAKE,
        on_body=refused_if(lambda body: next(iter(body), "") == "file"),
    ),
    fault(
        "bytes-of-form",
        "upload-bytes",
        SHOWN,
        on_reply=each(lambda entry: {**entry, "bytes": entry["bytes"] + FORM}),
    ),
    fault(
        "stored-names",
        "upload-filename",
        SHOWN,
        on_reply=each(lambda entry: {**entry, "filename": f"{entry['id']}.bin"}),
    ),
    fault(
        "purpose-other",
        "upload-purpose",
        SHOWN,
        "list-purpose",
        on_reply=each(made(purpose="fine-tune-results")),
    ),
    fault(
        "upload-known",
        "upload-ids-differ",
        (*MAKE, *DELETE),
        on_answer=lambda body, reply: same_again(body, reply) if body else reply,
        on_reply=remembered,
    ),
    fault(
        "created-milliseconds",
        "created-seconds",
        SHOWN,
        on_reply=each(milliseconds),
    ),
    fault(
        "created-since-start",
        "created-seconds",
        SHOWN,
        on_reply=each(
            lambda entry: {**entry, "created_at": entry["created_at"] % 100_000}
        ),
    ),
    fault(
        "tune-refused",
        "purpose-tune",
        MAKE,
        *ANYTHING,
        on_body=refused_if(lambda body: body.get("purpose") == "fine-tune"),
    ),
    fault(
        "only-lines",  # every file is read as JSON Lines, whatever it is for
        "purpose-format",
        MAKE,
        "assistants-tokens",
        on_body=refused_if(
            lambda body: (
                sent(body).get("format") != "jsonl"
                and body.get("purpose") != "fine-tune"
            )
        ),
    ),
)
FATES = (
    fault(
        "status-error-first",
        "status-start",
        MAKE,
        "status-pace",
        on_reply=body_of(made(status="error")),
    ),
    fault(
        "status-uploaded-for-ever",
        "status-processed",
        SHOWN,
        "status-pace",
        on_reply=each(became("processed", "uploaded")),
    ),
    fault("status-again", "status-final", ONE, on_reply=body_of(read_often)),
    fault(
        "status-never-error",
        "status-error",
        SHOWN,
        "record-*",
        on_reply=each(became("error", "processed")),
    ),
    fault(
        "status-without-details",
        "status-details",
        SHOWN,
        on_reply=each(lambda entry: without(entry, "status_details")),
    ),
    fault(
        "status-at-once",
        "status-pace",
        MAKE,
        on_reply=each(became("uploaded", "processed")),
    ),
    fault(
        "record-of-prompt",
        "record-fields",
        MAKE,
        on_request=changed(file=lenient),
    ),
    fault(
        "record-of-prompt-alone",
        "record-kinds",
        MAKE,
        on_request=changed(file=lenient),
    ),
)
BOUNDS = (
    fault("total-unbound", "total-limit", MAKE, on_refusal=taken("files-total")),
    fault(
        "total-half",
        "total-limit",
        ("controlLimits",),
        *LIMITS,
        on_request=changed(file_weight=doubled),
    ),
    fault(
        "total-raised-unbound",
        "total-limit-raised",
        MAKE,
        on_refusal=taken("files-total"),
    ),
    fault(
        "bounds-half",
        "total-limit-raised",
        ("controlLimits",),
        *LIMITS,
        on_request=changed(file_weight=doubled),
    ),
    fault(
        "size-unbound",
        "size-limit",
        MAKE,
        on_refusal=taken("too-large", "(536870912)"),
    ),
    fault(
        "tokens-unbound",
        "assistants-tokens",
        MAKE,
        on_refusal=taken("too-large", "tokens"),
    ),
)
DEVIATIONS = (*UPLOADS, *FATES, *BOUNDS)
