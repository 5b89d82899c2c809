"""Log probabilities of completions, and echo, which scores a prompt."""

import math
import re
from typing import TYPE_CHECKING, Any

from conformance.dialect import COMPLETIONS, STORY
from conformance.fold import fold
from conformance.registry import Findings, check
from conformance.view import Absent

if TYPE_CHECKING:
    from conformance.target import Target

CLOSE = 0.01
"""Log probabilities that count as equal within one answer."""
NEAR = 0.1
"""Log probabilities that count as equal between two ways to compute them in bf16."""
ask, say, choices = COMPLETIONS.ask, COMPLETIONS.say, COMPLETIONS.choices


def scores(target: "Target", *prompt: Any, **changes: Any) -> Any:
    """The logprobs of the only choice. Raises Absent where there are none."""
    found = choices(target, *prompt, **changes)[0]["logprobs"]
    if found is None:
        raise Absent("choices[0].logprobs")
    return found


@check("completions.logprobs-absent")
def logprobs_absent(target: "Target") -> Findings:
    for choice in choices(target):
        if choice.get("logprobs") is not None:
            yield "a choice had logprobs that were not asked for"


@check("completions.logprobs-count")
def logprobs_count(target: "Target") -> Findings:
    choice = choices(target, logprobs=3)[0]
    listed = (choice.get("logprobs") or {}).get("top_logprobs") or []
    if not listed:
        yield "logprobs were asked for, and none were given"
    for place, row in enumerate(listed):
        if len(row) < 3:
            yield f"position {place} listed {len(row)} tokens"


@check("completions.logprobs-at-most")
def logprobs_at_most(target: "Target") -> Findings:
    """At a temperature that samples tokens which would not be listed otherwise."""
    rows = _rows(target, logprobs=2, temperature=2, max_tokens=24)
    for place, row in enumerate(rows):
        if len(row) > 3:
            yield f"position {place} listed {len(row)} tokens for logprobs=2"


@check("completions.logprobs-sampled")
def logprobs_sampled(target: "Target") -> Findings:
    found = scores(target, logprobs=1, temperature=2, max_tokens=12)
    for place, (token, value, row) in enumerate(
        zip(found["tokens"], found["token_logprobs"], _lists(found), strict=False)
    ):
        if token not in row:
            yield f"position {place} sampled {token!r} and listed {sorted(row)}"
        elif abs(row[token] - value) > CLOSE:
            yield f"position {place} gave {token!r} {value} and {row[token]}"


@check("completions.logprobs-lengths")
def logprobs_lengths(target: "Target") -> Findings:
    found = scores(target, logprobs=2)
    names = ("tokens", "token_logprobs", "top_logprobs", "text_offset")
    lengths = {name: len(found[name]) for name in names}
    if len(set(lengths.values())) > 1 or not lengths["tokens"]:
        yield f"the arrays had the lengths {lengths}"


@check("completions.logprobs-negative")
def logprobs_negative(target: "Target") -> Findings:
    found = scores(target, logprobs=5, max_tokens=8)
    values = [
        *found["token_logprobs"],
        *(v for row in _lists(found) for v in row.values()),
    ]
    for value in values:
        if not isinstance(value, int | float) or value > 0 or not math.isfinite(value):
            yield f"a log probability was {value!r}"


@check("completions.logprobs-mass")
def logprobs_mass(target: "Target") -> Findings:
    for place, row in enumerate(_rows(target, logprobs=5, max_tokens=8)):
        mass = sum(math.exp(value) for value in row.values())
        if mass > 1.001:
            yield f"the probabilities of position {place} summed to {mass:.4f}"


@check("completions.logprobs-greedy")
def logprobs_greedy(target: "Target") -> Findings:
    found = scores(target, logprobs=5, max_tokens=8)
    for place, (value, row) in enumerate(
        zip(found["token_logprobs"], _lists(found), strict=False)
    ):
        if value < max(row.values()) - CLOSE:
            yield f"position {place} took {value:.3f} before {max(row.values()):.3f}"


@check("completions.logprobs-text")
def logprobs_text(target: "Target") -> Findings:
    """Of the likeliest text, and of one that has other tokens too."""
    for heat in (0, 2):
        choice = choices(target, logprobs=1, max_tokens=8, temperature=heat)[0]
        if choice["logprobs"] is None:
            raise Absent("choices[0].logprobs")
        joined = b"".join(_bytes(token) for token in choice["logprobs"]["tokens"])
        if joined.decode("utf-8", "replace") != choice["text"]:
            yield f"the tokens read {joined!r}, the text {choice['text']!r}"


@check("completions.logprobs-offset")
def logprobs_offset(target: "Target") -> Findings:
    found = scores(target, logprobs=1, max_tokens=6)
    expected, place = [], len(STORY)
    for token in found["tokens"]:
        expected.append(place)
        place += len(_bytes(token).decode("utf-8", "ignore"))
    if list(found["text_offset"]) != expected:
        yield f"expected the offsets {expected}, saw {list(found['text_offset'])}"


