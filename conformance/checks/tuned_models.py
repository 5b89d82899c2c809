"""What is said of fine-tunes that are followed to their end, and of what they make."""

import csv
import io
import re
from urllib.parse import quote

from conformance.checks.fine_tune_events import undone
from conformance.checks.fine_tunes import differs
from conformance.registry import Findings, check
from conformance.target import Target
from conformance.tuning import (
    BETAS,
    CLASSES,
    MANY,
    RUNNING,
    SUFFIX,
    Story,
    events,
    failed,
    finished,
    followed,
    plain,
    retrieved,
    running,
)
from conformance.uploads import LINE, downloaded, file, lines, uploaded
from conformance.view import Absent, View

STAMP = r"\d{4}(-\d\d){5}"
AT_ONCE = 5.0  # seconds
RATES = (0.05, 0.1, 0.2)
LARGEST = 256
TELLS = ("start", "model", "result", "succe")
"""Words in the events of a fine-tune that succeeded, one behind the other."""


@check("fine-tunes.lifecycle", slow=True)
def lifecycle(target: Target) -> Findings:
    story = followed(target)
    retrieved(story.at(target), story.id).served()
    first, *rest, last = story.statuses
    yield from differs("the first status", first, "pending")
    for status in (one for one in rest if one not in ("pending", "running")):
        yield f"the fine-tune was {status} on its way"
    if last not in ("succeeded", "failed"):
        yield f"the last status was {last!r}"


@check("fine-tunes.finished-model", slow=True)
def finished_model(target: Target) -> Findings:
    name = over(target)["fine_tuned_model"]
    if not isinstance(name, str) or not name:
        yield f"the fine_tuned_model was {name!r}"


@check("fine-tunes.finished-results", slow=True)
def finished_results(target: Target) -> Findings:
    purposes = [one["purpose"] for one in over(target)["result_files"]]
    yield from differs("the purposes of result files", purposes, ["fine-tune-results"])


@check("fine-tunes.finished-updated", slow=True)
def finished_updated(target: Target) -> Findings:
    first, last = finished(target).made["updated_at"], over(target)["updated_at"]
    if not last > first:
        yield f"updated_at was {first} when it was new, and {last} in the end"


@check("fine-tunes.failed-no-model", slow=True)
def failed_no_model(target: Target) -> Findings:
    story = failed(target)
    found = retrieved(story.at(target), story.id).json()
    yield from differs("fine_tuned_model", found["fine_tuned_model"], None)


@check("fine-tunes.events-order", slow=True)
def events_order(target: Target) -> Findings:
    times = [event["created_at"] for event in over(target)["events"]]
    if times != sorted(times):
        yield f"the events were created at {times}"


@check("fine-tunes.events-tell", slow=True)
def events_tell(target: Target) -> Findings:
    told = "\n".join(event["message"].lower() for event in over(target)["events"])
    place = 0
    for word in TELLS:
        place = told.find(word, place)
        if place < 0:
            yield f"no event told of {word!r} in its place"
            return


@check("fine-tunes.results-download", slow=True)
def results_download(target: Target) -> Findings:
    story = finished(target)
    answer = downloaded(story.at(target), story.last["result_files"][0]["id"])
    if answer.status != 200 or not answer.content:
        yield f"{len(answer.content)} bytes were answered with {answer.status}"


@check("fine-tunes.results-name", slow=True)
def results_name(target: Target) -> Findings:
    name = over(target)["result_files"][0]["filename"]
    yield from differs("the filename", name, "compiled_results.csv")


@check("fine-tunes.validation-metrics", slow=True)
def validation_metrics(target: Target) -> Findings:
    columns, filled = table(target)
    if not any("validation" in name for name in filled):
        yield f"the columns were {', '.join(columns)}"


@check("fine-tunes.betas-columns", slow=True)
def betas_columns(target: Target) -> Findings:
    columns, _ = table(target)
    for beta in BETAS:
        if not any(re.search(rf"f-?{beta:g}(\.0)?$", name) for name in columns):
            yield f"there was no column for the beta {beta}"


@check("fine-tunes.model-listed", slow=True)
def model_listed(target: Target) -> Findings:
    story = finished(target)
    listed = story.at(target).get("/models").json()["data"]
    if story.last["fine_tuned_model"] not in [one["id"] for one in listed]:
        yield "the model was not listed"


@check("fine-tunes.model-serves", slow=True)
def model_serves(target: Target) -> Findings:
    story = finished(target)
    asked = {"model": story.last["fine_tuned_model"], "max_tokens": 2}
    answer = story.at(target).call("createCompletion", **asked)
    if answer.status != 200 or not answer.json()["choices"]:
        yield f"a completion of the model was answered {answer.status}"


@check("fine-tunes.model-encoded", slow=True)
def model_encoded(target: Target) -> Findings:
    story = finished(target)
    name = quote(story.last["fine_tuned_model"], safe="")
    answer = story.at(target).get(f"/models/{name}")
    if answer.status != 200:
        yield f"{name} was answered {answer.status}"


@check("fine-tunes.model-name-suffix", slow=True)
def model_name_suffix(target: Target) -> Findings:
    yield from misnamed(finished(target), f":{SUFFIX}", target)


@check("fine-tunes.model-name", slow=True)
def model_name(target: Target) -> Findings:
    yield from misnamed(plain(target), "", target)


@check("fine-tunes.tuned-again", slow=True)
def tuned_again(target: Target) -> Findings:
    story = finished(target)
    own, asked = story.at(target), {"model": story.last["fine_tuned_model"]}
    answer = own.call("createFineTune", **asked)
    if answer.refused:
        yield f"a model that was tuned before was answered {answer.status}"
        return
    answer.served()
    retrieved(own, plain(target).id).served()


