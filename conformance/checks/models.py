"""What is said of the list of models and of one model."""

import secrets
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import quote

from conformance.control import apart
from conformance.probe import NOBODY
from conformance.registry import Findings, check
from conformance.target import Target
from conformance.view import Absent

YEAR_5138 = 10**11
"""Seconds; milliseconds are beyond it, and a clock that was moved is not."""
DAY = 24 * 60 * 60  # seconds
GPT_4 = "gpt-4"
ASKED = 3  # entries of a long list that are looked at one by one


@check("models.list-not-empty")
def list_not_empty(target: Target) -> Findings:
    if not target.get("/models").json()["data"]:
        yield "the list was empty"


@check("models.list-permission")
def list_permission(target: Target) -> Findings:
    for entry in entries(target):
        permission = entry.get("permission")
        if not isinstance(permission, list):
            yield f"{entry['id']} had the permission {permission!r}"


@check("models.list-owner")
def list_owner(target: Target) -> Findings:
    for entry in entries(target):
        owner = entry["owned_by"]
        if not isinstance(owner, str) or not owner:
            yield f"{entry['id']} had the owner {owner!r}"


@check("models.list-unique")
def list_unique(target: Target) -> Findings:
    ids = [entry["id"] for entry in entries(target)]
    for id in sorted({id for id in ids if ids.count(id) > 1}):
        yield f"{id} was listed {ids.count(id)} times"


@check("models.created-seconds")
def created_seconds(target: Target) -> Findings:
    for entry in entries(target):
        created = entry["created"]
        if type(created) is not int or not 0 <= created < YEAR_5138:
            yield f"{entry['id']} was created at {created!r}"


@check("models.list-gpt-4-paying")
def list_gpt_4_paying(target: Target) -> Findings:
    own = apart(target)
    if not any(id.startswith(GPT_4) for id in ids(own)):
        raise Absent(f"{GPT_4} in the list of a key that pays")
    houses = [own.organization]
    made = target.post("/_assay/keys", organizations=houses, tier="free").json()
    for id in ids(replace(own, key=made["key"])):
        if id.startswith(GPT_4):
            yield f"the list of a key that does not pay had {id}"


@check("models.list-no-shutdown")
def list_no_shutdown(target: Target) -> Findings:
    """The clock is moved from one such day to the next, for a key of its own."""
    own = apart(target)
    ends = {m.id: m.shutdown for m in target.spec.models.values() if m.shutdown}
    ending = {id: ends[id] for id in ids(own) if id in ends}
    if not ending:
        raise Absent("model with a day of shutdown in the list")
    for day in sorted(set(ending.values())):
        move_to(own, date.fromisoformat(day))
        left = ids(own)
        for id in (id for id, end in ending.items() if end == day and id in left):
            yield f"{id} was still listed on {day}"


@check("models.retrieve-listed")
def retrieve_listed(target: Target) -> Findings:
    for entry in some(target, ASKED):
        answer = target.call("retrieveModel", path={"model": entry["id"]})
        if answer.status != 200:
            yield f"{entry['id']} was answered {answer.status}"


@check("models.retrieve-equals-list")
def retrieve_equals_list(target: Target) -> Findings:
    for entry in some(target, ASKED):
        one = target.call("retrieveModel", path={"model": entry["id"]}).json()
        if one != entry:
            keys = [key for key in {**entry, **one} if entry.get(key) != one.get(key)]
            yield f"{entry['id']} differed in {', '.join(keys) or 'its nulls'}"


@check("models.retrieve-needs-id")
def retrieve_needs_id(target: Target) -> Findings:
    body = target.get("/models/").body
    if isinstance(body, dict) and "id" in body:
        yield f"an empty id was answered with the model {body['id']!r}"


@check("models.retrieve-id")
def retrieve_id(target: Target) -> Findings:
    for entry in some(target, 1):
        one = target.call("retrieveModel", path={"model": entry["id"]}).json()
        if one["id"] != entry["id"]:
            yield f"{entry['id']} was answered with {one['id']!r}"


