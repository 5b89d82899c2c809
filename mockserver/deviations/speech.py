"""Faults of speech: its form, its models, and what of the request is ignored."""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mockserver.deviation import Body, Deviation
from mockserver.faults import changed, refused_if, sent, told
from mockserver.reply import Reply
from spec import Operation

SPEAK = ("createSpeech",)
LOADED = "tts-1"
VOICES = ("tts-1", "tts-1-hd")


def fault(id: str, noticed_by: str, *also: str, **seams: Any) -> Deviation:
    """A deviation of the resource ``speech``."""
    patterns = tuple(p if "." in p else f"speech.{p}" for p in also)
    return Deviation(f"speech.{id}", f"speech.{noticed_by}", SPEAK, patterns, **seams)


def answered_by(
    loaded: str, instead_of: Callable[[str], bool]
) -> Callable[[Operation, Body], Body]:
    """One model answers in the place of others."""

    def seam(operation: Operation, body: Body) -> Body:
        asked = body.get("model")
        taken = isinstance(asked, str) and instead_of(asked)
        return {**body, "model": loaded} if taken else body

    return seam


def in_json(reply: Reply) -> Reply:
    if reply.status != 200:
        return reply
    return Reply({"audio": base64.b64encode(reply.body).decode()}, model=reply.model)


def empty(reply: Reply) -> Reply:
    return replace(reply, body=b"") if reply.status == 200 else reply


def as_mpeg(reply: Reply) -> Reply:
    """Whatever the format is, the header says mp3."""
    if reply.status != 200:
        return reply
    return replace(reply, headers={"content-type": "audio/mpeg"})


def first_word(text: str) -> str:
    return next(iter(text.split()), text)


DEVIATIONS = (
    fault("in-json", "sound", "content-type", "format-*", on_reply=in_json),
    fault("empty", "sound", "format-*", "voices-differ", on_reply=empty),
    fault("one-type", "content-type", on_reply=as_mpeg),
    fault(
        "without-hd",
        "models",
        on_body=refused_if(lambda body: body.get("model") == "tts-1-hd"),
    ),
    fault(
        "hears-too",
        "model-endpoint",
        on_body=answered_by(LOADED, lambda model: model == "whisper-1"),
    ),
    fault(
        "any-model",
        "model-unknown",
        "model-endpoint",
        on_body=answered_by(LOADED, lambda model: model not in VOICES),
    ),
    fault(
        "unknown-model-400",
        "model-unknown",
        on_refusal=told("model-not-found", status=400),
    ),
    fault("flac-by-default", "format-default", on_body=sent(response_format="flac")),
    fault(
        "always-mp3",
        "format-given",
        "content-type",
        on_request=changed(response_format=lambda _: "mp3"),
    ),
    fault("first-word", "input-reaches", on_request=changed(input=first_word)),
    fault("speed-ignored", "speed-length", on_request=changed(speed=lambda _: 1.0)),
    fault("one-voice", "voices-differ", on_request=changed(voice=lambda _: "alloy")),
)
