"""Fine-tunes: jobs that make a model of a base and a file of examples."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mockserver.context import Context
from mockserver.handlers.files import shown as shown_file
from mockserver.leases import new
from mockserver.registry import handles, whole
from mockserver.reply import Refuse, Reply, Stream
from mockserver.tuning import FineTunes, Row, happened

PACE = 1  # seconds that a fine-tune waits at least, as a file does to be processed
PURPOSE = "fine-tune"
LOOK = 0.1  # seconds between two looks for new events
PULSE = 5.0  # seconds without one until a stream finds out whether its reader is there
HYPER = (
    "n_epochs",
    "batch_size",
    "learning_rate_multiplier",
    "prompt_loss_weight",
    "compute_classification_metrics",
    "classification_n_classes",
    "classification_positive_class",
    "classification_betas",
)


@dataclass(frozen=True)
class CreateFineTune:
    """What to learn from, by which model, and how."""

    training_file: str
    validation_file: str | None
    model: str
    n_epochs: int
    batch_size: int | None
    learning_rate_multiplier: float | None
    prompt_loss_weight: float
    compute_classification_metrics: bool
    classification_n_classes: int | None
    classification_positive_class: str | None
    classification_betas: Sequence[float] | None
    suffix: str | None
    hyperparameters: Mapping[str, Any] | None = None

    @property
    def hyper(self) -> dict[str, Any]:
        """All that says how to learn."""
        epochs = (self.hyperparameters or {}).get("n_epochs", "auto")
        newer = {} if epochs == "auto" else {"n_epochs": whole(epochs)}
        return {name: getattr(self, name) for name in HYPER} | newer


@dataclass(frozen=True)
class ListFineTunes:
    """Nothing to say."""


@dataclass(frozen=True)
class OneFineTune:
    """The fine-tune of the path."""

    fine_tune_id: str


@dataclass(frozen=True)
class ListEvents:
    """The fine-tune of the path, and whether its events come as they happen."""

    fine_tune_id: str
    stream: bool


@handles("createFineTune")
def create_fine_tune(request: CreateFineTune, context: Context) -> Reply:
    now, model = context.now, context.model(request.model).id
    row = {
        "id": context.id(),
        "created_at": now,
        "updated_at": now,
        "model": model,
        "fine_tuned_model": None,
        "status": context.house.spec.lifecycles["FineTune"].start,
        "hyper": request.hyper,
        "suffix": request.suffix,
        "training": _file(request.training_file, context),
        "validation": _file(request.validation_file, context),
        "results": None,
        "events": [],
        "job": new(now + PACE),
    }
    happened(row, now, f"Created fine-tune: {row['id']}")
    happened(row, now, f"Fine-tune enqueued. Queue number: {_ahead(context)}")
    context.house.jobs.add(PURPOSE, context.caller.organization.id, row)
    return Reply(shown(row, context))


@handles("listFineTunes")
def list_fine_tunes(request: ListFineTunes, context: Context) -> Reply:
    rows = context.house.store.all(PURPOSE, context.caller.organization.id)
    data = [shown(row, context) for row in rows]
    for one in data:
        del one["events"]
    return Reply({"object": "list", "data": data})


@handles("retrieveFineTune")
def retrieve_fine_tune(request: OneFineTune, context: Context) -> Reply:
    return Reply(shown(stored(request.fine_tune_id, context), context))


@handles("cancelFineTune")
def cancel_fine_tune(request: OneFineTune, context: Context) -> Reply:
    kind, house, now = _kind(context), context.caller.organization.id, context.now

    def cancelled(row: Row) -> Row:
        if kind.over(row):
            raise context.refuse("fine-tune-over", id=row["id"], status=row["status"])
        kind.cancelled(row, now)
        return row

    id = request.fine_tune_id
    row = context.house.store.change(kind.name, house, id, cancelled)
    if row is None:
        raise _unknown(id, context)
    context.house.jobs.ended(kind.name, house, row)
    return Reply(shown(row, context))


@handles("listFineTuneEvents")
def list_fine_tune_events(request: ListEvents, context: Context) -> Reply | Stream:
    row = stored(request.fine_tune_id, context)
    if request.stream:
        return Stream(_events(row["id"], context))
    return Reply({"object": "list", "data": row["events"]})


def stored(id: str, context: Context) -> Row:
    """The organisation's fine-tune of this id. Raises Refuse where there is none."""
    row = context.house.store.get(PURPOSE, context.caller.organization.id, id)
    if row is None:
        raise _unknown(id, context)
    return row


def shown(row: Row, context: Context) -> dict[str, Any]:
    """A fine-tune as the API shows it in this edition."""
    properties = context.house.spec.operations["retrieveFineTune"].reply["properties"]
    known = properties["hyperparams"]["properties"]
    told = {name: value for name, value in row["hyper"].items() if name in known}
    optional = [name for name in HYPER[4:] if told.get(name) is None]
    return {
        "id": row["id"],
        "object": "fine-tune",
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "model": row["model"],
        "fine_tuned_model": row["fine_tuned_model"],
        "organization_id": context.caller.organization.id,
        "status": row["status"],
        "hyperparams": {k: v for k, v in told.items() if k not in optional},
        "training_files": _shown_files(row["training"], context),
        "validation_files": _shown_files(row["validation"], context),
        "result_files": _shown_files(row["results"], context),
        "events": row["events"],
    }


def _events(id: str, context: Context) -> Iterator[dict[str, Any] | None]:
    """What happened and what happens, until the fine-tune is over."""
    kind, told, quiet = _kind(context), 0, time.monotonic()
    while True:
        row = stored(id, context)
        for event in row["events"][told:]:
            yield event
            told, quiet = told + 1, time.monotonic()
        if kind.over(row):
            return
        if time.monotonic() - quiet > PULSE:
            yield None
            quiet = time.monotonic()
        if not context.house.jobs.wait(LOOK):
            raise RuntimeError("the server is closing")


def _file(id: str | None, context: Context) -> dict[str, Any] | None:
    """The file to learn from. Raises Refuse where there is none, or no such one."""
    if id is None:
        return None
    row = context.house.store.get("file", context.caller.organization.id, id)
    if row is None:
        raise context.refuse("fine-tune-no-file", file=id[:100])
    if row["purpose"] != PURPOSE:
        words = {"file": row["id"], "purpose": row["purpose"]}
        raise context.refuse("fine-tune-file-purpose", **words)
    return row


def _shown_files(row: Row | None, context: Context) -> list[dict[str, Any]]:
    return [shown_file(row, context)] if row is not None else []


def _ahead(context: Context) -> int:
    """How many fine-tunes wait for their turn."""
    rows = context.house.store.all(PURPOSE, context.caller.organization.id)
    return sum(row["status"] == "pending" for row in rows)


def _kind(context: Context) -> FineTunes:
    return FineTunes(context.house.spec, context.house.store, context.house.ids)


def _unknown(id: str, context: Context) -> Refuse:
    return context.refuse("no-such-fine-tune", id=id[:100])