@check("models.retrieve-unknown")
def retrieve_unknown(target: Target) -> Findings:
    answer = target.call("retrieveModel", path={"model": NOBODY})
    if answer.status != 404:
        yield f"an unknown id was answered {answer.status}"


@check("models.retrieve-tuned")
def retrieve_tuned(target: Target) -> Findings:
    own = apart(target)
    name = tuned(own)
    for form in (name, quote(name, safe="")):
        answer = own.get(f"/models/{form}")
        if answer.status != 200:
            yield f"{form} was answered {answer.status}"
        elif answer.json()["id"] != name:
            yield f"{form} was answered with the model {answer.json()['id']!r}"


@check("models.delete-schema")
def delete_schema(target: Target) -> Findings:
    own = apart(target)
    name = tuned(own)
    told = own.call("deleteModel", path={"model": name}).json()
    yield from own.spec.operations["deleteModel"].answer.faults(told.plain)
    if told.get("id", name) != name or told.get("deleted", True) is not True:
        yield f"the deletion was told as {told.plain!r}"


@check("models.delete-gone")
def delete_gone(target: Target) -> Findings:
    own = apart(target)
    name = tuned(own)
    if name not in ids(own):
        raise Absent("new model in the list")
    own.call("deleteModel", path={"model": name}).served()
    if name in ids(own):
        yield "the deleted model was still listed"
    status = own.call("retrieveModel", path={"model": name}).status
    if status != 404:
        yield f"the deleted model was answered {status}"


@check("models.delete-base-refused")
def delete_base_refused(target: Target) -> Findings:
    answer = target.call("deleteModel", path={"model": spare(target)})
    if not answer.refused:
        yield f"the deletion of a base model was answered {answer.status}"


@check("models.delete-unknown")
def delete_unknown(target: Target) -> Findings:
    answer = target.call("deleteModel", path={"model": NOBODY})
    if answer.status != 404:
        yield f"the deletion of an unknown model was answered {answer.status}"


@check("models.delete-owner-only")
def delete_owner_only(target: Target) -> Findings:
    owner = apart(target)
    name = tuned(owner)
    houses = [owner.organization]
    made = target.post("/_assay/keys", organizations=houses, role="reader").json()
    reader = replace(owner, key=made["key"])
    answer = reader.call("deleteModel", path={"model": name})
    if not answer.refused:
        yield f"a reader's deletion was answered {answer.status}"
    elif owner.call("deleteModel", path={"model": name}).refused:
        yield "the owner's deletion was refused too"


def entries(target: Target) -> list[Any]:
    """The entries of the list; raises Absent where there is none."""
    rows = target.get("/models").json()["data"]
    if not rows:
        raise Absent("data[0]")
    return list(rows)


def ids(target: Target) -> list[str]:
    return [entry["id"] for entry in entries(target)]


def move_to(own: Target, day: date) -> None:
    """Move the clock of the target's organisation forward to the first of ``day``."""
    today = own.post("/_assay/clock", seconds=0).json()["today"]
    ahead = (day - date.fromisoformat(today)).days * DAY
    own.post("/_assay/clock", seconds=ahead).json()


def some(target: Target, most: int) -> list[Any]:
    """At most so many entries, drawn by chance: a list may have hundreds."""
    rows = entries(target)
    return target.random.sample(rows, min(most, len(rows)))


def spare(target: Target) -> str:
    """A listed model that the spec knows, and that nothing else asks for.

    A server that breaks the clause may really delete it.
    """
    used = set(target.models.values())
    for id in ids(target):
        if id in target.spec.models and id not in used:
            return id
    raise Absent("base model that the run can do without")


def tuned(own: Target) -> str:
    """The id of a new fine-tuned model of the target's organisation."""
    base, suffix = own.model("completions"), secrets.token_hex(4)
    made = own.post("/_assay/models", base=base, suffix=suffix).json()
    return str(made["id"])
