"""Faults of chat alone: messages, roles, deltas."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mockserver.deviation import Body, Deviation
from mockserver.faults import (
    body_of,
    chunks,
    forgiven,
    parts,
    refused_if,
    sent,
    with_choices,
    without,
)
from mockserver.reply import Reply
from spec import Operation, Refusal

Json = Any
OPERATION = ("createChatCompletion",)


def model_as_asked(asked: Body, reply: Reply) -> Reply:
    return replace(reply, body={**reply.body, "model": asked["model"]})


def contextless(operation: Operation, body: Body) -> Body:
    """Cuts messages down to what fits."""
    messages = body.get("messages")
    if not isinstance(messages, list):
        return body
    short = [
        {**m, "content": m["content"][:2000]}
        if isinstance(m, dict) and isinstance(m.get("content"), str)
        else m
        for m in messages
    ]
    return {**body, "messages": short}


def bounded(operation: Operation, body: Body) -> Body:
    """Cuts max_tokens down to what fits."""
    count = body.get("max_tokens")
    return (
        {**body, "max_tokens": 16}
        if isinstance(count, int) and count > 2000
        else (body)
    )


def uncoded(refusal: Refusal) -> Refusal:
    return replace(refusal, code=None)


def has_assistant(body: Body) -> bool:
    messages = body.get("messages")
    return isinstance(messages, list) and any(
        isinstance(message, dict) and message.get("role") == "assistant"
        for message in messages
    )


def roleless(items: Iterator[Any]) -> Iterator[Any]:
    """Leaves out the chunks that open a choice."""
    return (
        item
        for item in items
        if isinstance(item, str) or "role" not in item["choices"][0]["delta"]
    )


def role_of_first_choice(items: Iterator[Any]) -> Iterator[Any]:
    return (
        item
        for item in items
        if isinstance(item, str)
        or item["choices"][0]["index"] == 0
        or "role" not in item["choices"][0]["delta"]
    )


def role_everywhere(choice: Json) -> Json:
    return {**choice, "delta": {"role": "assistant", **choice["delta"]}}


def role_in_all_text(choice: Json) -> Json:
    return role_everywhere(choice) if choice["delta"] else choice


def with_message(choice: Json) -> Json:
    return {**choice, "message": choice["delta"]}


def as_message(choice: Json) -> Json:
    return {**without(choice, "delta"), "message": choice["delta"]}


def full_at_the_end(choice: Json) -> Json:
    return choice if choice["delta"] else {**choice, "delta": {"content": ""}}


def in_pairs(items: Iterator[Any]) -> Iterator[Any]:
    """Sends the chunks of two choices as one."""
    held: Json = None
    for item in items:
        if isinstance(item, str) or item["choices"][0]["index"] == 0:
            if held is not None:
                yield held
            held = item
        elif held is not None and not isinstance(held, str):
            held = {**held, "choices": [*held["choices"], *item["choices"]]}
        else:
            held = item
    if held is not None:
        yield held


def _named(name: str, clause: str, *also: str, **seams: Any) -> Deviation:
    patterns = tuple(p if "." in p else f"chat.{p}" for p in also)
    return Deviation(f"chat.{name}", f"chat.{clause}", OPERATION, patterns, **seams)


DEVIATIONS = (
    _named(
        "max-tokens-demanded",
        "example",
        "first-request",
        "max-tokens-default",
        "fuzz-valid",
        on_body=refused_if(lambda body: "max_tokens" not in body),
    ),
    _named(
        "low-temperatures-refused",
        "first-request",
        "temperature-*",
        "fuzz-valid",
        on_body=refused_if(lambda body: body.get("temperature") in (0.5, 0.7)),
    ),
    _named(
        "choice-without-finish-reason",
        "choice-fields",
        on_reply=with_choices(lambda choice: without(choice, "finish_reason")),
    ),
    _named(
        "choice-without-index",
        "choice-fields",
        on_reply=with_choices(lambda choice: without(choice, "index")),
    ),
    _named(
        "role-model",
        "message-role",
        "reply-schema",
        on_reply=with_choices(
            lambda c: {**c, "message": {**c["message"], "role": "model"}}
        ),
    ),
    _named(
        "content-missing",
        "message-role",
        "reply-schema",
        on_reply=with_choices(
            lambda c: {**c, "message": without(c["message"], "content")}
        ),
    ),
    _named(
        "usage-missing",
        "usage-present",
        on_reply=body_of(lambda body: without(body, "usage")),
    ),
    _named(
        "completion-model-served",
        "completion-model-refused",
        on_refusal=forgiven("not-chat-model"),
    ),
    _named(
        "model-as-asked", "alias-snapshot", "api.model-header", on_answer=model_as_asked
    ),
    _named(
        "assistant-refused",
        "roles",
        "role-known",
        "fuzz-valid",
        on_body=refused_if(has_assistant),
    ),
    _named(
        "choices-two",
        "single-choice",
        "max-tokens-bound",
        "stop-across-tokens",
        "stream-*",
        on_body=sent(n=2),
    ),
    _named(
        "max-tokens-16",
        "max-tokens-default",
        on_body=sent(max_tokens=16),
    ),
    _named("messages-cut", "context-exceeded", on_body=contextless),
    _named("max-tokens-cut", "context-max-tokens", on_body=bounded),
    _named("context-uncoded", "context-code", "model-unknown-code", on_refusal=uncoded),
    _named("stream-message", "stream-deltas", on_events=parts(with_message)),
    _named(
        "stream-message-only",
        "stream-deltas",
        "stream-*",
        "stop-across-tokens",
        on_events=parts(as_message),
    ),
    _named("stream-without-role", "stream-role-first", on_events=roleless),
    _named(
        "stream-role-of-first-choice",
        "stream-role-first",
        on_events=role_of_first_choice,
    ),
    _named(
        "stream-role-everywhere",
        "stream-role-once",
        "stream-finish-delta",
        on_events=parts(role_in_all_text),
    ),
    _named(
        "stream-full-at-the-end",
        "stream-finish-delta",
        on_events=parts(full_at_the_end),
    ),
    _named("stream-in-pairs", "stream-one-choice-each", "stream-*", on_events=in_pairs),
    _named(
        "stream-of-completions",
        "stream-chunks",
        on_events=chunks(lambda chunk: {**chunk, "object": "text_completion"}),
    ),
)
