"""Faults of the list of models and of one model."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from mockserver.deviation import Body, Deviation
from mockserver.deviations.api import Told
from mockserver.faults import body_of, changed, told
from mockserver.reply import Refuse, Reply
from spec import Refusal, load
from spec.pages import editions

SHOWN = ("listModels", "retrieveModel")
LOADED = "text-davinci-003"
TUNED = ":ft-"


def each(change: Callable[[Body], Body]) -> Callable[[Reply], Reply]:
    """Changes every model that is shown, in the list or alone."""

    def shown(body: Body) -> Body:
        if "data" in body:
            return {**body, "data": [change(entry) for entry in body["data"]]}
        return change(body)

    return body_of(shown)


def with_data(change: Callable[[list[Body]], list[Body]]) -> Callable[[Reply], Reply]:
    return body_of(lambda body: {**body, "data": change(body["data"])})


def without(key: str) -> Callable[[Body], Body]:
    return lambda entry: {k: v for k, v in entry.items() if k != key}


def owner_key(entry: Body) -> Body:
    return {**without("owned_by")(entry), "owner": entry["owned_by"]}


def model(id: str, **more: Any) -> Body:
    """A model that is made up."""
    return {"id": id, "object": "model", "created": 0, "owned_by": "openai", **more}


@cache
def known() -> frozenset[str]:
    """The base models of all editions."""
    return frozenset(id for edition in editions() for id in load(edition).models)


def any_model(request: Any) -> Any:
    """Whatever is asked for, the model that is loaded answers."""
    served = request.model in known() or TUNED in request.model
    return request if served else replace(request, model=LOADED)


def still_listed(rows: list[Body]) -> list[Body]:
    """What was shut down is listed as before; GPT-4, which not all have, is not."""
    ids = {row["id"] for row in rows}
    gone = (m.id for m in load().models.values() if m.shutdown and m.id not in ids)
    return [*rows, *(model(id) for id in gone if not id.startswith("gpt-4"))]


def raw_path(request: Any) -> Any:
    """The id is looked up as it is escaped in a path."""
    return replace(request, model=request.model.replace(":", "%3A"))


def empty_is_one(no: Refusal) -> Told:
    """The route takes an empty id, and the lookup finds a default."""
    if no.name != "unknown-url" or "/v1/models/)" not in no.message:
        return no
    return Reply(model(LOADED))


def tuned_found(no: Refusal) -> Told:
    """A deleted model lives on in a cache of single models."""
    if no.name != "model-not-found" or TUNED not in no.message:
        return no
    return Reply(model(no.message.split("`")[1]))


def deleted(no: Refusal, *names: str) -> Told:
    """Says that it deleted, though it did not."""
    if no.name not in names:
        return no
    return Reply({"id": "any", "object": "model", "deleted": True})


def kept(request: Any) -> Any:
    """Deletion is told, and nothing is done."""
    if TUNED in request.model:
        raise Refuse(replace(load().refusals["server-fault"], name="kept"))
    return request


def renamed(body: Body) -> Body:
    return {"id": body["id"], "object": body["object"], "status": "deleted"}


DEVIATIONS = (
    Deviation(
        "models.list-empty",
        "models.list-not-empty",
        ("listModels",),
        on_reply=with_data(lambda rows: []),
    ),
    Deviation(
        "models.permission-none",
        "models.list-permission",
        SHOWN,
        on_reply=each(without("permission")),
    ),
    Deviation(
        "models.owner-empty",
        "models.list-owner",
        SHOWN,
        on_reply=each(lambda entry: {**entry, "owned_by": ""}),
    ),
    Deviation(
        "models.owner-list",
        "models.list-owner",
        SHOWN,
        also=("models.list-schema", "models.retrieve-schema"),
        on_reply=each(lambda entry: {**entry, "owned_by": [entry["owned_by"]]}),
    ),
    Deviation(
        "models.owner-key",
        "models.list-schema",
        SHOWN,
        also=("models.retrieve-schema",),
        on_reply=each(owner_key),
    ),
    Deviation(
        "models.created-none",
        "models.list-schema",
        SHOWN,
        also=("models.retrieve-schema",),
        on_reply=each(without("created")),
    ),
    Deviation(
        "models.listed-twice",  # an alias and its snapshot share one row
        "models.list-unique",
        ("listModels",),
        on_reply=with_data(lambda rows: [*rows, rows[0]]),
    ),
    Deviation(
        "models.gpt-4-for-all",
        "models.list-gpt-4-paying",
        ("controlAddKey",),
        on_request=changed(tier=lambda _: "paying"),
    ),
    Deviation(
        "models.shutdown-listed",
        "models.list-no-shutdown",
        ("listModels",),
        on_reply=with_data(still_listed),
    ),
    Deviation(
        "models.created-milliseconds",
        "models.created-seconds",
        SHOWN,
        on_reply=each(lambda entry: {**entry, "created": entry["created"] * 1000}),
    ),
    Deviation(
        "models.created-decimal",
        "models.created-seconds",
        SHOWN,
        also=("models.list-schema", "models.retrieve-schema"),
        on_reply=each(lambda entry: {**entry, "created": entry["created"] + 0.25}),
    ),
    Deviation(
        "models.retrieve-missing",
        "models.retrieve-listed",
        also=("models.*", "api.under-v1", "api.key-required"),
        routes=lambda path: path != "/models/{model}",
    ),
    Deviation(
        "models.retrieve-created-now",  # the entry is made anew when it is asked for
        "models.retrieve-equals-list",
        ("retrieveModel",),
        on_reply=body_of(lambda body: {**body, "created": int(time.time())}),
    ),
    Deviation(
        "models.retrieve-without-id",
        "models.retrieve-needs-id",
        on_refusal=empty_is_one,
    ),
    Deviation(
        "models.retrieve-other-id",  # an id of the engine behind it
        "models.retrieve-id",
        ("retrieveModel",),
        also=("models.retrieve-equals-list", "models.retrieve-tuned"),
        on_reply=body_of(lambda body: {**body, "id": f"engine/{body['id']}"}),
    ),
    Deviation(
        "models.unknown-as-loaded",
        "models.retrieve-unknown",
        ("retrieveModel",),
        on_request=any_model,
    ),
    Deviation(
        "models.path-escaped",
        "models.retrieve-tuned",
        ("retrieveModel",),
        on_request=raw_path,
    ),
    Deviation(
        "models.deletion-renamed",
        "models.delete-schema",
        ("deleteModel",),
        on_reply=body_of(renamed),
    ),
    Deviation(
        "models.deletion-false",
        "models.delete-schema",
        ("deleteModel",),
        on_reply=body_of(lambda body: {**body, "deleted": False}),
    ),
    Deviation(
        "models.deleted-found",
        "models.delete-gone",
        ("retrieveModel",),
        on_refusal=tuned_found,
    ),
    Deviation(
        "models.deletion-undone",
        "models.delete-gone",
        ("deleteModel",),
        also=("models.delete-schema", "models.delete-owner-only"),
        on_request=kept,
        on_refusal=lambda no: deleted(no, "kept"),
    ),
    Deviation(
        "models.base-deleted",
        "models.delete-base-refused",
        ("deleteModel",),
        on_refusal=lambda no: deleted(no, "not-deletable"),
    ),
    Deviation(
        "models.unknown-deleted",  # deletion is idempotent, thinks the server
        "models.delete-unknown",
        ("deleteModel",),
        on_refusal=lambda no: deleted(no, "model-not-found"),
    ),
    Deviation(
        "models.unknown-deleted-400",
        "models.delete-unknown",
        ("deleteModel",),
        on_refusal=told("model-not-found", status=400),
    ),
    Deviation(
        "models.reader-deletes",
        "models.delete-owner-only",
        ("deleteModel",),
        on_refusal=lambda no: deleted(no, "not-owner"),
    ),
)
