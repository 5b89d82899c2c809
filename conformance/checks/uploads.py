"""What is said of uploads: their form, their fate, their limits."""

import json
import secrets
from functools import partial
from itertools import islice

from conformance.answer import Answer
from conformance.control import alone, apart, waits
from conformance.registry import Findings, check
from conformance.target import Target
from conformance.uploads import (
    FINAL,
    LINE,
    file,
    lines,
    other_purpose,
    retrieved,
    settled,
    uploaded,
)
from conformance.view import Absent, View

SINCE, UNTIL = 10**9, 10**11
"""Seconds between which any upload lies; milliseconds are beyond."""
DAY = 24 * 60 * 60  # seconds
LOOKS = 3  # at a status that is final
MILLION = 10**6


@check("files.upload-form")
def upload_form(target: Target) -> Findings:
    answer = target.call("createFile")
    if answer.status != 200:
        yield f"a form with a file and a purpose was answered {answer.status}"


@check("files.upload-json-refused")
def upload_json_refused(target: Target) -> Findings:
    answer = target.post("/files", purpose="fine-tune", file=json.dumps(LINE))
    if answer.status not in (400, 415):
        yield f"a JSON body was answered {answer.status}"


@check("files.upload-part-type")
def upload_part_type(target: Target) -> Findings:
    for kind in ("application/octet-stream", "text/plain", "application/json", "a/b"):
        answer = target.call("createFile", file=file(media_type=kind))
        if answer.status != 200:
            yield f"a file sent as {kind} was answered {answer.status}"


@check("files.upload-part-order")
def upload_part_order(target: Target) -> Findings:
    operation = target.spec.operations["createFile"]
    for names in (("purpose", "file"), ("file", "purpose")):
        parts = {"purpose": "fine-tune", "file": file()}
        answer = target.ask(operation, {name: parts[name] for name in names})
        if answer.status != 200:
            yield f"a form of {' and '.join(names)} was answered {answer.status}"


@check("files.upload-bytes")
def upload_bytes(target: Target) -> Findings:
    """The text has characters of one to four bytes."""
    data = lines({**LINE, "completion": " é, 字 and \N{OTTER}"})
    told = uploaded(target, file=file(data))["bytes"]
    if told != len(data):
        yield f"a file of {len(data)} bytes was told to have {told}"


@check("files.upload-filename")
def upload_filename(target: Target) -> Findings:
    name = f"train {secrets.token_hex(4)}.jsonl"
    told = uploaded(target, file=file(filename=name))["filename"]
    if told != name:
        yield f"the filename {name!r} was answered as {told!r}"


@check("files.upload-purpose")
def upload_purpose(target: Target) -> Findings:
    told = uploaded(target, purpose="fine-tune")["purpose"]
    if told != "fine-tune":
        yield f"the purpose fine-tune was answered as {told!r}"


@check("files.upload-ids-differ")
def upload_ids_differ(target: Target) -> Findings:
    one, two = (uploaded(target, file=file())["id"] for _ in range(2))
    if one == two:
        yield f"both uploads were answered with {one}"


@check("files.created-seconds")
def created_seconds(target: Target) -> Findings:
    created = uploaded(target)["created_at"]
    if type(created) is not int or not SINCE <= created < UNTIL:
        yield f"created_at was {created!r}"


@check("files.status-start")
def status_start(target: Target) -> Findings:
    status = uploaded(target)["status"]
    if status not in ("uploaded", "processed"):
        yield f"the status right after the upload was {status!r}"


@check("files.status-processed")
def status_processed(target: Target) -> Findings:
    own = alone(target)
    status = settled(own, uploaded(own)["id"])["status"]
    if status != "processed":
        yield f"the status of a lawful file came to {status!r}"


@check("files.status-final")
def status_final(target: Target) -> Findings:
    own, seen = alone(target), 0
    for data in (lines(LINE), lines(LINE, {})):
        answer = own.call("createFile", file=file(data))
        if answer.refused:
            continue  # its fault was seen at once
        first = settled(own, answer.json()["id"])
        if first["status"] in FINAL:
            seen += 1
            yield from moved(own, first)
    if not seen:
        raise Absent("file whose status is final")


@check("files.status-error")
def status_error(target: Target) -> Findings:
    own = alone(target)
    status = settled(own, faulty(own))["status"]
    if status != "error":
        yield f"the status of a faulty file came to {status!r}"


@check("files.status-details")
def status_details(target: Target) -> Findings:
    own = alone(target)
    found = settled(own, faulty(own))
    if found["status"] != "error":
        raise Absent("file in error")
    details = found.get("status_details")
    if not isinstance(details, str) or not details:
        yield f"the status_details of a file in error were {details!r}"


