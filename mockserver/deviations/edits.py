"""Faults of edits."""

from typing import Any

from mockserver.deviation import Body, Deviation
from mockserver.deviations.sampling import counted_once
from mockserver.faults import (
    body_of,
    changed,
    forgiven,
    loaded_model,
    milliseconds,
    refused_if,
    sent,
    told,
    total_wrong,
    with_choices,
    with_usage,
    without,
)
from mockserver.reply import Refuse, Reply
from spec import Operation, Refusal

Json = Any
CODE = "code-davinci-edit-001"
CUT = 400  # characters


def one_model(operation: Operation, body: Body) -> Body:
    if body.get("model") == CODE:
        raise Refuse(operation.refusals["model-not-found"].worded(model=CODE))
    return body


def counted_as_word(asked: Body, reply: Reply) -> Reply:
    """An input that is left out counts as a word."""
    more = "input" not in asked
    return with_usage(
        lambda usage: {**usage, "prompt_tokens": usage["prompt_tokens"] + more}
    )(reply)


def untouched(asked: Body, reply: Reply) -> Reply:
    """Gives back what came in."""
    given = with_choices(lambda choice: {**choice, "text": asked.get("input") or ""})
    return given(reply)


def as_events(refusal: Refusal) -> Refusal | Reply:
    """Streams to who asks for it."""
    if refusal.name != "unknown-argument" or "stream" not in refusal.message:
        return refusal
    return Reply(b"data: [DONE]\n\n", headers={"content-type": "text/event-stream"})


def _named(name: str, clause: str, *also: str, **seams: Any) -> Deviation:
    patterns = tuple(p if "." in p else f"edits.{p}" for p in also)
    return Deviation(
        f"edits.{name}", f"edits.{clause}", ("createEdit",), patterns, **seams
    )


DEVIATIONS = (
    _named(
        "temperature-demanded",
        "example",
        "fuzz-valid",
        "temperature-type",
        on_body=refused_if(lambda body: "temperature" not in body),
    ),
    _named("input-given-back", "example-text", on_answer=untouched),
    _named(
        "choice-without-text",
        "choice-fields",
        "*",
        on_reply=with_choices(lambda choice: without(choice, "text")),
    ),
    _named(
        "choice-without-index",
        "choice-fields",
        "n-choices",
        on_reply=with_choices(lambda choice: without(choice, "index")),
    ),
    _named("with-id", "no-id", on_reply=body_of(lambda body: {**body, "id": "edit-1"})),
    _named(
        "created-in-milliseconds",
        "created-seconds",
        on_reply=milliseconds,
    ),
    _named("code-unknown", "models", on_body=one_model),
    _named(
        "other-endpoint-served",
        "model-endpoint",
        on_refusal=forgiven("wrong-endpoint"),
    ),
    _named("unknown-model-served", "model-unknown", on_body=loaded_model),
    _named(
        "input-demanded",
        "input-absent",
        "input-default",
        "input-type",
        "fuzz-valid",
        on_body=refused_if(lambda body: "input" not in body),
    ),
    _named("no-input-counted", "input-default", on_answer=counted_as_word),
    _named(
        "input-dropped",
        "input-counted",
        "reaches-model",
        "example-text",
        "context-exceeded",
        on_request=changed(input=lambda _: ""),
    ),
    _named(
        "instruction-dropped",
        "instruction-counted",
        "reaches-model",
        "usage-not-zero",
        "example-text",
        on_request=changed(instruction=lambda _: ""),
    ),
    _named(
        "input-unseen",
        "reaches-model",
        "input-counted",
        "example-text",
        "context-exceeded",
        on_request=changed(input=lambda text: text and "A text."),
    ),
    _named(
        "two-by-default",
        "n-default",
        "usage-*",
        "n-type",
        on_body=sent(n=2),
    ),
    _named(
        "n-ignored", "n-choices", "usage-all-choices", on_request=changed(n=lambda _: 1)
    ),
    _named(
        "numbered-from-one",
        "n-choices",
        on_reply=with_choices(lambda choice: {**choice, "index": choice["index"] + 1}),
    ),
    _named(
        "never-greedy",
        "temperature-zero",
        "*",
        "api.*",
        on_request=changed(temperature=lambda t: t or 1.5),
    ),
    _named(
        "both-refused",
        "temperature-and-top-p",
        "fuzz-valid",
        "top-p-*",
        on_body=refused_if(lambda body: {"temperature", "top_p"} <= body.keys()),
    ),
    _named("streamed", "not-streamed", "unknown-argument", on_refusal=as_events),
    _named("usage-total-wrong", "usage-sum", "api.*-usage", on_reply=total_wrong),
    _named(
        "usage-zero",
        "usage-not-zero",
        "usage-*",
        "*-counted",
        "api.*-usage",
        on_reply=with_usage(lambda usage: dict.fromkeys(usage, 0)),
    ),
    _named("usage-of-one-choice", "usage-all-choices", on_answer=counted_once),
    _named(
        "input-cut",
        "context-exceeded",
        on_request=changed(input=lambda text: text[:CUT]),
    ),
    _named(
        "conflict",
        "never-conflict",
        "model-unknown",
        "api.never-conflict",
        on_refusal=told("model-not-found", status=409),
    ),
)