@check("fine-tunes.learns", slow=True)
def learns(target: Target) -> Findings:
    story = finished(target)
    own, last = story.at(target), story.last
    tuned, base = (likely(own, last[name]) for name in ("fine_tuned_model", "model"))
    if not tuned > base:
        yield f"an example had the log probability {tuned:.2f}, by its base {base:.2f}"


@check("fine-tunes.list-keeps-deleted", slow=True)
def list_keeps_deleted(target: Target) -> Findings:
    story = plain(target)
    own, name = story.at(target), story.last["fine_tuned_model"]
    own.call("deleteModel", path={"model": name})
    listed = [one["id"] for one in own.call("listFineTunes").json()["data"]]
    if story.id not in listed:
        yield "the fine-tune was not listed when its model was deleted"


@check("fine-tunes.training-file-records", slow=True)
def training_file_records(target: Target) -> Findings:
    """A server that takes neither the file nor the fine-tune has said what is wrong."""
    data = file(lines(LINE, {"prompt": "a ->"}))
    answer = target.call("createFile", file=data)
    if answer.refused:
        return
    made = target.call("createFineTune", training_file=answer.json()["id"])
    if made.refused:
        return
    try:
        failed(target)
    except Absent as lacking:
        yield f"a faulty file was taken, and the check found no {lacking.path}"


@check("fine-tunes.late-fault")
def late_fault(target: Target) -> Findings:
    id = uploaded(target, file=file(lines(LINE, {"prompt": "a ->"})))["id"]
    answer = target.call("createFineTune", training_file=id)
    status = answer.status if answer.refused else answer.json()["status"]
    yield from differs("the fine-tune of a faulty file", status, "pending")


@check("fine-tunes.batch-size-default", slow=True)
def batch_size_default(target: Target) -> Findings:
    size = chosen(running(target), "batch_size", target)
    if not 1 <= size <= 2 * 0.002 * MANY:
        yield f"for {MANY} examples the batch_size was {size}"


@check("fine-tunes.batch-size-most", slow=True)
def batch_size_most(target: Target) -> Findings:
    size = chosen(running(target), "batch_size", target)
    if size > LARGEST:
        yield f"the batch_size was {size}"


@check("fine-tunes.learning-rate-default", slow=True)
def learning_rate_default(target: Target) -> Findings:
    rate = chosen(running(target), "learning_rate_multiplier", target)
    if rate not in RATES:
        yield f"the learning_rate_multiplier was {rate}"


@check("fine-tunes.learning-rate-grows", slow=True)
def learning_rate_grows(target: Target) -> Findings:
    small, large = (
        chosen(running(target, batch), "learning_rate_multiplier", target)
        for batch in (None, LARGEST)
    )
    if large < small:
        yield f"the multiplier fell from {small} to {large} as the batch grew"


@check("fine-tunes.events-so-far", slow=True)
def events_so_far(target: Target) -> Findings:
    story = running(target)
    events(story.at(target), story.id).served()
    listed = story.listed
    if listed is None:
        raise Absent(RUNNING)
    if not listed.json()["data"]:
        yield "a fine-tune that was running had no events"
    if listed.seconds > AT_ONCE:
        yield f"the events were answered after {listed.seconds:.1f} s"


@check("fine-tunes.events-stream-done-succeeded", slow=True)
def events_stream_done_succeeded(target: Target) -> Findings:
    story = finished(target)
    yield from undone(story.at(target), story.id)


@check("fine-tunes.events-stream-done-failed", slow=True)
def events_stream_done_failed(target: Target) -> Findings:
    story = failed(target)
    yield from undone(story.at(target), story.id)


def over(target: Target) -> View:
    """The fine-tune that succeeded, as it is shown now."""
    story = finished(target)
    return retrieved(story.at(target), story.id).json()


def table(target: Target) -> tuple[list[str], set[str]]:
    """The columns of the result file, and those that have a value somewhere."""
    story = finished(target)
    id = story.last["result_files"][0]["id"]
    text = downloaded(story.at(target), id).text
    rows = list(csv.DictReader(io.StringIO(text)))
    if not rows:
        raise Absent("row in the result file")
    return list(rows[0]), {name for row in rows for name, told in row.items() if told}


def misnamed(story: Story, suffix: str, target: Target) -> Findings:
    """A finding where the model has another name than it should."""
    last = retrieved(story.at(target), story.id).json()
    base = str(last["model"]).partition(":")[0]
    house = str(last["organization_id"]).removeprefix("org-")
    wanted = rf"{re.escape(base)}:ft-{re.escape(house)}{re.escape(suffix)}-{STAMP}"
    if not re.fullmatch(wanted, str(last["fine_tuned_model"])):
        yield f"the model was named {last['fine_tuned_model']!r}"


def chosen(story: Story, name: str, target: Target) -> float:
    """What the server chose where nothing was asked for."""
    found = retrieved(story.at(target), story.id).json()["hyperparams"][name]
    if not isinstance(found, int | float):
        raise Absent(f"{name} of a fine-tune that is running")
    return found


def likely(own: Target, model: str) -> float:
    """How likely a model finds an example of the training."""
    prompt = "".join(CLASSES[0].values())
    asked = {"prompt": prompt, "max_tokens": 0, "echo": True, "logprobs": 0}
    choice = own.call("createCompletion", model=model, **asked).json()["choices"][0]
    return float(sum(choice["logprobs"]["token_logprobs"][1:]))
