"""What is said of speech: a text that is read aloud."""

from conformance.answer import Answer
from conformance.probe import NOBODY
from conformance.recording import document
from conformance.registry import Findings, check
from conformance.sounds import begins, seconds
from conformance.target import Target
from conformance.view import Absent

MODELS = ("tts-1", "tts-1-hd")
OCTETS = "application/octet-stream"
TYPES = {
    "mp3": ("audio/mpeg",),
    "opus": ("audio/opus", "audio/ogg"),
    "aac": ("audio/aac",),
    "flac": ("audio/flac",),
}
"""The media types of each format; opus comes in Ogg, which has one of its own."""
WORD = "Yes."
MANY = "One day the river was frozen, and all the children went out to skate on it."


@check("speech.sound")
def sound(target: Target) -> Findings:
    for kind in TYPES:
        answer = spoken(target, response_format=kind)
        if not answer.content:
            yield f"the {kind} was empty"
        elif document(answer.text):
            yield f"the {kind} was JSON"


@check("speech.content-type")
def content_type(target: Target) -> Findings:
    for kind, types in TYPES.items():
        told = spoken(target, response_format=kind).content_type
        if told not in (*types, OCTETS):
            yield f"the content type of {kind} was {told!r}"


@check("speech.models")
def models(target: Target) -> Findings:
    for model in MODELS:
        answer = target.call("createSpeech", model=model)
        if answer.status != 200:
            yield f"{model} was answered {answer.status}"


@check("speech.model-endpoint")
def model_endpoint(target: Target) -> Findings:
    answer = target.call("createSpeech", model="whisper-1")
    if not answer.refused:
        yield f"whisper-1 was answered {answer.status}"


@check("speech.model-unknown")
def model_unknown(target: Target) -> Findings:
    answer = target.call("createSpeech", model=NOBODY)
    if answer.status != 404:
        yield f"an unknown model was answered {answer.status}"


@check("speech.format-default")
def format_default(target: Target) -> Findings:
    heard = spoken(target, response_format=...)
    if not begins(heard.content, "mp3"):
        yield f"the sound began with {heard.content[:8]!r}"


@check("speech.format-given")
def format_given(target: Target) -> Findings:
    for kind in TYPES:
        heard = spoken(target, response_format=kind)
        if not begins(heard.content, kind):
            yield f"the {kind} began with {heard.content[:8]!r}"


@check("speech.input-reaches")
def input_reaches(target: Target) -> Findings:
    short, long = (length(spoken(target, input=text)) for text in (WORD, MANY))
    if long <= short:
        yield f"one word took {short:.2f} s, and sixteen took {long:.2f} s"


@check("speech.speed-length")
def speed_length(target: Target) -> Findings:
    slow, fast = (length(spoken(target, speed=speed)) for speed in (0.25, 4))
    if fast >= slow:
        yield f"at speed 4 a text took {fast:.2f} s, at speed 0.25 {slow:.2f} s"


@check("speech.voices-differ")
def voices_differ(target: Target) -> Findings:
    one, two = (spoken(target, voice=voice).content for voice in ("alloy", "onyx"))
    if one == two:
        yield "alloy and onyx sounded the same to the byte"


def spoken(target: Target, **asked: object) -> Answer:
    """The answer to a lawful request."""
    answer = target.call("createSpeech", **asked)
    answer.served()
    return answer


def length(answer: Answer) -> float:
    """Seconds of a sound; raises Absent where it cannot be read."""
    try:
        return seconds(answer.content)
    except ValueError as fault:
        raise Absent(f"length of the sound: {fault}") from None
