"""Fine-tunes that checks begin, and the few that they follow to their end together."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any

from conformance.answer import Answer, OpenStream, StreamAnswer, Unserved
from conformance.control import apart
from conformance.target import Target
from conformance.uploads import LINE, file, lines, uploaded
from conformance.view import Absent, View

OVER = ("succeeded", "failed", "cancelled")
PAUSE = 0.05  # seconds between two looks
LATER = 2  # seconds that the clock is moved so that work begins at once
SUFFIX = "assay-check"
POSITIVE, NEGATIVE = " yes", " no"
BETAS = (0.5, 2)
CLASSES = [
    {"prompt": f"{word} ->", "completion": NEGATIVE if word == "bad" else POSITIVE}
    for word in ("good", "bad", "fine")
]
MANY = 1000  # examples: a batch of two and no more, at 0.2 %
RUNNING = "fine-tune that is running"


@dataclass(frozen=True)
class Story:
    """A fine-tune that was followed, in an organisation of its own."""

    target: Target
    """Who made it."""
    made: View
    """What its making was answered with."""
    seen: list[View] = field(default_factory=list)
    """What it looked like after that, as often as it changed its status."""
    listed: Answer | None = None
    """The events that were asked for while it was running."""

    @property
    def id(self) -> str:
        return str(self.made["id"])

    @property
    def last(self) -> View:
        return self.seen[-1]

    @property
    def statuses(self) -> list[str]:
        return [self.made["status"], *(one["status"] for one in self.seen)]

    def at(self, target: Target) -> Target:
        """Who made it, asking for the check at hand."""
        maker = self.target
        return replace(target, key=maker.key, organization=maker.organization)


def new(target: Target, **asked: Any) -> View:
    """What the making of a fine-tune was answered with; it is cancelled at once."""
    made = target.call("createFineTune", **asked).json()
    cancelled(target, made["id"])
    return made


def cancelled(target: Target, id: str) -> Answer:
    return target.call("cancelFineTune", path={"fine_tune_id": id})


def retrieved(target: Target, id: str) -> Answer:
    return target.call("retrieveFineTune", path={"fine_tune_id": id})


def events(target: Target, id: str) -> Answer:
    return target.call("listFineTuneEvents", path={"fine_tune_id": id})


def streamed(target: Target, id: str) -> StreamAnswer:
    """The whole stream of a fine-tune's events."""
    with opened(target, id) as stream:
        return stream.whole()


@contextmanager
def opened(target: Target, id: str) -> Iterator[OpenStream]:
    """The stream of a fine-tune's events, read as it comes."""
    path = f"/fine-tunes/{id}/events"
    request = target.built("GET", path, {"stream": "true"})
    response = target.client.send(request, stream=True)
    try:
        yield OpenStream(response, target.tape.exchanges[-1])
    finally:
        response.close()


def followed(target: Target) -> Story:
    """A lawful one, with a suffix, a validation file and measures of classes.

    Raises Absent where it came to no end, as the others do where theirs is another.
    """
    return _once(target, "followed", _lawful)


def finished(target: Target) -> Story:
    """The same one, which succeeded."""
    return _succeeded(followed(target))


def plain(target: Target) -> Story:
    """One of the model that the finished one made, with nothing else said."""
    return _once(target, "plain", _plain)


def failed(target: Target) -> Story:
    """One whose file has a faulty record that its upload did not find."""
    return _once(target, "failed", _failed)


def running(target: Target, batch: int | None = None) -> Story:
    """One of many examples that was seen running, and then cancelled."""
    return _once(target, f"running {batch}", lambda own: _running(own, batch))


def _once(target: Target, name: str, tell: Callable[[Target], Story]) -> Story:
    """The story of this name; one that did not come about is not tried again."""
    known = target.learned
    with known.setdefault("tuning", RLock()):
        if name not in known:
            try:
                known[name] = tell(target)
            except (Absent, Unserved) as fault:
                known[name] = str(getattr(fault, "path", fault))
    found = known[name]
    if isinstance(found, str):
        raise Absent(found)
    assert isinstance(found, Story)
    return found


def _lawful(target: Target) -> Story:
    own = apart(target)
    data = uploaded(own, file=file(lines(*CLASSES)))["id"]
    made = own.call(
        "createFineTune",
        training_file=data,
        validation_file=data,
        suffix=SUFFIX,
        compute_classification_metrics=True,
        classification_positive_class=POSITIVE,
        classification_betas=list(BETAS),
    ).json()
    return _followed(Story(own, made))


def _plain(target: Target) -> Story:
    first = finished(target)
    own = first.at(target)
    made = own.call("createFineTune", model=first.last["fine_tuned_model"]).json()
    return _succeeded(_followed(Story(own, made)))


def _failed(target: Target) -> Story:
    own = apart(target)
    data = own.call("createFile", file=file(lines(LINE, {"prompt": "a ->"})))
    if data.refused:
        raise Absent("faulty file that is taken")
    made = own.call("createFineTune", training_file=data.json()["id"])
    if made.refused:
        raise Absent("fine-tune of a faulty file")
    story = _followed(Story(own, made.json()))
    if story.last["status"] != "failed":
        raise Absent("fine-tune that failed")
    return story


def _running(target: Target, batch: int | None) -> Story:
    own = apart(target)
    data = lines(*({"prompt": f"{n} ->", "completion": " a"} for n in range(MANY)))
    asked = {"training_file": uploaded(own, file=file(data))["id"]}
    more = {} if batch is None else {"batch_size": batch}
    story = Story(own, own.call("createFineTune", **asked, **more).json())
    story = _followed(story, (*OVER, "running"))
    listed = events(own, story.id)
    if cancelled(own, story.id).refused or story.last["status"] != "running":
        raise Absent(RUNNING)
    return replace(story, listed=listed)


def _followed(story: Story, until: tuple[str, ...] = OVER) -> Story:
    """The story up to one of these statuses, or to the end of our patience."""
    own = story.target
    own.post("/_assay/clock", seconds=LATER).json()
    while True:
        found = retrieved(own, story.id).json()
        if found["status"] != story.statuses[-1] or not story.seen:
            story.seen.append(found)
        if found["status"] in until:
            return story
        if time.monotonic() > own.deadline:
            raise Absent(f"fine-tune that comes to {' or '.join(until)}")
        time.sleep(PAUSE)


def _succeeded(story: Story) -> Story:
    if story.last["status"] != "succeeded":
        raise Absent("fine-tune that succeeded")
    return story
