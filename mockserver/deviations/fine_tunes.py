"""Faults of fine-tunes: how they are asked for, shown, listed and cancelled."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mockserver.deviation import MOMENT, Body, Deviation
from mockserver.deviations.api import Told
from mockserver.deviations.models import with_data
from mockserver.faults import (
    body_of,
    changed,
    forgiven,
    refused_if,
    sent,
    told,
    without,
)
from mockserver.reply import Reply
from spec import Operation, Refusal

MAKE, ONE, END = ("createFineTune",), ("retrieveFineTune",), ("cancelFineTune",)
LIST, DELETE = ("listFineTunes",), ("deleteModel",)
UNKNOWN, NO_FILE = "no-such-fine-tune", "fine-tune-no-file"
PURPOSE, OVER = "fine-tune-file-purpose", "fine-tune-over"
MADE_UP: Body = {
    "id": "ft-made-up",
    "object": "fine-tune",
    "created_at": 1_680_000_000,
    "updated_at": 1_680_000_000,
    "model": "curie",
    "fine_tuned_model": None,
    "organization_id": "org-made-up",
    "status": "pending",
    "hyperparams": {
        "batch_size": None,
        "learning_rate_multiplier": None,
        "n_epochs": 4,
        "prompt_loss_weight": 0.01,
    },
    "training_files": [],
    "validation_files": [],
    "result_files": [],
    "events": [],
}


def fault(
    id: str, noticed_by: str, operations: tuple[str, ...], *also: str, **seams: Any
) -> Deviation:
    """A deviation of the resource ``fine-tunes``."""
    patterns = tuple(p if "." in p else f"fine-tunes.{p}" for p in (*also, "any-order"))
    name = f"fine-tunes.{noticed_by}"
    return Deviation(f"fine-tunes.{id}", name, operations, patterns, **seams)


def shown(**values: Any) -> Callable[[Reply], Reply]:
    """Shows other values."""
    return body_of(lambda body: {**body, **values})


def each(name: str, **values: Any) -> Callable[[Reply], Reply]:
    """Shows other values in each object of a list."""
    return body_of(lambda body: {**body, name: [{**o, **values} for o in body[name]]})


def hyper(change: Callable[[Body], Body]) -> Callable[[Reply], Reply]:
    return body_of(lambda body: {**body, "hyperparams": change(body["hyperparams"])})


def when(status: str, change: Callable[[Body], Body]) -> Callable[[Reply], Reply]:
    """Changes what is shown of a fine-tune of this status."""
    return body_of(lambda body: change(body) if body["status"] == status else body)


def made_up(name: str) -> Callable[[Refusal], Told]:
    """Answers as if nothing were wrong."""
    return lambda no: Reply(MADE_UP) if no.name == name else no


def validated(request: Any) -> Any:
    """Takes the training file for any validation file."""
    file = request.validation_file and request.training_file
    return replace(request, validation_file=file)


def unsaid(name: str, value: Any) -> Callable[[Operation, Body], Body]:
    """Takes a field of this value as if it had not been sent."""

    def seam(operation: Operation, body: Body) -> Body:
        return without(body, name) if body.get(name) == value else body

    return seam


def listed_to_all(reply: Reply) -> Reply:
    """Lists what anybody made."""
    known: dict[str, Body] = MOMENT.get().notes.setdefault("fine-tunes", {})
    if reply.status != 200:
        return reply
    if reply.body["object"] == "fine-tune":
        known[reply.body["id"]] = without(reply.body, "events")
        return reply
    there = {row["id"] for row in reply.body["data"]}
    more = [row for id, row in known.items() if id not in there]
    return with_data(lambda rows: [*rows, *more])(reply)


def listed_with_model(reply: Reply) -> Reply:
    """Lists no fine-tune whose model was deleted."""
    gone: set[str] = MOMENT.get().notes.setdefault("deleted", set())
    if reply.status != 200:
        return reply
    if reply.body.get("deleted"):
        gone.add(reply.body["id"])
        return reply
    return with_data(
        lambda rows: [row for row in rows if row["fine_tuned_model"] not in gone]
    )(reply)


MAKING = (
    fault(
        "made-running",
        "created-pending",
        MAKE,
        "lifecycle",
        "late-fault",
        on_reply=shown(status="running"),
    ),
    fault(
        "made-failed",
        "late-fault",
        MAKE,
        "lifecycle",
        "created-pending",
        on_reply=shown(status="failed"),
    ),
    fault(
        "made-with-model",
        "created-no-model",
        MAKE,
        on_reply=shown(fine_tuned_model="curie:ft-soon"),
    ),
    fault(
        "made-milliseconds",
        "created-seconds",
        MAKE,
        "finished-updated",
        on_reply=body_of(
            lambda body: {**body, "updated_at": body["updated_at"] * 1000}
        ),
    ),
    fault("made-warning", "created-event", MAKE, on_reply=each("events", level="warn")),
    fault("made-fileless", "created-files", MAKE, on_reply=shown(training_files=[])),
    fault(
        "made-other-purpose",
        "files-purpose",
        MAKE,
        "create-reply-schema",
        on_reply=each("training_files", purpose="train"),
    ),
    fault(
        "made-unvalidated",
        "validation-listed",
        MAKE,
        on_reply=shown(validation_files=[]),
    ),
    fault(
        "made-with-results",
        "no-results-yet",
        MAKE,
        on_reply=body_of(lambda body: {**body, "result_files": body["training_files"]}),
    ),
    fault(
        "made-by-name", "organization", MAKE, on_reply=shown(organization_id="assay")
    ),
    fault(
        "file-unknown-taken",
        "training-file-unknown",
        MAKE,
        "validation-file-unknown",
        on_refusal=made_up(NO_FILE),
    ),
    fault(
        "file-unknown-400",
        "training-file-unknown-status",
        MAKE,
        on_refusal=told(NO_FILE, status=400),
    ),
    fault(
        "file-any-purpose",
        "training-file-purpose",
        MAKE,
        "validation-file-purpose",
        on_refusal=made_up(PURPOSE),
    ),
    fault(
        "validation-unread",
        "validation-file-unknown",
        MAKE,
        "validation-*",
        "betas-columns",
        on_request=changed(validation_file=lambda _: None),
    ),
    fault(
        "validation-any-purpose",
        "validation-file-purpose",
        MAKE,
        "validation-*",
        on_request=validated,
    ),
    fault(
        "data-same-refused",
        "data-disjoint",
        MAKE,
        "fuzz-valid",
        on_body=refused_if(
            lambda body: body.get("training_file") == body.get("validation_file")
        ),
    ),
    fault("model-davinci", "model-default", MAKE, on_body=sent(model="davinci")),
    fault(
        "model-no-ada",
        "base-models",
        MAKE,
        "model-type",
        on_body=refused_if(lambda body: body.get("model") == "ada"),
    ),
    fault(
        "model-any",
        "other-model-refused",
        MAKE,
        on_refusal=forgiven("fine-tune-base-model"),
    ),
    fault(
        "hyper-without-rate",
        "hyperparams",
        MAKE,
        "create-reply-schema",
        on_reply=hyper(lambda told: without(told, "learning_rate_multiplier")),
    ),
    fault("epochs-one", "n-epochs-default", MAKE, on_body=sent(n_epochs=1)),
    fault(
        "epochs-always-four",
        "n-epochs-kept",
        MAKE,
        on_request=changed(n_epochs=lambda _: 4),
    ),
    fault(
        "prompt-loss-more",  # as the printed examples have it
        "prompt-loss-weight-default",
        MAKE,
        on_body=sent(prompt_loss_weight=0.1),
    ),
    fault(
        "batch-size-told",
        "batch-size-unknown",
        MAKE,
        on_reply=hyper(lambda told: {**told, "batch_size": 1}),
    ),
    fault(
        "rate-bounded",
        "learning-rate-free",
        MAKE,
        "learning-rate-type",
        "fuzz-valid",
        on_body=refused_if(lambda body: body.get("learning_rate_multiplier") == 0.5),
    ),
    fault(
        "classes-untold",
        "classification-echo",
        MAKE,
        on_reply=hyper(lambda told: without(told, "classification_n_classes")),
    ),
    fault("suffix-empty", "suffix-not-empty", MAKE, on_body=unsaid("suffix", "")),
)


def listed_as_made(reply: Reply) -> Reply:
    """Lists each fine-tune with the status that it was made with."""
    if MOMENT.get().operation not in LIST:
        return reply
    return each("data", status="pending")(reply)


LISTS = (
    fault(
        "list-late",
        "list-created",
        LIST,
        "list-*",
        on_reply=with_data(lambda rows: rows[:-1]),
    ),
    fault(
        "list-with-events",
        "list-no-events",
        LIST,
        on_reply=with_data(lambda rows: [{**row, "events": []} for row in rows]),
    ),
    fault("list-of-all", "list-own", (*MAKE, *LIST), on_reply=listed_to_all),
    fault(
        "list-as-made",  # the list is that of a moment ago
        "any-order",
        (*MAKE, *LIST, *ONE, *END),
        on_reply=listed_as_made,
    ),
    fault(
        "list-with-models",
        "list-keeps-deleted",
        (*LIST, *DELETE),
        on_reply=listed_with_model,
    ),
)
LOOKS = (
    fault("retrieve-other-id", "retrieve-id", ONE, on_reply=shown(id="ft-other")),
    fault(
        "retrieve-eventless",
        "retrieve-events",
        ONE,
        on_reply=body_of(lambda body: without(body, "events")),
    ),
    fault(
        "retrieve-unknown-400",
        "retrieve-unknown",
        ONE,
        on_refusal=told(UNKNOWN, status=400),
    ),
    fault(
        "retrieve-unknown-found", "retrieve-unknown", ONE, on_refusal=made_up(UNKNOWN)
    ),
    fault(
        "retrieve-queued",
        "status-known",
        ONE,
        "lifecycle",
        "retrieve-reply-schema",
        on_reply=when("pending", lambda body: {**body, "status": "queued"}),
    ),
)
ENDS = (
    fault("cancel-later", "cancel-status", END, on_reply=shown(status="running")),
    fault(
        "cancel-with-model",
        "cancel-no-model",
        END,
        on_reply=shown(fine_tuned_model="curie:ft-half"),
    ),
    fault(
        "cancel-forgotten",
        "cancel-stays",
        ONE,
        on_reply=when("cancelled", lambda body: {**body, "status": "running"}),
    ),
    fault("cancel-other-id", "cancel-id", END, on_reply=shown(id="ft-other")),
    fault(
        "cancel-again",  # it is idempotent, thinks the server
        "cancel-twice",
        END,
        on_refusal=made_up(OVER),
    ),
    fault(
        "cancel-unknown-400",
        "cancel-unknown",
        END,
        on_refusal=told(UNKNOWN, status=400),
    ),
    fault("cancel-unknown-done", "cancel-unknown", END, on_refusal=made_up(UNKNOWN)),
)
DEVIATIONS = (*MAKING, *LISTS, *LOOKS, *ENDS)
