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
    """Text and tokens that may yet turn out to belong to a text that ends a choice."""

    stops: Sequence[str]
    blocked: Sequence[str] = ()
    """Terms that may not come out, in small letters."""
    text: str = ""
    released: int = 0
    steps: list[tuple[int, int, "Step"]] = field(default_factory=list)

    def add(self, text: str, step: "Step") -> None:
        begin = self.released + len(self.text)
        self.text += text
        self.steps.append((begin, begin + len(text), step))

    def end(self) -> tuple[int, str] | None:
        """Where the text begins that is the first to be complete, and why it ends."""
        met = [
            (at + len(text), at, finish)
            for held, text, finish in self._ends()
            if (at := held.find(text)) >= 0
        ]
        return min(met)[1:] if met else None

    def certain(self) -> int:
        """How many held characters cannot begin a text that ends the choice."""
        overlaps = (_overlap(held, text) for held, text, _ in self._ends())
        return len(self.text) - max(overlaps, default=0)

    def _ends(self) -> Iterator[tuple[str, str, str]]:
        """What is held, in the form that each text is looked for in, and its reason."""
        for stop in filter(None, self.stops):
            yield self.text, stop, "stop"
        if self.blocked:
            small = lowered(self.text)
            for term in self.blocked:
                yield small, term, "content_filter"

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


def lowered(text: str) -> str:
    """Small letters, as many as there were characters."""
    return "".join(
        small if len(small := character.lower()) == 1 else character
        for character in text
    )


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
    *,
    blocked: Sequence[str] = (),
) -> Iterator[Piece]:
    """The parts of one choice as they become certain; the last has the finish reason.

    No part holds a piece of a character, of a stop text or of a blocked term.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    held = _Held(stops, [lowered(term) for term in blocked if term])
    sampled = 0
    for step in steps:
        sampled += 1
        held.add(decoder.decode(tokenizer.token_bytes(step.token)), step)
        end = held.end()
        if end is not None:
            yield held.release(*end)
            return
        count = held.certain()
        if count:
            yield held.release(count)
    held.text += decoder.decode(b"", final=True)
    end = held.end()
    if end is not None:
        yield held.release(*end)
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
