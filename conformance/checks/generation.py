"""What completions and chat promise in the same words."""

import json
from typing import TYPE_CHECKING, Any

from conformance import sse
from conformance.control import apart, counters, scripted
from conformance.dialect import Dialect, both, several
from conformance.fold import fold
from conformance.registry import Findings
from conformance.tokens import CANDIDATES, FORCE, forced, id_of, tokens
from conformance.view import Absent, view

if TYPE_CHECKING:
    from conformance.target import StreamAnswer, Target

REASONS = ("stop", "length", "content_filter")
YEAR_2001, YEAR_2100 = 1_000_000_000, 4_102_444_800
PACES = (0.02, 0.2)  # seconds between two tokens
CHARACTERS = "naïve 😀 你好 ok"
"""Characters of one to four bytes."""


def greedy(target: "Target", dialect: Dialect, count: int = 24) -> str:
    """A text at temperature 0 that is long enough to be cut."""
    text = dialect.say(target, max_tokens=count)
    if len(text) < 8:
        raise Absent(f"text of at least 8 characters: it was {text!r}")
    return text


@both("created-seconds")
def created_seconds(target: "Target", dialect: Dialect) -> Findings:
    created = dialect.ask(target).json()["created"]
    if not (isinstance(created, int) and YEAR_2001 < created < YEAR_2100):
        yield f"the time of creation was {created!r}"


@both("model-unknown")
def model_unknown(target: "Target", dialect: Dialect) -> Findings:
    answer = dialect.ask(target, model="assay-no-such-model")
    if answer.status != 404:
        yield f"an unknown model was answered {answer.status}"


@both("model-unknown-code")
def model_unknown_code(target: "Target", dialect: Dialect) -> Findings:
    code = dialect.ask(target, model="assay-no-such-model").error["code"]
    if code != target.spec.refusals["model-not-found"].code:
        yield f"the code was {code!r}"


@both("usage-sum")
def usage_sum(target: "Target", dialect: Dialect) -> Findings:
    usage = dialect.ask(target).json()["usage"]
    parts = usage["prompt_tokens"] + usage["completion_tokens"]
    if usage["total_tokens"] != parts:
        yield f"the total was {usage['total_tokens']}, its parts summed to {parts}"


@both("usage-not-zero")
def usage_not_zero(target: "Target", dialect: Dialect) -> Findings:
    reply = dialect.ask(target, max_tokens=8).json()
    if not dialect.text(reply["choices"][0]):
        raise Absent("text in the choice")
    for name in ("prompt_tokens", "completion_tokens"):
        if reply["usage"][name] < 1:
            yield f"{name} was {reply['usage'][name]}"


@both("usage-all-choices")
def usage_all_choices(target: "Target", dialect: Dialect) -> Findings:
    reply = dialect.ask(target, **several(3), max_tokens=2).json()
    usage = reply["usage"]
    if [choice["finish_reason"] for choice in reply["choices"]] != 3 * ["length"]:
        raise Absent("3 choices that were cut at 2 tokens")
    if usage["completion_tokens"] != 6:
        yield (
            f"3 choices of 2 tokens counted as {usage['completion_tokens']} "
            "completion tokens"
        )


@both("temperature-zero")
def temperature_zero(target: "Target", dialect: Dialect) -> Findings:
    texts = {dialect.say(target, max_tokens=12, temperature=0) for _ in range(3)}
    if len(texts) > 1:
        yield f"the same request gave {len(texts)} texts: {sorted(texts)}"


@both("temperature-random")
def temperature_random(target: "Target", dialect: Dialect) -> Findings:
    """A server that ignores n is asked again."""
    drawn: list[str] = []
    while len(drawn) < 6:
        found = dialect.choices(target, temperature=2, n=6, max_tokens=12)
        drawn += [dialect.text(choice) for choice in found]
        if not found:
            raise Absent("choices[0]")
    if len(set(drawn)) == 1:
        yield f"{len(drawn)} texts at temperature 2 were all {drawn[0]!r}"


@both("top-p-mass", requires=("deterministic",))
def top_p_mass(target: "Target", dialect: Dialect) -> Findings:
    likeliest = dialect.say(target, max_tokens=8, temperature=0)
    drawn = {
        dialect.text(choice)
        for choice in dialect.choices(
            target, max_tokens=8, temperature=2, top_p=0.000001, n=3
        )
    }
    if drawn != {likeliest}:
        yield f"expected only {likeliest!r} of a top_p near 0, saw {sorted(drawn)}"


@both("temperature-and-top-p")
def temperature_and_top_p(target: "Target", dialect: Dialect) -> Findings:
    answer = dialect.ask(target, temperature=0.5, top_p=0.5)
    if answer.status != 200:
        yield f"both set were answered {answer.status}"


