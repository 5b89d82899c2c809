"""The logit bias and the penalties, measured by what they move."""

from typing import TYPE_CHECKING

from conformance.dialect import COMPLETIONS, STORY
from conformance.registry import Findings, check
from conformance.tokens import FORCE, SECOND, Pair, pair, tokens
from conformance.view import Absent

if TYPE_CHECKING:
    from conformance.target import Target

CLOSE = 0.01
"""Log odds that count as equal: the penalties are measured to two decimals."""
NEAR = 0.1
"""Log odds that count as equal where the same text was read in two ways."""
say, choices = COMPLETIONS.say, COMPLETIONS.choices


@check("completions.logit-bias-scale")
def logit_bias_scale(target: "Target") -> Findings:
    chosen = pair(target)
    low = chosen.gaps(target, count=1)[0]
    bias = {str(chosen.first.id): FORCE, str(chosen.second.id): SECOND - 5}
    moved = chosen.gaps(target, count=1, logit_bias=bias)[0] - low
    if abs(moved) < CLOSE:
        raise Absent("log probabilities that follow the bias")
    if abs(moved - 5) > CLOSE:
        yield f"a bias lower by 5 moved the log odds by {moved:.3f}"


@check("completions.logit-bias-end")
def logit_bias_end(target: "Target") -> Findings:
    forced = choices(target, logit_bias={"50256": 100}, max_tokens=8)[0]
    if forced["text"].strip() or forced["finish_reason"] != "stop":
        raise Absent("end of text behind the token id 50256")
    for prompt in ("Say this is a test", "Hello", STORY):
        if choices(target, prompt, max_tokens=48)[0]["finish_reason"] == "stop":
            break
    else:
        raise Absent("completion that ends by itself")
    banned = choices(target, prompt, max_tokens=48, logit_bias={"50256": -100})[0]
    if banned["finish_reason"] != "length":
        yield f"the finish_reason was {banned['finish_reason']!r}"


@check("completions.frequency-penalty-formula")
def frequency_penalty_formula(target: "Target") -> Findings:
    for penalty in (0.5, 2.0):
        yield from _shifts(
            target,
            {"frequency_penalty": penalty},
            [-penalty * count for count in range(5)],
        )


@check("completions.presence-penalty-formula")
def presence_penalty_formula(target: "Target") -> Findings:
    for penalty in (0.5, 1.5):
        yield from _shifts(
            target,
            {"presence_penalty": penalty},
            [-penalty * (count > 0) for count in range(5)],
        )


@check("completions.penalties-negative")
def penalties_negative(target: "Target") -> Findings:
    yield from _shifts(
        target,
        {"frequency_penalty": -0.5, "presence_penalty": -1.5},
        [0.5 * count + 1.5 * (count > 0) for count in range(5)],
    )


@check("completions.penalties-sampled-only")
def penalties_sampled_only(target: "Target") -> Findings:
    chosen = pair(target)
    prompt = [chosen.first.id] * 4
    before = chosen.gaps(target, 1, prompt=prompt)[0]
    after = chosen.gaps(
        target, 1, prompt=prompt, frequency_penalty=1.0, presence_penalty=1.0
    )[0]
    if abs(after - before) > CLOSE:
        yield (
            f"a token that stood 4 times in the prompt lost {before - after:.3f} "
            "at the first position"
        )


@check("completions.penalties-whole-text")
def penalties_whole_text(target: "Target") -> Findings:
    chosen, count, penalty = pair(target), 80, 0.1
    before = chosen.gaps(target, count)
    after = chosen.gaps(target, count, frequency_penalty=penalty)
    for place in (25, count - 1):
        lost = before[place] - after[place]
        if abs(lost - place * penalty) > CLOSE:
            yield (
                f"a token sampled {place} times lost {lost:.3f} instead of "
                f"{place * penalty:.3f}"
            )


@check("completions.penalties-default")
def penalties_default(target: "Target") -> Findings:
    chosen, count = pair(target), 5
    sampled = chosen.gaps(target, count)
    for place in (1, count - 1):
        told = [*[1212, 318, 257], *[chosen.first.id] * place]
        fresh = chosen.gaps(target, 1, prompt=told)[0]
        kept = chosen.gaps(target, place + 1, prompt=told[:3])[place]
        if abs(fresh - kept) > NEAR:
            yield (
                f"a token sampled {place} times had the log odds {kept:.3f}, in the "
                f"prompt {fresh:.3f}"
            )
    asked = chosen.gaps(target, count, frequency_penalty=0, presence_penalty=0)
    if any(abs(a - b) > NEAR for a, b in zip(sampled, asked, strict=True)):
        yield "penalties of 0 gave other log odds than no penalties"


@check("completions.penalties-suppress")
def penalties_suppress(target: "Target") -> Findings:
    found = tokens(target, COMPLETIONS, 3)
    closed = {str(token.id): FORCE for token in found}

    def most(penalty: float) -> int:
        text = say(
            target,
            logit_bias=closed,
            max_tokens=24,
            temperature=0,
            frequency_penalty=penalty,
        )
        return max(text.count(token.text) for token in found)

    loose, strict = most(0), most(2)
    if loose < 16:
        raise Absent("repetition without a penalty")
    if strict >= loose:
        yield f"one token of 3 came {loose} times of 24 at 0 and {strict} times at 2"


def _shifts(
    target: "Target", penalties: dict[str, float], expected: list[float]
) -> Findings:
    """How far the penalties move the log odds of a repeated token, and should."""
    chosen: Pair = pair(target)
    before = chosen.gaps(target, len(expected))
    after = chosen.gaps(target, len(expected), **penalties)
    moved = [b - a + 0.0 for a, b in zip(before, after, strict=True)]
    if any(abs(m - e) > CLOSE for m, e in zip(moved, expected, strict=True)):
        yield (
            f"with {penalties} a token sampled 0 to {len(expected) - 1} times moved "
            f"by {[round(m, 3) for m in moved]} instead of {expected}"
        )
