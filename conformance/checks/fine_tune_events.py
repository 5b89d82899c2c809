"""What is said of the events of a fine-tune: listed, and streamed."""

from conformance.checks.fine_tunes import differs, found, made
from conformance.control import apart
from conformance.probe import NOBODY
from conformance.registry import Findings, check
from conformance.target import Target
from conformance.tuning import cancelled, events, new, opened, retrieved, streamed
from conformance.view import Absent

DONE = "[DONE]"


@check("fine-tunes.events-equal")
def events_equal(target: Target) -> Findings:
    id = new(target)["id"]
    listed, own = events(target, id).json(), retrieved(target, id).json()
    yield from differs("the list of events", listed["data"], own["events"])


@check("fine-tunes.events-unknown")
def events_unknown(target: Target) -> Findings:
    yield from found(events(target, NOBODY))


@check("fine-tunes.events-stream-optional")
def events_stream_optional(target: Target) -> Findings:
    answer = events(target, new(target)["id"])
    answer.served()
    if answer.content_type != "application/json":
        yield f"without stream the content type was {answer.content_type!r}"


@check("fine-tunes.events-stream-content-type")
def events_stream_content_type(target: Target) -> Findings:
    answer = streamed(target, new(target)["id"])
    answer.served()
    if answer.content_type != "text/event-stream":
        yield f"with stream the content type was {answer.content_type!r}"


@check("fine-tunes.events-stream-type")
def events_stream_type(target: Target) -> Findings:
    path = {"fine_tune_id": new(target)["id"]}
    for value in ("maybe", "2"):
        answer = target.call("listFineTuneEvents", path=path, stream=value)
        if not answer.refused:
            yield f"stream={value} was answered {answer.status}"


@check("fine-tunes.events-stream-objects")
def events_stream_objects(target: Target) -> Findings:
    for chunk in streamed(target, new(target)["id"]).chunks:
        yield from differs("the object", chunk.get("object"), "fine-tune-event")


@check("fine-tunes.events-stream-data-only")
def events_stream_data_only(target: Target) -> Findings:
    names = {
        name
        for event in streamed(target, new(target)["id"]).events
        for name, _ in event.fields
    }
    for name in sorted(names - {"data"}):
        yield f"an event had a line of {name}"


@check("fine-tunes.events-stream-as-they-occur")
def events_stream_as_they_occur(target: Target) -> Findings:
    """The first event comes long before the end, if it comes when it occurs."""
    own = apart(target)
    id = made(own)
    with opened(own, id) as stream:
        if next(stream.arriving, None) is None:
            raise Absent("event in the stream")
        status = retrieved(own, id).json()["status"]
        cancelled(own, id)
    if status not in ("pending", "running"):
        yield f"the first event came when the fine-tune was {status}"


@check("fine-tunes.events-stream-done-cancelled")
def events_stream_done_cancelled(target: Target) -> Findings:
    yield from undone(target, new(target)["id"])


@check("fine-tunes.events-stream-fold")
def events_stream_fold(target: Target) -> Findings:
    id = new(target)["id"]
    chunks = [chunk.plain for chunk in streamed(target, id).chunks]
    yield from differs("the stream", chunks, events(target, id).json()["data"].plain)


def undone(target: Target, id: str) -> Findings:
    """A finding where the stream of a fine-tune does not end as it should."""
    seen = streamed(target, id).events
    if not seen or seen[-1].data != DONE:
        yield f"the last event was {seen[-1].data if seen else None!r}"