@both("n-choices")
def n_choices(target: "Target", dialect: Dialect) -> Findings:
    for n in (2, 3):
        found = dialect.choices(target, **several(n))
        indexes = [choice["index"] for choice in found]
        if sorted(indexes) != list(range(n)):
            yield f"asked for n={n}, saw the indexes {indexes}"


@both("finish-known")
def finish_known(target: "Target", dialect: Dialect) -> Findings:
    for count in (2, 64):
        reason = dialect.choices(target, max_tokens=count)[0]["finish_reason"]
        if reason not in REASONS:
            yield f"the finish_reason was {reason!r}"


@both("finish-length", requires=("deterministic",))
def finish_length(target: "Target", dialect: Dialect) -> Findings:
    """A text was cut where more room gives a longer one."""
    longer = dialect.say(target, max_tokens=24)
    choice = dialect.choices(target, max_tokens=2)[0]
    text = dialect.text(choice)
    if text == longer or not longer.startswith(text):
        raise Absent("text that goes on behind 2 tokens")
    if choice["finish_reason"] != "length":
        yield f"the finish_reason was {choice['finish_reason']!r}"


@both("max-tokens-bound")
def max_tokens_bound(target: "Target", dialect: Dialect) -> Findings:
    for count in (1, 3):
        reply = dialect.ask(target, max_tokens=count).json()
        used = reply["usage"]["completion_tokens"]
        if used > count:
            yield f"max_tokens was {count}, the completion had {used} tokens"


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


@both("stop-text", requires=("deterministic",))
def stop_text(target: "Target", dialect: Dialect) -> Findings:
    text = greedy(target, dialect)
    stop = text[5:8]
    seen = dialect.say(target, max_tokens=24, stop=stop)
    if seen.rstrip() != text[: text.index(stop)].rstrip():
        yield f"stop was {stop!r}, {text!r} became {seen!r}"


@both("stop-array", requires=("deterministic",))
def stop_array(target: "Target", dialect: Dialect) -> Findings:
    text = greedy(target, dialect)
    stops = ["zqxj", text[6:8], text[3:6]]
    first = min(text.index(stop) for stop in stops[1:])
    seen = dialect.say(target, max_tokens=24, stop=stops)
    if seen.rstrip() != text[:first].rstrip():
        yield f"stop was {stops}, {text!r} became {seen!r}"


@both("stop-finish", requires=("deterministic",))
def stop_finish(target: "Target", dialect: Dialect) -> Findings:
    stop = greedy(target, dialect)[5:8]
    choice = dialect.choices(target, max_tokens=24, stop=stop)[0]
    if choice["finish_reason"] != "stop":
        yield f"the finish_reason was {choice['finish_reason']!r}"


@both("stop-across-tokens", requires=("deterministic",))
def stop_across_tokens(target: "Target", dialect: Dialect) -> Findings:
    pieces = dialect.pieces(dialect.stream(target, max_tokens=16))
    if len(pieces) < 4:
        raise Absent("stream of at least 4 pieces")
    text = "".join(pieces)
    stop = pieces[1][-1:] + pieces[2] + pieces[3][:1]
    seen = "".join(dialect.pieces(dialect.stream(target, max_tokens=16, stop=stop)))
    if seen != text[: text.index(stop)]:
        yield f"stop was {stop!r}, the stream {text!r} became {seen!r}"


@both("logit-bias-ban", requires=("deterministic",))
def logit_bias_ban(target: "Target", dialect: Dialect) -> Findings:
    first = dialect.say(target, max_tokens=1)
    banned = id_of(target, first)
    seen = dialect.say(target, max_tokens=1, logit_bias={str(banned): -100})
    if seen == first:
        yield f"the banned token {first!r} was sampled"


@both("logit-bias-force")
def logit_bias_force(target: "Target", dialect: Dialect) -> Findings:
    """White space does not count: some tokenizers drop it before a first token."""
    seen = []
    for id in CANDIDATES[:4]:
        once = "".join(forced(target, dialect, id, 1).split())
        bias = {str(id): FORCE}
        four = dialect.say(target, max_tokens=4, temperature=1, logit_bias=bias)
        if once and "".join(four.split()) == 4 * once:
            return
        seen.append(four)
    yield f"of single tokens that were to be sampled alone came {seen}"


def _events(streamed: "StreamAnswer") -> list[sse.Event]:
    if not streamed.events:
        raise Absent("event")
    return streamed.events


def _folded(target: "Target", dialect: Dialect, streamed: "StreamAnswer") -> Any:
    stream = target.spec.operations[dialect.operation].stream
    assert stream is not None
    return view(fold(streamed.chunks, stream.fold), "folded")["choices"][0]


def _over(target: "Target") -> bool:
    import time

    return time.monotonic() > target.deadline
