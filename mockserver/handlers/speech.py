"""Speech: a text read aloud, as one file."""

from dataclasses import dataclass
from functools import lru_cache

from mockserver.context import Context
from mockserver.registry import handles
from mockserver.reply import Reply

KEPT = 16  # sounds that need not be spoken again


@dataclass(frozen=True)
class CreateSpeech:
    """What to read, and how it shall sound."""

    model: str
    input: str
    voice: str
    response_format: str
    speed: float


@handles("createSpeech")
def create_speech(request: CreateSpeech, context: Context) -> Reply:
    context.charge(None)
    kind = request.response_format
    sound = _spoken(request.input, request.voice, request.speed, kind)
    return Reply(sound, headers={"content-type": _type(kind)}, model=request.model)


def _type(kind: str) -> str:
    """The media type of a format; mp3 is the one that goes by another name."""
    return "audio/mpeg" if kind == "mp3" else f"audio/{kind}"


@lru_cache(maxsize=KEPT)
def _spoken(text: str, voice: str, speed: float, kind: str) -> bytes:
    from reference_model.speech import speak

    return speak(text, voice, speed, kind)
