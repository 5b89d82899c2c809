"""Faults of fine-tunes on their way, of their events, and of the models they make."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from mockserver.deviation import Body, Deviation
from mockserver.deviations.fine_tunes import MAKE, ONE, UNKNOWN, fault, hyper, when
from mockserver.deviations.models import raw_path, with_data
from mockserver.faults import (
    Events,
    body_of,
    changed,
    chunks,
    forgiven,
    refused_if,
    told,
)
from mockserver.reply import Reply

EVENTS, READ = ("listFineTuneEvents",), ("downloadFile",)
COMPLETE, MODELS = ("createCompletion",), ("listModels",)
TUNED = ":ft-"
RESULTS = b"step,"  # how a result file begins
LAST = "Fine-tune "  # how the message of the last event begins
NEEDED = ("model-*", "learns", "tuned-again", "list-keeps-deleted")
"""What the model is asked for."""
DONE = "[DONE]"


def succeeded(change: Callable[[Body], Body]) -> Callable[[Reply], Reply]:
    return when("succeeded", change)


def asks_tuned(body: Body) -> bool:
    return TUNED in str(body.get("model"))


def nameless(body: Body) -> Body:
    """Names a model without suffix otherwise."""
    name = str(body["fine_tuned_model"])
    if name.count(":") > 1:
        return body
    return {**body, "fine_tuned_model": name.replace(TUNED, ":tuned-")}


def happened(keep: Callable[[list[Body]], list[Body]]) -> Callable[[Reply], Reply]:
    return body_of(lambda body: {**body, "events": keep(body["events"])})


def results(change: Callable[[bytes], Any]) -> Callable[[Reply], Reply]:
    """Changes a result file that is read."""

    def seam(pieces: Any) -> Any:
        data = b"".join(pieces)
        return change(data) if data.startswith(RESULTS) else data

    return body_of(seam)


def lost(reply: Reply) -> Reply:
    """Has no result file."""
    data = b"".join(reply.body) if reply.status == 200 else b""
    if data.startswith(RESULTS):
        return Reply({"error": {"message": "No such File object"}}, 404)
    return Reply(data, headers=reply.headers) if reply.status == 200 else reply


def in_the_end(rows: list[Body]) -> list[Body]:
    """No event as long as there may come more."""
    over = rows[-1]["message"].startswith(LAST) and "started" not in rows[-1]["message"]
    return rows if over and "enqueued" not in rows[-1]["message"] else []


def at_once(items: Iterator[Any]) -> Iterator[Any]:
    yield from list(items)


def shortened(items: Iterator[Any]) -> Iterator[Any]:
    next(items, None)
    yield from items


def named(chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        yield b"event: message\n" + chunk


def endless(word: str) -> Events:
    """Leaves out the terminator behind a last event that tells of this."""

    def seam(items: Iterator[Any]) -> Iterator[Any]:
        last = ""
        for item in items:
            if item != DONE or word not in last:
                yield item
            last = json.dumps(item)

    return seam


def content_type(before: str, after: str) -> Callable[[dict[str, str]], dict[str, str]]:
    def seam(headers: dict[str, str]) -> dict[str, str]:
        same = headers["content-type"] == before
        return {**headers, "content-type": after} if same else headers

    return seam


WAYS = (
    fault(
        "ends-cancelled",
        "lifecycle",
        ONE,
        on_reply=succeeded(lambda body: {**body, "status": "cancelled"}),
    ),
    fault(
        "ends-modelless",
        "finished-model",
        ONE,
        *NEEDED,
        on_reply=succeeded(lambda body: {**body, "fine_tuned_model": None}),
    ),
    fault(
        "ends-without-results",
        "finished-results",
        ONE,
        on_reply=succeeded(lambda body: {**body, "result_files": []}),
    ),
    fault(
        "ends-unchanged",
        "finished-updated",
        ONE,
        on_reply=body_of(lambda body: {**body, "updated_at": body["created_at"]}),
    ),
    fault(
        "fails-with-model",
        "failed-no-model",
        ONE,
        on_reply=when("failed", lambda body: {**body, "fine_tuned_model": "curie:ft"}),
    ),
    fault(
        "fault-ignored",
        "training-file-records",
        ONE,
        on_reply=when("failed", lambda body: {**body, "status": "succeeded"}),
    ),
    fault(
        "events-backwards",
        "events-order",
        ONE,
        "events-equal",
        "events-tell",
        on_reply=happened(lambda rows: rows[::-1]),
    ),
    fault(
        "events-without-model",
        "events-tell",
        ONE,
        on_reply=happened(
            lambda rows: [r for r in rows if "model:" not in r["message"]]
        ),
    ),
    fault(
        "results-lost",
        "results-download",
        READ,
        on_reply=lost,
    ),
    fault(
        "results-renamed",
        "results-name",
        ONE,
        on_reply=body_of(
            lambda body: {
                **body,
                "result_files": [
                    {**one, "filename": "results.csv"} for one in body["result_files"]
                ],
            }
        ),
    ),
    fault(
        "results-unvalidated",
        "validation-metrics",
        READ,
        on_reply=results(lambda data: data.replace(b"validation_", b"second_set")),
    ),
    fault(
        "betas-ignored",
        "betas-columns",
        MAKE,
        on_request=changed(classification_betas=lambda _: None),
    ),
    fault(
        "batch-of-32",
        "batch-size-default",
        MAKE,
        "batch-size-unknown",
        on_request=changed(batch_size=lambda size: size or 32),
    ),
    fault(
        "batch-of-many",
        "batch-size-most",
        ONE,
        "batch-size-default",
        on_reply=hyper(lambda told: {**told, "batch_size": 1000}),
    ),
    fault(
        "rate-of-its-own",
        "learning-rate-default",
        ONE,
        on_reply=hyper(lambda told: {**told, "learning_rate_multiplier": 0.3}),
    ),
    fault(
        "rate-falls",
        "learning-rate-grows",
        ONE,
        "learning-rate-default",
        on_reply=hyper(
            lambda told: {
                **told,
                "learning_rate_multiplier": 1 / (told["batch_size"] or 1),
            }
        ),
    ),
)
MADE = (
    fault(
        "model-unlisted",
        "model-listed",
        MODELS,
        "models.*",
        on_reply=with_data(lambda rows: [r for r in rows if TUNED not in r["id"]]),
    ),
    fault(
        "model-deaf",
        "model-serves",
        COMPLETE,
        "learns",
        "models.*",
        on_body=refused_if(asks_tuned),
    ),
    fault(
        "model-escaped",
        "model-encoded",
        ("retrieveModel",),
        "models.*",
        on_request=raw_path,
    ),
    fault(
        "suffix-dropped",
        "model-name-suffix",
        MAKE,
        on_request=changed(suffix=lambda _: None),
    ),
    fault("model-otherwise", "model-name", ONE, on_reply=succeeded(nameless)),
    fault(
        "model-once",
        "tuned-again",
        MAKE,
        on_body=refused_if(asks_tuned),
    ),
    fault(
        "model-unlearned",  # the base answers in its place
        "learns",
        COMPLETE,
        "models.*",
        "completions.*",
        on_request=changed(model=lambda name: name.partition(":")[0]),
    ),
)
STREAMS = (
    fault(
        "events-list-late",
        "events-equal",
        EVENTS,
        "events-stream-fold",
        on_reply=with_data(lambda rows: rows[:-1]),
    ),
    fault(
        "events-unknown-400",
        "events-unknown",
        EVENTS,
        on_refusal=told(UNKNOWN, status=400),
    ),
    fault(
        "events-list-streamed",
        "events-stream-optional",
        EVENTS,
        "api.*",
        on_headers=content_type("application/json", "text/event-stream"),
    ),
    fault(
        "events-list-at-the-end",
        "events-so-far",
        EVENTS,
        on_reply=with_data(in_the_end),
    ),
    fault(
        "events-plain",
        "events-stream-content-type",
        EVENTS,
        "events-stream-*",
        on_headers=content_type("text/event-stream", "text/plain"),
    ),
    fault(
        "events-any-query", "events-stream-type", EVENTS, on_refusal=forgiven("schema")
    ),
    fault(
        "events-nameless",
        "events-stream-objects",
        EVENTS,
        "events-stream-fold",
        on_events=chunks(lambda event: {**event, "object": "event"}),
    ),
    fault("events-named", "events-stream-data-only", EVENTS, on_bytes=named),
    fault("events-held", "events-stream-as-they-occur", EVENTS, on_events=at_once),
    fault("events-lost", "events-stream-fold", EVENTS, on_events=shortened),
    *(
        fault(
            f"events-endless-{word}",
            f"events-stream-done-{word}",
            EVENTS,
            on_events=endless(word),
        )
        for word in ("succeeded", "failed", "cancelled")
    ),
)
DEVIATIONS: tuple[Deviation, ...] = (*WAYS, *MADE, *STREAMS)
