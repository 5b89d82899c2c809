"""Recordings in words: as they were spoken, or in English."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from mockserver.context import Context
from mockserver.registry import handles
from mockserver.reply import Refuse, Reply
from mockserver.uploads import Upload

if TYPE_CHECKING:
    from reference_model.hearing import Segment, Transcript

PLAIN = {"content-type": "text/plain; charset=utf-8"}


@dataclass(frozen=True)
class Translate:
    """A recording, and how its words are told."""

    file: Upload
    model: str
    prompt: str | None
    response_format: str
    temperature: float


@dataclass(frozen=True)
class Transcribe(Translate):
    """The same of a language that may be known."""

    language: str | None


@handles("createTranscription")
def create_transcription(request: Transcribe, context: Context) -> Reply:
    from reference_model.hearing import transcribe

    listen = partial(transcribe, language=request.language or "")
    return _told("transcribe", listen, request, context)


@handles("createTranslation")
def create_translation(request: Translate, context: Context) -> Reply:
    from reference_model.hearing import translate

    return _told("translate", translate, request, context)


def _told(
    task: str,
    listen: Callable[..., "Transcript"],
    request: Translate,
    context: Context,
) -> Reply:
    """What is heard, in the form that was asked."""
    from reference_model.subtitles import srt, vtt

    context.charge(None)
    heard = _heard(listen, request, context)
    match request.response_format:
        case "text":
            return _plain(heard.text, request)
        case "srt":
            return _plain(srt(heard.segments), request)
        case "vtt":
            return _plain(vtt(heard.segments), request)
        case "verbose_json":
            return Reply(
                {"task": task, **_verbose(heard, context)}, model=request.model
            )
    return Reply({"text": heard.text}, model=request.model)


def _heard(
    listen: Callable[..., "Transcript"], request: Translate, context: Context
) -> "Transcript":
    """Raises Refuse where the file is broken."""
    from reference_model.audio import Broken

    prompt = request.prompt or ""
    context.saw(context.tokenizer.encode(prompt))
    try:
        heard = listen(
            request.file.read(), prompt=prompt, temperature=request.temperature
        )
    except Broken as fault:
        raise Refuse(context.operation.refusals["audio-undecodable"]) from fault
    segments = tuple(replace(one, text=_whole(one.text)) for one in heard.segments)
    return replace(heard, text=_whole(heard.text), segments=segments)


def _whole(text: str) -> str:
    """A sound made to harm may hold halves of surrogate pairs, which none can send."""
    return text.encode("utf-8", "replace").decode()


def _plain(text: str, request: Translate) -> Reply:
    body = text if text.endswith("\n") else f"{text}\n"
    return Reply(body.encode(), headers=PLAIN, model=request.model)


def _verbose(heard: "Transcript", context: Context) -> dict[str, Any]:
    return {
        "language": heard.language,
        "duration": heard.duration,
        "segments": [_segment(one, context) for one in heard.segments],
        "text": heard.text,
    }


def _segment(segment: "Segment", context: Context) -> dict[str, Any]:
    return {**asdict(segment), "tokens": context.tokenizer.encode(segment.text)}
