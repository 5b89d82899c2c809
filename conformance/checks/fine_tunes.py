"""What is said of a fine-tune that is asked for: its making, its end before time."""

from typing import Any

from conformance.control import alone, apart
from conformance.probe import NOBODY
from conformance.registry import Findings, check
from conformance.stateful import shortest
from conformance.target import Target
from conformance.tuning import cancelled, new, retrieved
from conformance.uploads import file, lines, other_purpose, uploaded
from conformance.view import Absent

SINCE, UNTIL = 10**9, 10**11
"""Seconds between which any fine-tune lies; milliseconds are beyond."""
BASES = ("ada", "babbage", "curie", "davinci")
HYPER = ("batch_size", "learning_rate_multiplier", "n_epochs", "prompt_loss_weight")
STATUSES = ("pending", "running", "succeeded", "failed", "cancelled")


@check("fine-tunes.created-pending")
def created_pending(target: Target) -> Findings:
    yield from differs("status", new(target)["status"], "pending")


@check("fine-tunes.created-no-model")
def created_no_model(target: Target) -> Findings:
    yield from differs("fine_tuned_model", new(target)["fine_tuned_model"], None)


@check("fine-tunes.created-seconds")
def created_seconds(target: Target) -> Findings:
    told = new(target)
    for name in ("created_at", "updated_at"):
        if type(told[name]) is not int or not SINCE <= told[name] < UNTIL:
            yield f"{name} was {told[name]!r}"


@check("fine-tunes.created-event")
def created_event(target: Target) -> Findings:
    levels = [event["level"] for event in new(target)["events"]]
    if "info" not in levels:
        yield f"the levels of the events were {levels}"


@check("fine-tunes.created-files")
def created_files(target: Target) -> Findings:
    id = uploaded(target)["id"]
    told = new(target, training_file=id)
    yield from lacks("training_files", told["training_files"], id)


@check("fine-tunes.files-purpose")
def files_purpose(target: Target) -> Findings:
    for one in new(target)["training_files"]:
        if one["purpose"] not in ("fine-tune", "fine-tune-train"):
            yield f"the purpose of a training file was {one['purpose']!r}"


@check("fine-tunes.validation-listed")
def validation_listed(target: Target) -> Findings:
    id = uploaded(target)["id"]
    told = new(target, validation_file=id)
    yield from lacks("validation_files", told["validation_files"], id)


@check("fine-tunes.no-results-yet")
def no_results_yet(target: Target) -> Findings:
    yield from differs("result_files", new(target)["result_files"], [])


@check("fine-tunes.organization")
def organization(target: Target) -> Findings:
    id = new(target)["organization_id"]
    if not str(id).startswith(("org-", "user-")):
        yield f"the organization_id was {id!r}"


@check("fine-tunes.training-file-unknown")
def training_file_unknown(target: Target) -> Findings:
    answer = target.call("createFineTune", training_file=NOBODY)
    if not answer.refused:
        yield f"an unknown training file was answered {answer.status}"


@check("fine-tunes.training-file-unknown-status")
def training_file_unknown_status(target: Target) -> Findings:
    answer = target.call("createFineTune", training_file=NOBODY)
    if answer.refused and answer.status != 404:
        yield f"an unknown training file was answered {answer.status}"


@check("fine-tunes.training-file-purpose")
def training_file_purpose(target: Target) -> Findings:
    yield from wrong_purpose(target, "training_file")


@check("fine-tunes.validation-file-unknown")
def validation_file_unknown(target: Target) -> Findings:
    answer = target.call("createFineTune", validation_file=NOBODY)
    if not answer.refused:
        yield f"an unknown validation file was answered {answer.status}"


@check("fine-tunes.validation-file-purpose")
def validation_file_purpose(target: Target) -> Findings:
    yield from wrong_purpose(target, "validation_file")


@check("fine-tunes.data-disjoint")
def data_disjoint(target: Target) -> Findings:
    id = uploaded(target)["id"]
    asked = {"training_file": id, "validation_file": id}
    answer = target.call("createFineTune", **asked)
    if answer.refused:
        yield f"the same file twice was answered {answer.status}"
    else:
        cancelled(target, answer.json()["id"])


@check("fine-tunes.model-default")
def model_default(target: Target) -> Findings:
    yield from differs("model", new(target)["model"], "curie")


@check("fine-tunes.base-models")
def base_models(target: Target) -> Findings:
    for name in BASES:
        answer = target.call("createFineTune", model=name)
        if answer.refused:
            yield f"{name} was answered {answer.status}"
            continue
        told = answer.json()
        cancelled(target, told["id"])
        yield from differs("model", told["model"], name)


@check("fine-tunes.other-model-refused")
def other_model_refused(target: Target) -> Findings:
    for name in ("text-davinci-003", "gpt-3.5-turbo"):
        answer = target.call("createFineTune", model=name)
        if answer.status != 400:
            yield f"{name} was answered {answer.status}"


@check("fine-tunes.hyperparams")
def hyperparams(target: Target) -> Findings:
    told = new(target)["hyperparams"]
    for name in HYPER:
        if name not in told:
            yield f"the hyperparams had no {name}"


@check("fine-tunes.n-epochs-default")
def n_epochs_default(target: Target) -> Findings:
    yield from differs("n_epochs", new(target)["hyperparams"]["n_epochs"], 4)


@check("fine-tunes.n-epochs-kept")
def n_epochs_kept(target: Target) -> Findings:
    for count in (1, 3):
        told = new(target, n_epochs=count)["hyperparams"]
        yield from differs("n_epochs", told["n_epochs"], count)


