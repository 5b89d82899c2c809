"""What is said of the words in a recording, and of what is told beside them."""

import re
from itertools import pairwise
from typing import Any

from conformance.checks.audio import PLAIN, TRANSLATE, WRITE
from conformance.recording import WORDS, hum, recording, silence
from conformance.registry import Findings, check
from conformance.target import Target
from conformance.view import Absent

SEGMENT = (
    *("id", "seek", "start", "end", "text", "tokens", "temperature"),
    *("avg_logprob", "compression_ratio", "no_speech_prob"),
)
NAMES = {"en": "english", "de": "german"}
UNSURE = -1.0  # average log probability of a segment that is tried again
EXACT = 0.15  # seconds by which a duration may be off, since codecs add to the ends
LENGTHS = (1.0, 3.0)  # seconds


@check("audio.transcription-reaches")
def reaches(target: Target) -> Findings:
    said = WRITE.told(target, "json").json()["text"]
    heard = re.findall(r"\w+", str(said).lower())
    if heard != [*WORDS]:
        yield f"{' '.join(WORDS)!r} was written down as {said!r}"


@check("audio.translation-english")
def english(target: Target) -> Findings:
    """What is said has no letter of English, what is answered has no other."""
    file = recording("mp3", "foreign")
    spoken = str(WRITE.told(target, "json", file=file).json()["text"])
    if spoken.isascii():
        raise Absent("word of the other language in the transcription")
    told = str(TRANSLATE.told(target, "json", file=file).json()["text"])
    if strange := [sign for sign in told if sign.isalpha() and not sign.isascii()]:
        yield f"the translation had the letter {strange[0]!r}"
    elif not re.search(r"[a-z]", told):
        yield f"the translation was {told!r}"


@check("audio.transcription-line-end")
def line_end(target: Target) -> Findings:
    for shape in PLAIN:
        body = WRITE.told(target, shape).text
        if not body.endswith("\n"):
            yield f"{shape} ended in {body[-5:]!r}"


@check("audio.transcription-segments")
def segments(target: Target) -> Findings:
    for place, segment in enumerate(spoken(target)):
        if missing := [name for name in SEGMENT if name not in segment]:
            yield f"segment {place} had no {', '.join(missing)}"


@check("audio.transcription-segment-times")
def segment_times(target: Target) -> Findings:
    found = spoken(target)
    if len(found) < 2:
        raise Absent("second segment")
    for one, two in pairwise(found):
        start, end = two["start"], one["end"]
        if start < end:
            yield f"a segment ended at {end} s, the next began at {start} s"


@check("audio.transcription-duration")
def duration(target: Target) -> Findings:
    for seconds in LENGTHS:
        told = verbose(target, file=hum(seconds))["duration"]
        if abs(float(told) - seconds) > EXACT:
            yield f"a file of {seconds} s had the duration {told!r}"


@check("audio.transcription-language-told")
def language_told(target: Target) -> Findings:
    told = verbose(target).get("language")
    if not isinstance(told, str) or not told.strip():
        yield f"the language was {told!r}"


@check("audio.transcription-language-name")
def language_name(target: Target) -> Findings:
    for code, name in NAMES.items():
        told = verbose(target, language=code)["language"]
        if str(told).lower() != name:
            yield f"the language {code} was told as {told!r}"


@check("audio.transcription-temperature-raised")
def temperature_raised(target: Target) -> Findings:
    """Where nothing is said, every word is unlikely."""
    found = verbose(target, file=silence(1.0), temperature=0)["segments"]
    unsure = [one for one in found if one["avg_logprob"] < UNSURE]
    if not unsure:
        raise Absent("segment of a low log probability")
    for one in unsure:
        if not one["temperature"] > 0:
            yield f"a log probability of {one['avg_logprob']} was left at temperature 0"


@check("audio.transcription-temperature-text")
def temperature_text(target: Target) -> Findings:
    answer = WRITE.ask(target, temperature="warm")
    if not answer.refused:
        yield f"the temperature warm was answered {answer.status}"


def verbose(target: Target, **asked: Any) -> Any:
    return WRITE.told(target, "verbose_json", **asked).json()


def spoken(target: Target) -> list[Any]:
    """The segments of a recording; raises Absent where there is none."""
    found: list[Any] = list(verbose(target)["segments"])
    if not found:
        raise Absent("segment")
    return found
