"""Faults of the list of engines and of one engine."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mockserver.deviation import MOMENT, Body, Deviation
from mockserver.deviations.api import Told
from mockserver.deviations.models import LOADED, each, with_data, without
from mockserver.faults import body_of
from mockserver.reply import Reply
from spec import Refusal

SHOWN = ("listEngines", "retrieveEngine")
LIST, ONE = ("listEngines",), ("retrieveEngine",)
RETRIEVED = ("engines.retrieve-*",)


def fault(
    id: str, noticed_by: str, operations: tuple[str, ...], **seams: Any
) -> Deviation:
    """A deviation of the resource ``engines``."""
    return Deviation(f"engines.{id}", f"engines.{noticed_by}", operations, **seams)


def engine(id: str, **more: Any) -> Body:
    """An engine that is made up."""
    made = {"id": id, "object": "engine", "created": None, "owner": "openai"}
    return {**made, "ready": True, **more}


def made(**values: Any) -> Callable[[Body], Body]:
    return lambda entry: {**entry, **values}


def found(no: Refusal) -> Told:
    """An unknown engine is answered as one that is there."""
    return Reply(engine("made-up")) if no.name == "model-not-found" else no


def empty_is_one(no: Refusal) -> Told:
    """The route takes an empty id, and the lookup finds a default."""
    if no.name != "unknown-url" or "/v1/engines/)" not in no.message:
        return no
    return Reply(engine(LOADED))


def served(path: str) -> bool:
    return path != "/engines"


def tuned_too(reply: Reply) -> Reply:
    """Notes a fine-tuned model when it is made, and lists it too."""
    notes = MOMENT.get().notes
    if reply.body.get("object") == "model":
        notes["tuned"] = reply.body["id"]
    if "data" not in reply.body or "tuned" not in notes:
        return reply
    rows = [*reply.body["data"], engine(notes["tuned"])]
    return replace(reply, body={**reply.body, "data": rows})


DEVIATIONS = (
    fault("list-gone", "list-answers", (), also=("engines.*", "api.*"), routes=served),
    fault(
        "list-empty",
        "list-not-empty",
        LIST,
        also=("engines.*",),
        on_reply=with_data(lambda rows: []),
    ),
    fault(
        "list-tuned",
        "list-no-tuned",
        ("listEngines", "controlAddModel"),
        also=("engines.list-models",),
        on_reply=tuned_too,
    ),
    fault(
        "list-other-names",  # the names of the files that are loaded
        "list-models",
        SHOWN,
        also=RETRIEVED,
        on_reply=each(lambda entry: {**entry, "id": f"/models/{entry['id']}"}),
    ),
    fault(
        "list-twice",
        "list-unique",
        LIST,
        on_reply=with_data(lambda rows: [*rows, rows[0]]),
    ),
    fault("without-owner", "list-owner", SHOWN, on_reply=each(without("owner"))),
    fault(
        "created-milliseconds",
        "created-seconds",
        SHOWN,
        on_reply=each(made(created=1_600_000_000_000)),
    ),
    fault(
        "only-loaded",
        "retrieve-listed",
        ONE,
        also=RETRIEVED,
        on_request=lambda asked: (
            asked if asked.engine_id == LOADED else replace(asked, engine_id="-")
        ),
    ),
    fault(
        "retrieve-not-ready",
        "retrieve-equals-list",
        ONE,
        on_reply=body_of(made(ready=False)),
    ),
    fault(
        "retrieve-other-id",
        "retrieve-id",
        ONE,
        also=("engines.retrieve-equals-list",),
        on_reply=body_of(lambda body: {**body, "id": f"engine/{body['id']}"}),
    ),
    fault("unknown-found", "retrieve-unknown", ONE, on_refusal=found),
    fault("retrieve-without-id", "retrieve-needs-id", (), on_refusal=empty_is_one),
    fault(
        "old-urls-gone",
        "old-urls",
        (),
        routes=lambda path: not path.startswith("/engines/{engine_id}/"),
    ),
)
