"""Faults of recordings in words: of what is taken, and of what is told."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from mockserver.deviation import Body, Deviation
from mockserver.deviations.api import Told
from mockserver.deviations.speech import answered_by
from mockserver.faults import body_of, changed, refused_if, sent, without
from mockserver.reply import Reply
from mockserver.uploads import Upload
from spec import Operation, Refusal

PLAIN = ("text", "srt", "vtt")
TYPES = {"srt": "application/x-subrip", "vtt": "text/vtt"}
SUBTITLES = ("plain", "srt", "vtt", "line-end")
VERBOSE = (
    "verbose",
    "task",
    "segment*",
    "duration",
    "language-*",
    "temperature-raised",
)
EVERYTHING = ("audio.*", "api.*")
"""What a server breaks that takes no lawful form."""
TASKS = {"transcription": "createTranscription", "translation": "createTranslation"}


@dataclass(frozen=True)
class Task:
    """One of the two operations."""

    name: str

    def fault(self, id: str, noticed_by: str, *also: str, **seams: Any) -> Deviation:
        name = f"audio.{self.name}"
        patterns = tuple(p if "." in p else f"{name}-{p}" for p in also)
        operations = (TASKS[self.name],)
        return Deviation(
            f"{name}-{id}", f"{name}-{noticed_by}", operations, patterns, **seams
        )


# What changes a request


def file(body: Body) -> Any:
    """The file of a form; an empty description where there is none."""
    found = body.get("file")
    return found if isinstance(found, Upload) else {"filename": ""}


def named(*ends: str) -> Callable[[Operation, Body], Body]:
    """Refuses files whose names end so."""
    return refused_if(lambda body: file(body)["filename"].endswith(ends))


def typed(start: str) -> Callable[[Operation, Body], Body]:
    """Refuses files whose parts have such a media type."""
    return refused_if(
        lambda body: getattr(file(body), "media_type", "").startswith(start)
    )


def as_form(no: Refusal) -> Told:
    """Takes what is no form."""
    return Reply({"text": ""}) if no.name == "not-a-form" else no


def told_as(shape: str, *shapes: str) -> Callable[[Any], Any]:
    """Answers in one form where others are asked."""
    return changed(response_format=lambda asked: shape if asked in shapes else asked)


def readable(operation: Operation, body: Body) -> Body:
    """A temperature that cannot be read counts as not sent."""
    wrong = isinstance(body.get("temperature"), str)
    return without(body, "temperature") if wrong else body


# What changes an answer


def plain(change: Callable[[str], str]) -> Callable[[Reply], Reply]:
    """Changes the answers that are plain text."""

    def seam(reply: Reply) -> Reply:
        if not isinstance(reply.body, bytes):
            return reply
        return replace(reply, body=change(reply.body.decode()).encode())

    return seam


def verbose(**changes: Any) -> Callable[[Reply], Reply]:
    """Changes fields of a verbose answer, each by a function or to a value."""

    def change(body: Any) -> Any:
        if not (isinstance(body, dict) and "segments" in body):
            return body
        new = {k: v(body[k]) if callable(v) else v for k, v in changes.items()}
        return {**body, **new}

    return body_of(change)


def each(change: Callable[[Body], Body]) -> Callable[[Any], Any]:
    return lambda segments: [change(one) for one in segments]


def own_type(body: Body, reply: Reply) -> Reply:
    """Subtitles have media types of their own."""
    kind = TYPES.get(body.get("response_format", ""))
    return replace(reply, headers={"content-type": kind}) if kind else reply


def nearly_verbose(body: Body) -> Body:
    return without(body, "task", "language", "duration")


def thanks(body: Any) -> Any:
    """Hears in everything what is often said where nobody speaks."""
    return {**body, "text": "Thanks."} if isinstance(body, dict) else body


def untranslated(body: Body, reply: Reply) -> Reply:
    """Writes down what is said in the language that is spoken."""
    from reference_model.hearing import transcribe

    if not isinstance(reply.body, dict):
        return reply
    said = transcribe(body["file"].read()).text
    return replace(reply, body={**reply.body, "text": said})


def from_nought(body: str) -> str:
    """Counts the blocks of subtitles from 0."""
    return re.sub(r"^\d+$", lambda n: str(int(n[0]) - 1), body, flags=re.MULTILINE)


def of_both(task: Task) -> Iterator[Deviation]:
    """What either operation may get wrong."""
    fault = task.fault
    yield fault("takes-json", "json-refused", on_refusal=as_form)
    yield fault("text-parts-refused", "part-type", on_body=typed("text/"))
    yield fault("mpga-unknown", "formats", on_body=named("mpga", "mpeg"))
    yield fault("flac-unknown", "formats-added", on_body=named("flac", "ogg"))
    yield fault(
        "other-names",  # of the weights that are loaded
        "models",
        *EVERYTHING,
        on_body=refused_if(lambda body: body.get("model") == "whisper-1"),
    )
    yield fault(
        "any-model", "model-other", on_body=answered_by("whisper-1", lambda _: True)
    )
    yield fault("prompt-ignored", "prompt", on_request=changed(prompt=lambda _: None))
    yield fault(
        "whole-numbers",
        "form-numbers",
        "temperature-*",
        on_body=refused_if(lambda body: isinstance(body.get("temperature"), float)),
    )
    yield fault(
        "text-by-default",
        "default",
        "schema",
        on_body=sent(response_format="text"),
    )
    yield fault(
        "subtitles-refused",
        "each-format",
        "format-names",
        *SUBTITLES,
        on_body=refused_if(lambda body: body.get("response_format") in TYPES),
    )
    yield fault(
        "text-as-json",
        "text",
        "plain",
        "line-end",
        on_request=told_as("json", "text"),
    )
    yield fault(
        "format-ignored",
        "text",
        *SUBTITLES,
        *VERBOSE,
        on_request=changed(response_format=lambda _: "verbose_json"),
        on_reply=body_of(nearly_verbose),
    )
    yield fault("own-types", "plain", on_answer=own_type)
    yield fault("srt-from-nought", "srt", on_reply=plain(from_nought))
    yield fault("srt-as-vtt", "srt", on_request=told_as("vtt", "srt"))
    yield fault(
        "vtt-bare", "vtt", on_reply=plain(lambda body: body.removeprefix("WEBVTT\n\n"))
    )
    yield fault(
        "verbose-as-json",
        "verbose",
        *VERBOSE,
        on_request=told_as("json", "verbose_json"),
    )
    yield fault("task-other", "task", on_reply=verbose(task="translation"))


WRITE, TRANSLATE = map(Task, TASKS)
OF_ONE = (
    WRITE.fault("thanks", "reaches", on_reply=body_of(thanks)),
    TRANSLATE.fault("untranslated", "english", on_answer=untranslated),
    WRITE.fault("no-line-end", "line-end", on_reply=plain(str.rstrip)),
    WRITE.fault(
        "short-segments",
        "segments",
        "temperature-raised",
        on_reply=verbose(
            segments=each(lambda one: without(one, "tokens", "avg_logprob", "seek"))
        ),
    ),
    WRITE.fault(
        "segments-from-nought",  # each begins where its window does
        "segment-times",
        on_reply=verbose(segments=each(lambda one: {**one, "start": 0.0})),
    ),
    WRITE.fault("duration-of-window", "duration", on_reply=verbose(duration=30.0)),
    WRITE.fault(
        "language-untold",
        "language-told",
        "language-name",
        on_reply=verbose(language=None),
    ),
    WRITE.fault(
        "language-code",
        "language-name",
        on_reply=verbose(language=lambda name: name[:2]),
    ),
    WRITE.fault(
        "never-bolder",
        "temperature-raised",
        on_reply=verbose(segments=each(lambda one: {**one, "temperature": 0.0})),
    ),
    WRITE.fault("warm-is-none", "temperature-text", on_body=readable),
)
DEVIATIONS = (*of_both(WRITE), *of_both(TRANSLATE), *OF_ONE)