@check("completions.logprobs-zero")
def logprobs_zero(target: "Target") -> Findings:
    found = choices(target, logprobs=0)[0].get("logprobs")
    if found is None or not found.get("token_logprobs"):
        yield "logprobs=0 gave no log probabilities"


@check("completions.logprobs-streamed", requires=("deterministic",))
def logprobs_streamed(target: "Target") -> Findings:
    whole = scores(target, logprobs=2, max_tokens=8)
    streamed = COMPLETIONS.stream(target, logprobs=2, max_tokens=8)
    operation = target.spec.operations["createCompletion"]
    assert operation.stream is not None
    folded = fold(streamed.chunks, operation.stream.fold)["choices"][0]
    parts = folded.get("logprobs")
    if not parts:
        yield "the chunks had no logprobs"
        return
    if list(parts.get("tokens") or []) != list(whole["tokens"]):
        yield f"streamed tokens were {parts.get('tokens')}, whole {whole['tokens']}"
        return
    for name in ("token_logprobs", "top_logprobs"):
        rows = list(zip(parts.get(name) or [], whole[name], strict=False))
        if len(rows) != len(whole[name]) or any(_far(a, b) for a, b in rows):
            yield f"streamed {name} differed from the whole answer's"


@check("completions.echo-default")
def echo_default(target: "Target") -> Findings:
    text = say(target)
    if text.startswith(STORY):
        yield f"the text began with the prompt: {text!r}"


@check("completions.echo")
def echo(target: "Target") -> Findings:
    text = say(target, echo=True)
    if not text.startswith(STORY):
        yield f"the text began {text[:60]!r}"


@check("completions.echo-completes", requires=("deterministic",))
def echo_completes(target: "Target") -> Findings:
    plain, echoed = say(target), say(target, echo=True)
    if not echoed.startswith(STORY):
        raise Absent("echo of the prompt")
    if echoed != STORY + plain:
        yield f"without echo {plain!r} followed, with echo {echoed[len(STORY) :]!r}"


@check("completions.echo-scoring")
def echo_scoring(target: "Target") -> Findings:
    answer = ask(target, echo=True, max_tokens=0, logprobs=1)
    if answer.status != 200:
        yield f"echo with max_tokens 0 was answered {answer.status}"
        return
    text = answer.json()["choices"][0]["text"]
    if text != STORY:
        yield f"the text was {text!r}"


@check("completions.echo-logprobs")
def echo_logprobs(target: "Target") -> Findings:
    found = scores(target, echo=True, max_tokens=0, logprobs=1)
    read = b"".join(_bytes(token) for token in found["tokens"])
    if read != STORY.encode():
        yield f"the tokens read {read!r}"


@check("completions.echo-first-null")
def echo_first_null(target: "Target") -> Findings:
    found = scores(target, echo=True, max_tokens=0, logprobs=1)
    if found["token_logprobs"][0] is not None:
        yield f"the first log probability was {found['token_logprobs'][0]!r}"


@check("completions.echo-equals-generation")
def echo_equals_generation(target: "Target") -> Findings:
    made = choices(target, logprobs=1, max_tokens=8)[0]
    if made["logprobs"] is None:
        raise Absent("choices[0].logprobs")
    scored = scores(target, STORY + made["text"], echo=True, max_tokens=0, logprobs=1)
    count = len(made["logprobs"]["tokens"])
    if list(scored["tokens"])[-count:] != list(made["logprobs"]["tokens"]):
        raise Absent("same split of the generated text into tokens")
    for token, first, second in zip(
        made["logprobs"]["tokens"],
        made["logprobs"]["token_logprobs"],
        list(scored["token_logprobs"])[-count:],
        strict=True,
    ):
        if second is None or abs(first - second) > NEAR:
            yield f"{token!r} was generated with {first} and scored with {second}"


def _rows(target: "Target", **changes: Any) -> list[Any]:
    return _lists(scores(target, **changes))


def _lists(found: Any) -> list[Any]:
    """top_logprobs, a row for each position."""
    rows = list(found["top_logprobs"] or [])
    if not rows:
        raise Absent("top_logprobs")
    return rows


def _bytes(token: str) -> bytes:
    r"""A token's bytes; the API shows those that are no text as ``bytes:\xe2\x80``."""
    if not token.startswith("bytes:"):
        return token.encode()
    return bytes(int(pair, 16) for pair in re.findall(r"\\x([0-9a-f]{2})", token))


def _far(first: Any, second: Any) -> bool:
    """Whether two log probabilities, or two lists of them, differ."""
    if isinstance(first, dict) and isinstance(second, dict):
        return set(first) != set(second) or any(
            _far(first[key], second[key]) for key in first
        )
    if first is None or second is None:
        return first is not second
    return bool(abs(first - second) > NEAR)