@check("fine-tunes.prompt-loss-weight-default")
def prompt_loss_weight_default(target: Target) -> Findings:
    told = new(target)["hyperparams"]
    yield from differs("prompt_loss_weight", told["prompt_loss_weight"], 0.01)


@check("fine-tunes.batch-size-unknown")
def batch_size_unknown(target: Target) -> Findings:
    yield from differs("batch_size", new(target)["hyperparams"]["batch_size"], None)


@check("fine-tunes.learning-rate-free")
def learning_rate_free(target: Target) -> Findings:
    answer = target.call("createFineTune", learning_rate_multiplier=0.5)
    if answer.refused:
        yield f"a learning_rate_multiplier of 0.5 was answered {answer.status}"
    else:
        cancelled(target, answer.json()["id"])


@check("fine-tunes.classification-echo")
def classification_echo(target: Target) -> Findings:
    id = uploaded(target)["id"]
    asked = {
        "compute_classification_metrics": True,
        "classification_n_classes": 2,
        "classification_positive_class": " a time",
    }
    told = new(target, validation_file=id, **asked)["hyperparams"]
    for name, value in asked.items():
        yield from differs(name, told.get(name), value)


@check("fine-tunes.suffix-not-empty")
def suffix_not_empty(target: Target) -> Findings:
    answer = target.call("createFineTune", suffix="")
    if not answer.refused:
        yield f"an empty suffix was answered {answer.status}"


@check("fine-tunes.list-created")
def list_created(target: Target) -> Findings:
    id = new(target)["id"]
    if id not in ids(target):
        yield f"{id} was not listed"


@check("fine-tunes.list-no-events")
def list_no_events(target: Target) -> Findings:
    new(target)
    for one in rows(target):
        if "events" in one:
            yield f"{one['id']} was listed with its events"
            return


@check("fine-tunes.any-order", slow=True)
def any_order(target: Target) -> Findings:
    yield from shortest(alone(target), "FineTune")


@check("fine-tunes.list-own")
def list_own(target: Target) -> Findings:
    own, other = apart(target), apart(target)
    id = new(own)["id"]
    if id not in ids(own):
        raise Absent("fine-tune in the list of its own organisation")
    if id in [row["id"] for row in other.call("listFineTunes").json()["data"]]:
        yield f"{id} was listed to another organisation"


@check("fine-tunes.retrieve-id")
def retrieve_id(target: Target) -> Findings:
    id = new(target)["id"]
    yield from differs("id", retrieved(target, id).json()["id"], id)


@check("fine-tunes.retrieve-events")
def retrieve_events(target: Target) -> Findings:
    if not retrieved(target, new(target)["id"]).json().get("events"):
        yield "the fine-tune had no events"


@check("fine-tunes.retrieve-unknown")
def retrieve_unknown(target: Target) -> Findings:
    yield from found(retrieved(target, NOBODY))


@check("fine-tunes.status-known")
def status_known(target: Target) -> Findings:
    id = made(target)
    shown = [retrieved(target, id).json(), cancelled(target, id).json(), *rows(target)]
    for status in sorted({str(one["status"]) for one in shown} - {*STATUSES}):
        yield f"a status was {status!r}"


@check("fine-tunes.cancel-status")
def cancel_status(target: Target) -> Findings:
    answer = cancelled(target, made(target))
    yield from differs("status", answer.json()["status"], "cancelled")


@check("fine-tunes.cancel-no-model")
def cancel_no_model(target: Target) -> Findings:
    told = cancelled(target, made(target)).json()
    yield from differs("fine_tuned_model", told["fine_tuned_model"], None)


@check("fine-tunes.cancel-stays")
def cancel_stays(target: Target) -> Findings:
    id = new(target)["id"]
    yield from differs("status", retrieved(target, id).json()["status"], "cancelled")


@check("fine-tunes.cancel-id")
def cancel_id(target: Target) -> Findings:
    id = made(target)
    yield from differs("id", cancelled(target, id).json()["id"], id)


@check("fine-tunes.cancel-twice")
def cancel_twice(target: Target) -> Findings:
    answer = cancelled(target, new(target)["id"])
    if not answer.refused:
        yield f"the second cancel was answered {answer.status}"


@check("fine-tunes.cancel-unknown")
def cancel_unknown(target: Target) -> Findings:
    yield from found(cancelled(target, NOBODY))


def differs(name: str, told: Any, wanted: Any) -> Findings:
    """A finding where a value is another one."""
    if told != wanted:
        yield f"{name} was {told!r} instead of {wanted!r}"


def lacks(name: str, files: Any, id: str) -> Findings:
    """A finding where a list of files does not hold the file alone."""
    if [one["id"] for one in files] != [id]:
        yield f"{name} had {len(files)} files, and not the one that was named"


def found(answer: Any) -> Findings:
    if answer.status != 404:
        yield f"an unknown fine-tune was answered {answer.status}"


def wrong_purpose(target: Target, name: str) -> Findings:
    """A finding where a file for something else is taken."""
    data = file(lines({"text": "a", "label": "b"}))
    id = uploaded(target, purpose=other_purpose(target), file=data)["id"]
    answer = target.call("createFineTune", **{name: id})
    if answer.status != 400:
        yield f"a file with another purpose was answered {answer.status}"


def made(target: Target) -> str:
    """The id of a new fine-tune."""
    return str(target.call("createFineTune").json()["id"])


def rows(target: Target) -> list[Any]:
    """The entries of the list; raises Absent where there is none."""
    listed = entries(target)
    if not listed:
        raise Absent("data[0]")
    return listed


def entries(target: Target) -> list[Any]:
    """The entries of the list, which may be none."""
    return list(target.call("listFineTunes").json()["data"])


def ids(target: Target) -> list[str]:
    return [row["id"] for row in entries(target)]
