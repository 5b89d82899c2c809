"""Sampled tokens to text: stop texts, whole characters, log probabilities."""

import codecs
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reference_model.engine import Step
    from reference_model.tokenizer import Tokenizer

END_OF_TEXT = "<|endoftext|>"


Scored = tuple[int, "Step | None", int]
"""A token, how likely it was (None: nothing came before), where its text begins."""


@dataclass(frozen=True)
class Piece:
    """A part of a choice: text that is certain, its tokens, and why it ended."""

    text: str = ""
    steps: tuple["Step", ...] = ()
    finish: str | None = None
    places: tuple[int, ...] = ()
    """How many characters of the choice come before each token."""


@dataclass
class _Held:
    """Text and tokens that may yet turn out to belong to a stop text."""

    stops: Sequence[str]
    text: str = ""
    released: int = 0
    steps: list[tuple[int, int, "Step"]] = field(default_factory=list)

    def add(self, text: str, step: "Step") -> None:
        begin = self.released + len(self.text)
        self.text += text
        self.steps.append((begin, begin + len(text), step))

    def stop(self) -> int | None:
        """Where the stop text begins that is the first to be complete."""
        found = ((self.text.find(stop), len(stop)) for stop in self.stops if stop)
        met = [(at + length, at) for at, length in found if at >= 0]
        return min(met)[1] if met else None

    def certain(self) -> int:
        """How many held characters cannot begin a stop text."""
        longest = max((_overlap(self.text, stop) for stop in self.stops), default=0)
        return len(self.text) - longest

    def release(self, count: int, finish: str | None = None) -> Piece:
        """Let go of ``count`` characters and of the tokens that end within them."""
        text, self.text = self.text[:count], self.text[count:]
        self.released += count
        over = [
            (begin, step) for begin, end, step in self.steps if end <= self.released
        ]
        self.steps = self.steps[len(over) :]
        steps = tuple(step for _, step in over)
        return Piece(text, steps, finish, tuple(begin for begin, _ in over))


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of ``text`` that begins ``stop``."""
    for length in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0


def pieces(
    steps: Iterable["Step"],
    tokenizer: "Tokenizer",
    stops: Sequence[str],
    max_tokens: int,
) -> Iterator[Piece]:
    """The parts of one choice as they become certain; the last has the finish reason.

    No part holds a piece of a character or of a stop text.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    held = _Held(stops)
    sampled = 0
    for step in steps:
        sampled += 1
        held.add(decoder.decode(tokenizer.token_bytes(step.token)), step)
        stop = held.stop()
        if stop is not None:
            yield held.release(stop, "stop")
            return
        count = held.certain()
        if count:
            yield held.release(count)
    held.text += decoder.decode(b"", final=True)
    stop = held.stop()
    if stop is not None:
        yield held.release(stop, "stop")
        return
    last = held.release(len(held.text))
    if last.text:
        yield last
        last = Piece()
    finish = "length" if sampled >= max_tokens else "stop"
    yield replace(last, finish=finish)


def whole(parts: Iterable[Piece]) -> Piece:
    """All parts of a choice as one."""
    parts = list(parts)
    return Piece(
        "".join(part.text for part in parts),
        tuple(step for part in parts for step in part.steps),
        parts[-1].finish if parts else None,
        tuple(place for part in parts for place in part.places),
    )


def places(tokenizer: "Tokenizer", tokens: Iterable[int]) -> Iterator[int]:
    """How many characters come before each token; one that is not whole is none."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    place = 0
    for token in tokens:
        yield place
        place += len(decoder.decode(tokenizer.token_bytes(token)))


def spelled(tokenizer: "Tokenizer", token: int) -> str:
    """A token as the API shows it: its text, or its bytes where they are no text."""
    raw = tokenizer.token_bytes(token)
    if not raw:
        return END_OF_TEXT
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in raw)


def logprobs(
    tokenizer: "Tokenizer", scored: Sequence[Scored], top: int
) -> dict[str, Any]:
    """The four arrays of a choice."""
    return {
        "tokens": [spelled(tokenizer, token) for token, _, _ in scored],
        "token_logprobs": [step and step.logprob for _, step, _ in scored],
        "top_logprobs": [step and _top(tokenizer, step) for _, step, _ in scored]
        if top
        else None,
        "text_offset": [place for _, _, place in scored],
    }


def _top(tokenizer: "Tokenizer", step: "Step") -> dict[str, float]:
    listed = {spelled(tokenizer, token): value for token, value in step.top}
    return listed | {spelled(tokenizer, step.token): step.logprob}
