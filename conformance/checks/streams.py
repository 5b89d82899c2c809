"""What streamed completions and streamed chat promise in the same words."""

import json
import time
from typing import TYPE_CHECKING, Any

from conformance import sse
from conformance.checks.generation import REASONS
from conformance.control import apart, counters, scripted
from conformance.dialect import Dialect, both, several
from conformance.fold import fold
from conformance.registry import Findings
from conformance.tokens import FORCE, tokens
from conformance.view import Absent, view

if TYPE_CHECKING:
    from conformance.target import StreamAnswer, Target

PACES = (0.02, 0.2)  # seconds between two tokens
CHARACTERS = "naïve 😀 你好 ok"
"""Characters of one to four bytes."""


@both("stream-default")
def stream_default(target: "Target", dialect: Dialect) -> Findings:
    answer = dialect.ask(target)
    if answer.content_type != "application/json" or answer.body is None:
        yield f"the answer had the content type {answer.content_type!r}"


@both("stream-content-type")
def stream_content_type(target: "Target", dialect: Dialect) -> Findings:
    streamed = dialect.stream(target)
    streamed.served()
    if streamed.content_type != "text/event-stream":
        yield f"the stream had the content type {streamed.content_type!r}"


@both("stream-data-only")
def stream_data_only(target: "Target", dialect: Dialect) -> Findings:
    for event in _events(dialect.stream(target)):
        for name, value in event.fields:
            if name != "data":
                yield f"an event had the line {name}: {value[:60]}"


@both("stream-framing")
def stream_framing(target: "Target", dialect: Dialect) -> Findings:
    streamed = dialect.stream(target)
    _events(streamed)
    faults = (
        fault
        for fault in sse.faults(streamed.raw, streamed.terminator)
        if "is no data line" not in fault
    )
    yield from list(faults)[:5]


@both("stream-done")
def stream_done(target: "Target", dialect: Dialect) -> Findings:
    streamed = dialect.stream(target)
    data = [event.data for event in _events(streamed)]
    if streamed.terminator not in data:
        yield f"the stream ended without {streamed.terminator}"
    elif data.index(streamed.terminator) != len(data) - 1:
        yield f"events came after {streamed.terminator}: {data[-1]!r:.80}"


@both("stream-one-answer")
def stream_one_answer(target: "Target", dialect: Dialect) -> Findings:
    chunks = dialect.stream(target, **several(2), max_tokens=6).chunks
    for name in ("id", "created", "model"):
        values = {json.dumps(chunk[name]) for chunk in chunks}
        if len(values) > 1:
            yield f"the chunks had {len(values)} values of {name}: {sorted(values)[:3]}"


@both("stream-pieces")
def stream_pieces(target: "Target", dialect: Dialect) -> Findings:
    streamed = dialect.stream(target, max_tokens=16)
    pieces = dialect.pieces(streamed)
    if len("".join(pieces)) < 20:
        raise Absent("text of at least 20 characters in the stream")
    if len(pieces) < 3:
        yield f"{len(''.join(pieces))} characters came in {len(pieces)} chunks"


@both("stream-as-available")
def stream_as_available(target: "Target", dialect: Dialect) -> Findings:
    """A busy reader may find what came meanwhile all at once: it waits longer then."""
    for pace in PACES:
        with scripted(target, ["one two three four five"], delay=pace) as own:
            streamed = dialect.stream(own, max_tokens=16)
        times = [event.at for event in streamed.events]
        if times[-1] - times[0] >= 2 * pace:
            return
    yield (
        f"tokens {pace} s apart came in {len(times)} events within "
        f"{times[-1] - times[0]:.3f} s"
    )


