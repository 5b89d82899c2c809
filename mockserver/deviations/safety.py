"""Faults in what guidance on safe use asks for: limits, lists, caps, access."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from mockserver.deviation import MOMENT, Body, Deviation
from mockserver.faults import (
    body_of,
    parts,
    told,
    with_choices,
)
from mockserver.reply import Refuse, Reply
from spec import Operation, Refusal

Json = Any
Request = Callable[[Any], Any]

COMPLETION, CHAT = "createCompletion", "createChatCompletion"
MODERATION = ("createModeration",)
FILTERED = "content_filter"


def noted(name: str, value: Any = None) -> Any:
    """What was noted of this caller under ``name``; ``value``, if any, from now on."""
    moment = MOMENT.get()
    place = f"{name} {moment.headers.get('authorization')}"
    if value is not None:
        moment.notes[place] = value
    return moment.notes.get(place)


def setting(field: str, change: Callable[[Any], Json]) -> Request:
    """Changes the requests that have ``field``, each by a function of itself."""
    return lambda asked: (
        replace(asked, **change(asked)) if hasattr(asked, field) else asked
    )


def in_prompt(body: Body, *words: str) -> bool:
    """Whether a prompt or a message holds one of ``words``."""
    asked = json.dumps(body.get("prompt") or body.get("messages"), ensure_ascii=False)
    return any(word in asked for word in words)


def prompt_of(body: Body) -> str:
    """The prompt, or the last message, if it is a text."""
    match body:
        case {"prompt": str(text)} | {"messages": [*_, {"content": str(text)}]}:
            return text
    return ""


def in_choices(change: Callable[[Json], Json]) -> Callable[[Reply], Reply]:
    """Changes each choice of an answer that has any."""
    seam = with_choices(change)
    return lambda reply: seam(reply) if "choices" in reply.body else reply


def extended(choice: Json, text: str) -> Json:
    """A choice of either operation with more text."""
    if "text" in choice:
        return {**choice, "text": choice["text"] + text}
    message = choice["message"]
    return {**choice, "message": {**message, "content": message["content"] + text}}


def ended(before: str, after: str) -> Callable[[Json], Json]:
    """Choices that end for one reason name another."""

    def change(choice: Json) -> Json:
        due = choice.get("finish_reason") == before
        return {**choice, "finish_reason": after} if due else choice

    return change


def as_key_limit(asked: Any) -> Json:
    """The limit of one user is kept for all of a key's users together."""
    limit = asked.user_requests
    return {} if limit is None else {"requests": limit, "user_requests": None}


def together(page: Json) -> Json:
    """The requests of all end users are one figure."""
    if "user_requests" not in page:
        return page
    total = sum(page["user_requests"].values())
    return {**page, "user_requests": dict.fromkeys(page["user_requests"], total)}


def by_alias(page: Json) -> Json:
    """Usage is kept by the name that was asked for."""
    if "models" not in page:
        return page
    asked = {re.sub(r"-\d{4}$", "", id): n for id, n in page["models"].items()}
    return {**page, "models": asked}


def list_noted(asked: Any) -> Json:
    noted("terms", tuple(asked.blocked or ()))
    return {}


def marked_only(choice: Json) -> Json:
    """The filter says what it found, and lets it through."""
    if choice["finish_reason"] != FILTERED:
        return choice
    return extended(choice, noted("terms")[0])


def leaking(items: Iterator[Any]) -> Iterator[Any]:
    """The first letters of a term are out before the filter knows what they begin."""
    letters = (noted("terms") or ("",))[0][:3]
    for item in items:
        choice = {} if isinstance(item, str) else item["choices"][0]
        if choice.get("finish_reason") == FILTERED:
            said = (
                {"text": letters}
                if "text" in choice
                else {"delta": {"content": letters}}
            )
            early = {**choice, **said, "finish_reason": None}
            yield {**item, "choices": [early]}
        yield item


def list_kept(asked: Any) -> Json:
    """A list that was set once is never emptied."""
    kept = noted("kept", tuple(asked.blocked) if asked.blocked else None)
    return {"blocked": asked.blocked or kept}


def harsh_filtered(asked: Body, reply: Reply) -> Reply:
    """A filter that nobody asked for ends what may go on badly."""
    if not in_prompt(asked, "worst", "angry"):
        return reply
    change = with_choices(lambda choice: {**choice, "finish_reason": FILTERED})
    return change(reply)


def cap_noted(asked: Any) -> Json:
    noted("cap", asked.completion_tokens is not None)
    return {}


def cut_as_end(choice: Json) -> Json:
    return ended("length", "stop")(choice) if noted("cap") else choice


