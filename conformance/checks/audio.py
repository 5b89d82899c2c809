"""What is said of recordings in words, as they were spoken or in English."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.answer import Answer
from conformance.control import apart, counters
from conformance.probe import NOBODY
from conformance.recording import ADDED, FORMATS, document, recording
from conformance.registry import Findings, check
from conformance.target import Target
from conformance.view import Absent

PLAIN = ("text", "srt", "vtt")
SHAPES = ("json", "verbose_json", *PLAIN)
VERBOSE = ("task", "language", "duration", "segments", "text")
PROMPTS = ("The names are Zyntrix and Digique.", "Umm, let me think like, hmm.")
ARROW = re.compile(r"(\d\d:\d\d:\d\d,\d{3}) --> (\d\d:\d\d:\d\d,\d{3})")


@dataclass(frozen=True)
class Task:
    """Writing down what is said, or the same in English."""

    name: str
    operation: str
    verb: str
    """What a verbose answer calls it."""

    def ask(self, target: Target, file: Any = None, **asked: Any) -> Answer:
        """The answer to a form with a file, by default a small wav."""
        sent = recording() if file is None else file
        return target.call(self.operation, file=sent, **asked)

    def told(self, target: Target, shape: str, **asked: Any) -> Answer:
        """The answer to a lawful request for one of the forms."""
        answer = self.ask(target, response_format=shape, **asked)
        answer.served()
        return answer


WRITE = Task("transcription", "createTranscription", "transcribe")
TRANSLATE = Task("translation", "createTranslation", "translate")
Observation = Callable[[Target, Task], Findings]


def both(name: str) -> Callable[[Observation], Observation]:
    """Register the function for the clause ``name`` of either task."""

    def register(observe: Observation) -> Observation:
        for task in (WRITE, TRANSLATE):

            def function(target: Target, task: Task = task) -> Findings:
                yield from observe(target, task)

            function.__doc__ = observe.__doc__
            check(f"audio.{task.name}-{name}")(function)
        return observe

    return register


# What may be sent


@both("json-refused")
def json_refused(target: Target, task: Task) -> Findings:
    path = target.spec.operations[task.operation].path
    answer = target.post(path, model="whisper-1", file="speech.wav")
    if answer.status not in (400, 415):
        yield f"a JSON body was answered {answer.status}"


@both("part-type")
def part_type(target: Target, task: Task) -> Findings:
    for kind in ("application/octet-stream", "audio/wav", "text/plain", "a/b"):
        answer = task.ask(target, recording(media_type=kind))
        if answer.status != 200:
            yield f"a file sent as {kind} was answered {answer.status}"


@both("formats")
def formats(target: Target, task: Task) -> Findings:
    yield from unserved(target, task, FORMATS)


@both("formats-added")
def formats_added(target: Target, task: Task) -> Findings:
    yield from unserved(target, task, ADDED)


@both("models")
def models(target: Target, task: Task) -> Findings:
    answer = task.ask(target, model="whisper-1")
    if answer.status != 200:
        yield f"whisper-1 was answered {answer.status}"


@both("model-other")
def model_other(target: Target, task: Task) -> Findings:
    for model in ("whisper-2", "text-davinci-003", NOBODY):
        answer = task.ask(target, model=model)
        if not answer.refused:
            yield f"{model} was answered {answer.status}"


@both("prompt")
def prompt(target: Target, task: Task) -> Findings:
    own, seen = apart(target), []
    for text in PROMPTS:
        task.ask(own, prompt=text).served()
        seen.append(list(counters(own)["prompt"]["tokens"]))
        if not seen[-1]:
            yield f"the model saw nothing of {text!r}"
    if seen[0] == seen[-1] != []:
        yield "the model saw the same of two prompts"


@both("form-numbers")
def form_numbers(target: Target, task: Task) -> Findings:
    answer = task.ask(target, temperature="0.5")
    if answer.status != 200:
        yield f"the temperature 0.5 was answered {answer.status}"


# What is answered


@both("default")
def default(target: Target, task: Task) -> Findings:
    answer = task.ask(target)
    text = answer.json().get("text")
    if answer.content_type != "application/json":
        yield f"the content type was {answer.content_type!r}"
    if not isinstance(text, str):
        yield f"the text was {text!r}"


@both("each-format")
def each_format(target: Target, task: Task) -> Findings:
    for shape in SHAPES:
        answer = task.ask(target, response_format=shape)
        if answer.status != 200:
            yield f"{shape} was answered {answer.status}"


@both("text")
def text(target: Target, task: Task) -> Findings:
    body = task.told(target, "text").text
    if document(body):
        yield "the body was JSON"
    if "-->" in body:
        yield "the body had the times of subtitles"
    if not body.strip():
        raise Absent("word in the answer")


@both("plain")
def plain(target: Target, task: Task) -> Findings:
    for shape in PLAIN:
        answer = task.told(target, shape)
        if answer.content_type != "text/plain":
            yield f"the content type of {shape} was {answer.content_type!r}"


@both("srt")
def srt(target: Target, task: Task) -> Findings:
    body = task.told(target, "srt").text.replace("\r\n", "\n").strip()
    if not body:
        raise Absent("block of subtitles")
    for number, block in enumerate(re.split(r"\n\n+", body), 1):
        first, times, words = [*block.split("\n"), "", ""][:3]
        if first != str(number):
            yield f"block {number} began with {first!r}"
        if not ARROW.fullmatch(times):
            yield f"block {number} had the times {times!r}"
        if not words.strip():
            yield f"block {number} had no text"


@both("vtt")
def vtt(target: Target, task: Task) -> Findings:
    body = task.told(target, "vtt").text
    if not re.match(r"\ufeff?WEBVTT(?:[ \t\r\n]|\Z)", body):
        yield f"the body began with {body[:20]!r}"


@both("verbose")
def verbose(target: Target, task: Task) -> Findings:
    body = task.told(target, "verbose_json").json()
    if missing := [name for name in VERBOSE if name not in body]:
        yield f"the answer had no {', '.join(missing)}"


@both("task")
def task_told(target: Target, task: Task) -> Findings:
    told = task.told(target, "verbose_json").json()["task"]
    if told != task.verb:
        yield f"the task was {told!r}"


def unserved(target: Target, task: Task, kinds: Sequence[str]) -> Iterator[str]:
    for kind in kinds:
        answer = task.ask(target, recording(kind))
        if answer.status != 200:
            yield f"a lawful {kind} was answered {answer.status}"