@both("stream-fold", requires=("deterministic",))
def stream_fold(target: "Target", dialect: Dialect) -> Findings:
    streamed = _folded(target, dialect, dialect.stream(target, max_tokens=16))
    whole = dialect.ask(target, max_tokens=16).json()["choices"][0]
    for name, read in (
        ("text", dialect.text),
        ("finish_reason", lambda choice: choice["finish_reason"]),
    ):
        if read(streamed) != read(whole):
            yield f"streamed {name} was {read(streamed)!r}, whole {read(whole)!r}"


@both("stream-finish")
def stream_finish(target: "Target", dialect: Dialect) -> Findings:
    ended = False
    reasons = 0
    for chunk in dialect.stream(target, max_tokens=6).chunks:
        for choice in chunk["choices"]:
            if ended and dialect.piece(choice):
                yield f"text came after the end: {dialect.piece(choice)!r}"
            if choice.get("finish_reason") is not None and (
                choice["finish_reason"] not in ("", "null")
            ):
                reasons, ended = reasons + 1, True
    if reasons != 1:
        yield f"the choice had {reasons} finish reasons"


@both("stream-finish-null")
def stream_finish_null(target: "Target", dialect: Dialect) -> Findings:
    chunks = dialect.stream(target, max_tokens=6).chunks
    early = [choice for chunk in chunks[:-1] for choice in chunk["choices"]]
    if not early:
        raise Absent("chunk before the last")
    for choice in early:
        if "finish_reason" not in choice:
            yield "a chunk before the end had no finish_reason"
            return
        if choice["finish_reason"] not in (None, *REASONS):
            yield f"a finish_reason before the end was {choice['finish_reason']!r}"
            return


@both("stream-choices")
def stream_choices(target: "Target", dialect: Dialect) -> Findings:
    ended = [
        choice["index"]
        for chunk in dialect.stream(target, **several(2), max_tokens=4).chunks
        for choice in chunk["choices"]
        if choice.get("finish_reason") in REASONS
    ]
    if sorted(ended) != [0, 1]:
        yield f"of 2 choices the indexes {ended} were ended"


@both("stream-no-usage")
def stream_no_usage(target: "Target", dialect: Dialect) -> Findings:
    for chunk in dialect.stream(target).chunks:
        if chunk.get("usage") is not None:
            yield f"a chunk had the usage {chunk['usage'].plain}"
        if not chunk["choices"]:
            yield "a chunk had no choice"


@both("stream-whole-characters")
def stream_whole_characters(target: "Target", dialect: Dialect) -> Findings:
    with scripted(target, [CHARACTERS]) as own:
        pieces = dialect.pieces(dialect.stream(own, max_tokens=64))
    broken = [piece for piece in pieces if "�" in piece]
    if broken:
        yield f"chunks had parts of characters: {broken[:4]}"
    elif "".join(pieces) != CHARACTERS:
        yield f"the chunks added up to {''.join(pieces)!r}"


@both("stream-hang-up")
def stream_hang_up(target: "Target", dialect: Dialect) -> Findings:
    own = apart(target)
    token = tokens(target, dialect, 1)[0]
    own.post("/_assay/script", delay=0.02).json()
    body = dialect.body(
        own, stream=True, max_tokens=60, logit_bias={str(token.id): FORCE}
    )
    path = own.spec.operations[dialect.operation].path
    with own.open_stream(path, **body) as opened:
        next(iter(opened.arriving))
    while not (sampled := counters(own)["usage"]["completion_tokens"]):
        if _over(own):
            raise Absent("count of the tokens that were sampled")
    if sampled >= 60:
        yield f"after the hang-up {sampled} of 60 tokens were generated"


def _events(streamed: "StreamAnswer") -> list[sse.Event]:
    if not streamed.events:
        raise Absent("event")
    return streamed.events


def _folded(target: "Target", dialect: Dialect, streamed: "StreamAnswer") -> Any:
    stream = target.spec.operations[dialect.operation].stream
    assert stream is not None
    return view(fold(streamed.chunks, stream.fold), "folded")["choices"][0]


def _over(target: "Target") -> bool:
    return time.monotonic() > target.deadline
