"""What is said of engines, the old name of the models."""

from typing import Any

from conformance.control import apart
from conformance.probe import NOBODY
from conformance.registry import Findings, check
from conformance.target import Target
from conformance.view import Absent

YEAR_5138 = 10**11
"""Seconds; milliseconds are beyond it."""
ASKED = 3  # entries of a long list that are looked at one by one


@check("engines.list-answers")
def list_answers(target: Target) -> Findings:
    answer = target.get("/engines")
    if answer.status != 200:
        yield f"GET /engines was answered {answer.status}"


@check("engines.list-not-empty")
def list_not_empty(target: Target) -> Findings:
    if not target.get("/engines").json()["data"]:
        yield "the list was empty"


@check("engines.list-no-tuned")
def list_no_tuned(target: Target) -> Findings:
    own = apart(target)
    tuned = own.post("/_assay/models", base="ada").json()["id"]
    if tuned in ids(own):
        yield f"the fine-tuned model {tuned} was listed"


@check("engines.list-models")
def list_models(target: Target) -> Findings:
    models = {entry["id"] for entry in target.get("/models").json()["data"]}
    for id in ids(target):
        if id not in models:
            yield f"{id} is no model of GET /models"


@check("engines.list-unique")
def list_unique(target: Target) -> Findings:
    listed = ids(target)
    for id in sorted({id for id in listed if listed.count(id) > 1}):
        yield f"{id} was listed {listed.count(id)} times"


@check("engines.list-owner")
def list_owner(target: Target) -> Findings:
    for entry in entries(target):
        owner = entry.get("owner")
        if not isinstance(owner, str) or not owner:
            yield f"{entry['id']} had the owner {owner!r}"


@check("engines.created-seconds")
def created_seconds(target: Target) -> Findings:
    for entry in entries(target):
        created = entry.get("created")
        fits = type(created) is int and 0 <= created < YEAR_5138
        if created is not None and not fits:
            yield f"{entry['id']} was created at {created!r}"


@check("engines.retrieve-listed")
def retrieve_listed(target: Target) -> Findings:
    for entry in entries(target)[:ASKED]:
        answer = target.call("retrieveEngine", path={"engine_id": entry["id"]})
        if answer.status != 200:
            yield f"{entry['id']} was listed and answered {answer.status}"


@check("engines.retrieve-equals-list")
def retrieve_equals_list(target: Target) -> Findings:
    for entry in entries(target)[:ASKED]:
        one = target.call("retrieveEngine", path={"engine_id": entry["id"]}).json()
        if one.plain != entry.plain:
            yield f"{entry['id']} is {entry.plain} in the list and {one.plain} alone"


@check("engines.retrieve-id")
def retrieve_id(target: Target) -> Findings:
    for entry in entries(target)[:ASKED]:
        one = target.call("retrieveEngine", path={"engine_id": entry["id"]}).json()
        if one["id"] != entry["id"]:
            yield f"asked for {entry['id']}, got {one['id']}"


@check("engines.retrieve-unknown")
def retrieve_unknown(target: Target) -> Findings:
    answer = target.call("retrieveEngine", path={"engine_id": NOBODY})
    if answer.status != 404:
        yield f"an unknown engine was answered {answer.status}"


@check("engines.retrieve-needs-id")
def retrieve_needs_id(target: Target) -> Findings:
    answer = target.get("/engines/")
    if answer.status == 200 and answer.json().get("object") == "engine":
        yield f"an empty id was answered with the engine {answer.json().get('id')!r}"


@check("engines.old-urls")
def old_urls(target: Target) -> Findings:
    body = target.sample("createCompletion", model=..., max_tokens=1)
    asked = target.model("completions")
    answer = target.post(f"/engines/{asked}/completions", **body)
    if answer.status != 200:
        yield f"a completion of the engine {asked} was answered {answer.status}"
    elif not str(answer.json()["model"]).startswith(asked):
        yield f"asked of {asked}, answered by {answer.json()['model']!r}"


def entries(target: Target) -> list[Any]:
    """The entries of the list; raises Absent where there is none."""
    listed: list[Any] = list(target.get("/engines").json()["data"])
    if not listed:
        raise Absent("entry in the list of engines")
    return listed


def ids(target: Target) -> list[str]:
    return [entry["id"] for entry in entries(target)]