def revocation_noted(asked: Any) -> Json:
    MOMENT.get().notes[f"revoked Bearer {asked.key}"] = True
    return {}


def revoked_forbidden(no: Refusal) -> Refusal:
    """The key is known, says the gateway: it may not, that is all."""
    due = no.name == "wrong-key" and noted("revoked")
    return replace(no, status=403) if due else no


def moderation_billed(reply: Reply) -> Reply:
    """Ten tokens for each moderation, whatever it was."""
    if "usage" not in reply.body:
        noted("billed", (noted("billed") or 0) + 10)
        return reply
    usage = dict(reply.body["usage"])
    usage["prompt_tokens"] += noted("billed") or 0
    return replace(reply, body={**reply.body, "usage": usage})


def quota_noted(asked: Any) -> Json:
    noted("quota", asked.quota == 0)
    return {}


def no_quota_left(operation: Operation, body: Body) -> Body:
    if operation.id in MODERATION and noted("quota"):
        raise Refuse(operation.refusals["quota"])
    return body


def fault(
    id: str, noticed_by: str, operations: tuple[str, ...], **seams: Any
) -> Deviation:
    """A deviation of the resource ``safety``."""
    return Deviation(f"safety.{id}", f"safety.{noticed_by}", operations, **seams)


SPEAKING = (COMPLETION, CHAT)
LIMITS = ("controlLimits", *SPEAKING)
POLICY = ("controlPolicy", *SPEAKING)
COUNTERS = ("controlCounters", *SPEAKING)

USERS = (
    fault(
        "user-limit-dropped",
        "user-limit",
        LIMITS,
        on_request=setting("user_requests", lambda _: {"user_requests": None}),
    ),
    fault(
        "user-limit-of-key",
        "user-limit-apart",
        LIMITS,
        on_request=setting("user_requests", as_key_limit),
    ),
    fault(
        "user-requests-together",
        "user-burst",
        COUNTERS,
        on_reply=body_of(together),
    ),
    fault("usage-by-alias", "snapshot-usage", COUNTERS, on_reply=body_of(by_alias)),
)
BLOCKED = (
    fault(
        "blocklist-marks-only",
        "blocklist",
        POLICY,
        on_request=setting("blocked", list_noted),
        on_reply=in_choices(marked_only),
    ),
    fault(
        "blocklist-as-stop",
        "blocklist-finish",
        SPEAKING,
        also=("completions.content-filter",),
        on_reply=in_choices(ended(FILTERED, "stop")),
    ),
    fault(
        "blocklist-as-stop-in-streams",
        "blocklist-finish",
        SPEAKING,
        on_events=parts(ended(FILTERED, "stop")),
    ),
    fault(
        "blocklist-leaks",
        "blocklist-stream",
        POLICY,
        on_request=setting("blocked", list_noted),
        on_events=leaking,
    ),
    fault(
        "blocklist-stays",
        "blocklist-off",
        POLICY,
        on_request=setting("blocked", list_kept),
    ),
    fault("harsh-filtered", "unfiltered", (COMPLETION,), on_answer=harsh_filtered),
)
CAPS = (
    fault(
        "output-cap-ignored",
        "output-cap",
        POLICY,
        on_request=setting("blocked", lambda _: {"completion_tokens": None}),
    ),
    fault(
        "output-cap-as-stop",
        "output-cap",
        POLICY,
        on_request=setting("blocked", cap_noted),
        on_reply=in_choices(cut_as_end),
    ),
    fault(
        "input-cap-ignored",
        "input-cap",
        POLICY,
        on_request=setting("blocked", lambda _: {"prompt_tokens": None}),
    ),
    fault(
        "input-cap-too-large",
        "input-cap",
        SPEAKING,
        on_refusal=told("prompt-limit", status=413),
    ),
)
ACCESS = (
    fault(
        "revoked-key-served",
        "revoked-key",
        ("controlRevokeKey", "listModels"),
        on_request=setting("key", lambda _: {"key": "sk-another"}),
    ),
    fault(
        "revoked-key-forbidden",
        "revoked-key",
        ("controlRevokeKey", "listModels"),
        on_request=setting("key", revocation_noted),
        on_refusal=revoked_forbidden,
    ),
    fault(
        "moderation-billed",
        "moderation-free",
        ("controlCounters", *MODERATION),
        on_reply=moderation_billed,
    ),
    fault(
        "moderation-within-quota",
        "moderation-beyond-quota",
        ("controlLimits", COMPLETION, *MODERATION),
        on_request=setting("quota", quota_noted),
        on_body=no_quota_left,
    ),
)
DEVIATIONS = (*USERS, *BLOCKED, *CAPS, *ACCESS)