@check("files.status-pace")
def status_pace(target: Target) -> Findings:
    own = apart(target)
    made = uploaded(own)
    if made["status"] != "uploaded":
        yield f"the status right after the upload was {made['status']!r}"
    own.post("/_assay/clock", seconds=DAY).json()
    later = retrieved(own, made["id"]).json()["status"]
    if later not in FINAL:
        yield f"the status a day after the upload was {later!r}"


@check("files.purpose-tune")
def purpose_tune(target: Target) -> Findings:
    answer = target.call("createFile", purpose="fine-tune")
    if answer.status != 200:
        yield f"a file with the purpose fine-tune was answered {answer.status}"


@check("files.record-fields")
def record_fields(target: Target) -> Findings:
    yield from unnoticed(target, {"prompt": "a ->"}, {"completion": " b"})


@check("files.record-kinds")
def record_kinds(target: Target) -> Findings:
    yield from unnoticed(target, {"prompt": "a ->"}, {"completion": " b"})


@check("files.purpose-format")
def purpose_format(target: Target) -> Findings:
    purpose = other_purpose(target)
    answer = target.call("createFile", purpose=purpose, file=file(b"Plain text.\n"))
    if answer.status != 200:
        yield f"a plain text with the purpose {purpose} was answered {answer.status}"


@check("files.total-limit")
def total_limit(target: Target) -> Findings:
    """Bytes are made to weigh a million times; 1 GB is read either way."""
    own = apart(target)
    weigh(own, MILLION)
    for size in (500, 500):
        yield from unserved(padded(own, size), "an upload up to 1,000 MB")
    yield from unrefused(padded(own, 80), "an upload up to 1,080 MB")


@check("files.total-limit-raised")
def total_limit_raised(target: Target) -> Findings:
    """The same; what is stored before the bytes are weighed may be large."""
    own = apart(target)
    padded(own, 99_500).served()
    weigh(own, MILLION)
    yield from unserved(padded(own, 500), "an upload up to 100,000 MB")
    weigh(own, 1)
    padded(own, 7_400).served()
    weigh(own, MILLION)
    yield from unrefused(padded(own, 100), "an upload up to 107,500 MB")


@check("files.size-limit")
def size_limit(target: Target) -> Findings:
    own = apart(target)
    weigh(own, MILLION)
    yield from unserved(padded(own, 512), "a file of 512 MB")
    yield from unrefused(padded(own, 537), "a file of 537 MB")


@check("files.assistants-tokens")
def assistants_tokens(target: Target) -> Findings:
    """Twenty words are more than two tokens in any vocabulary."""
    own = apart(target)
    weigh(own, MILLION)
    asked = partial(own.call, "createFile", purpose="assistants")
    yield from unserved(asked(file=file(b"a")), "a file of one million tokens")
    words = b"otter river stone " * 7
    yield from unrefused(asked(file=file(words)), "a file of over 20 million tokens")


def moved(target: Target, first: View) -> Findings:
    """A finding where the status of a file changes as time passes."""
    for wait in islice(waits(target), LOOKS):
        wait()
        again = retrieved(target, first["id"]).json()["status"]
        if again != first["status"]:
            yield f"the status {first['status']} became {again!r}"
            return


def faulty(target: Target) -> str:
    """The id of a file whose faults are to be found; Absent if they were at once."""
    answer = target.call("createFile", file=file(lines(LINE, LINE, {"note": "none"})))
    if answer.refused:
        raise Absent("faulty file that is taken")
    return str(answer.json()["id"])


def unnoticed(target: Target, *records: dict[str, str]) -> Findings:
    """Findings where a record is neither refused nor found later."""
    own = alone(target)
    for record in records:
        answer = own.call("createFile", file=file(lines(LINE, record)))
        if answer.status == 400:
            continue
        status = settled(own, answer.json()["id"])["status"]
        if status != "error":
            yield f"a file with the record {record!r} came to {status!r}"


def weigh(own: Target, times: int) -> None:
    """Let each byte and each token count so many times."""
    own.post("/_assay/limits", file_weight=times).json()


def padded(own: Target, size: int) -> Answer:
    """The answer to a lawful file of so many bytes."""
    bare = {"prompt": "a ->", "completion": ""}
    text = "b" * (size - len(lines(bare)))
    return own.call("createFile", file=file(lines({**bare, "completion": text})))


def unserved(answer: Answer, what: str) -> Findings:
    """A finding where what fits was refused."""
    if answer.status != 200:
        yield f"{what} was answered {answer.status}"


def unrefused(answer: Answer, what: str) -> Findings:
    """A finding where what is too much was not refused."""
    if not answer.refused:
        yield f"{what} was answered {answer.status}"
