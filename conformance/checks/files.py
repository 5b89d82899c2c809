"""What is said of the list of files, of one file, and of its bytes."""

from conformance.control import alone, apart
from conformance.probe import NOBODY
from conformance.registry import Findings, check
from conformance.stateful import shortest
from conformance.target import Target
from conformance.uploads import (
    LINE,
    downloaded,
    file,
    ids,
    lines,
    other_purpose,
    retrieved,
    rows,
    uploaded,
)
from conformance.view import Absent

PAGE = 20  # entries of a list that is cut where the server says nothing of it
STATUS = ("status", "status_details")


@check("files.list-uploaded")
def list_uploaded(target: Target) -> Findings:
    id = uploaded(target)["id"]
    if id not in ids(target):
        yield f"{id} was not listed"


@check("files.list-equals-upload")
def list_equals_upload(target: Target) -> Findings:
    made = uploaded(target)
    entry = next((row for row in rows(target) if row["id"] == made["id"]), None)
    if entry is None:
        raise Absent("uploaded file in the list")
    for key in ("bytes", "filename", "purpose", "created_at"):
        if entry[key] != made[key]:
            yield f"{key} was {made[key]!r} when uploaded, {entry[key]!r} in the list"


@check("files.list-deleted")
def list_deleted(target: Target) -> Findings:
    id = uploaded(target)["id"]
    if id not in ids(target):
        raise Absent("uploaded file in the list")
    target.call("deleteFile", path={"file_id": id}).served()
    if id in ids(target):
        yield f"{id} was listed after it was deleted"


@check("files.list-unique")
def list_unique(target: Target) -> Findings:
    uploaded(target)
    listed = ids(target)
    for id in sorted({id for id in listed if listed.count(id) > 1}):
        yield f"{id} was listed {listed.count(id)} times"


@check("files.list-whole")
def list_whole(target: Target) -> Findings:
    """Uploads more files than a page usually has, and deletes them again."""
    own = alone(target)
    made = [uploaded(own)["id"] for _ in range(PAGE + 1)]
    listed = set(ids(own))
    for id in made:
        own.call("deleteFile", path={"file_id": id})
    if left := [id for id in made if id not in listed]:
        yield f"{len(left)} of {len(made)} files were not listed"


@check("files.any-order", slow=True)
def any_order(target: Target) -> Findings:
    yield from shortest(alone(target), "FileObject")


@check("files.list-organization")
def list_organization(target: Target) -> Findings:
    own, other = apart(target), apart(target)
    id = uploaded(own)["id"]
    if id not in ids(own):
        raise Absent("uploaded file in the list of its own organisation")
    if id in ids(other):
        yield f"{id} was listed to another organisation"


@check("files.list-purpose")
def list_purpose(target: Target) -> Findings:
    kept = uploaded(target, purpose="assistants")["id"]
    uploaded(target, purpose="fine-tune")
    listed = target.call("listFiles", purpose="assistants").json()["data"]
    if kept not in [row["id"] for row in listed]:
        yield f"{kept} was not listed with its purpose"
    for purpose in sorted({row["purpose"] for row in listed} - {"assistants"}):
        yield f"a file of the purpose {purpose!r} was listed with those of assistants"


@check("files.retrieve-equals-upload")
def retrieve_equals_upload(target: Target) -> Findings:
    made = uploaded(target)
    found = retrieved(target, made["id"]).json()
    for key in sorted({*made, *found} - {*STATUS}):
        if made.get(key) != found.get(key):
            yield f"{key} was {made.get(key)!r} when uploaded, then {found.get(key)!r}"


@check("files.retrieve-unknown")
def retrieve_unknown(target: Target) -> Findings:
    answer = retrieved(target, NOBODY)
    if answer.status != 404:
        yield f"an unknown file was answered {answer.status}"


@check("files.retrieve-unknown-param")
def retrieve_unknown_param(target: Target) -> Findings:
    param = retrieved(target, NOBODY).error["param"]
    if param != "id":
        yield f"the param was {param!r}"


@check("files.retrieve-organization")
def retrieve_organization(target: Target) -> Findings:
    yield from foreign(target, "retrieveFile")


@check("files.delete-told")
def delete_told(target: Target) -> Findings:
    id = uploaded(target)["id"]
    told = target.call("deleteFile", path={"file_id": id}).json()
    if told["id"] != id or told["deleted"] is not True:
        yield f"the deletion of {id} was told as {told.plain!r}"


@check("files.delete-gone")
def delete_gone(target: Target) -> Findings:
    yield from undeleted(target, "retrieveFile")


@check("files.delete-content-gone")
def delete_content_gone(target: Target) -> Findings:
    yield from undeleted(target, "downloadFile")


@check("files.delete-unknown")
def delete_unknown(target: Target) -> Findings:
    answer = target.call("deleteFile", path={"file_id": NOBODY})
    if answer.status != 404:
        yield f"the deletion of an unknown file was answered {answer.status}"


@check("files.delete-twice")
def delete_twice(target: Target) -> Findings:
    path = {"file_id": uploaded(target)["id"]}
    target.call("deleteFile", path=path).served()
    again = target.call("deleteFile", path=path)
    if again.status != 404:
        yield f"the second deletion was answered {again.status}"


@check("files.delete-organization")
def delete_organization(target: Target) -> Findings:
    yield from foreign(target, "deleteFile")


@check("files.content-bytes")
def content_bytes(target: Target) -> Findings:
    """Lines that end in CRLF and the last in nothing; then every byte, if taken."""
    data = lines(LINE, {**LINE, "completion": " é\t"})
    crlf = data.replace(b"\n", b"\r\n").removesuffix(b"\r\n")
    yield from altered(target, "fine-tune", crlf)
    yield from altered(target, other_purpose(target), bytes(range(256)) * 8)


@check("files.content-type")
def content_type(target: Target) -> Findings:
    answer = downloaded(target, uploaded(target)["id"])
    answer.served()
    if answer.content_type != "application/octet-stream":
        yield f"the content type was {answer.headers.get('content-type')!r}"


@check("files.content-unknown")
def content_unknown(target: Target) -> Findings:
    answer = downloaded(target, NOBODY)
    if answer.status != 404:
        yield f"the contents of an unknown file were answered {answer.status}"


@check("files.content-organization")
def content_organization(target: Target) -> Findings:
    yield from foreign(target, "downloadFile")


def altered(target: Target, purpose: str, data: bytes) -> Findings:
    """Findings where the bytes do not come back as they were sent."""
    answer = target.call("createFile", purpose=purpose, file=file(data))
    if answer.refused and purpose != "fine-tune":
        return
    back = downloaded(target, answer.json()["id"])
    back.served()
    if back.content != data:
        yield f"{len(data)} bytes were sent, {len(back.content)} others came back"


def foreign(target: Target, operation: str) -> Findings:
    """Findings where an operation reaches a file of another organisation."""
    own, other = apart(target), apart(target)
    path = {"file_id": uploaded(own)["id"]}
    retrieved(own, path["file_id"]).served()
    answer = other.call(operation, path=path)
    if answer.status != 404:
        yield f"another organisation's file was answered {answer.status}"
    if retrieved(own, path["file_id"]).refused:
        yield "its own organisation had it no more"


def undeleted(target: Target, operation: str) -> Findings:
    """Findings where an operation reaches a file that was deleted."""
    path = {"file_id": uploaded(target)["id"]}
    target.call(operation, path=path).served()
    target.call("deleteFile", path=path).served()
    answer = target.call(operation, path=path)
    if not answer.refused:
        yield f"the deleted file was answered {answer.status}"
