"""What penalties count, and the logit bias, measured by what they move.

By titration, which sees what is sampled; where that has no foothold, completions are
read off the log probabilities.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

from conformance import causes
from conformance.checks.draws import odds
from conformance.dialect import COMPLETIONS, STORY, Dialect, both
from conformance.notebook import Point, Series, Span
from conformance.odds import either, prompt_shift, shifts
from conformance.registry import Findings, check
from conformance.titration import (
    ARMS,
    FREQUENCY,
    MOST,
    NEAR,
    Balance,
    Missed,
    Unmoved,
    balance,
)
from conformance.tokens import FORCE, Token, tokens
from conformance.view import Absent

if TYPE_CHECKING:
    from conformance.target import Target

REPEATED = 4  # times that a token stands in the prompt, or twice that
FAR = 96  # tokens: beyond the windows of 20 and of 64 that are known
GENTLE = (0.25, 0.35, 0.5, 1.0, 2.0)
SETTLED, DRIFT = 8, 12.0
"""Times after which a text has found its rhythm; logits that it may still move by."""
STEPS = 4
"""Tokens by which a run may differ where numbers are rounded to 16 bits."""
LEVELS, LEAST = (80, 60, 40), 20
"""Biases of both tokens: a clamp or a factor shows between them; and the smallest."""
BLUR = 0.25
"""Logits that count as equal where the same text was read in two ways."""
say, choices = COMPLETIONS.say, COMPLETIONS.choices


@both("penalties-sampled-only", slow=True)
def penalties_sampled_only(target: "Target", dialect: Dialect) -> Findings:
    """A prompt holds a token four times: what do penalties take off at the start?"""

    def read() -> Findings:
        lost = prompt_shift(target, REPEATED, frequency_penalty=1, presence_penalty=1)
        yield from _lost(target, Span(lost - NEAR, lost + NEAR))

    def titrated() -> Findings:
        scale = _repeating(balance(target, dialect))
        before = scale.flip(0)
        after = scale.flip(0, before, frequency_penalty=1, presence_penalty=1)
        yield from _lost(target, before - after)

    yield from either(dialect, titrated, read)


def _lost(target: "Target", lost: Span) -> Findings:
    target.notebook.draw(
        Series(
            title=f"A token that stands {REPEATED} times in the prompt",
            instrument="titration",
            points=[Point(0, Span(0, 0)), Point(1, lost)],
            expected=[(0, 0), (1, 0)],
            across="both penalties",
            up="logits that it loses",
        )
    )
    if not lost.fits(0, NEAR):
        target.notebook.blame([causes.of_prompt(lost, 1, 1)])
        yield (
            f"a token that stood {REPEATED} times in the prompt lost {lost} "
            "at the first position"
        )


def _repeating(scale: Balance) -> Balance:
    """The same two tokens after a prompt that repeats the first: as ids, if it may."""
    if scale.dialect is COMPLETIONS:
        ids = [scale.first.id] * REPEATED
        if COMPLETIONS.ask(scale.target, ids, max_tokens=1).status == 200:
            return replace(scale, prompt=ids)
    text = scale.first.text
    return replace(scale, prompt=f"{STORY} {text * REPEATED} {' '.join([text] * 4)}")


@both("penalties-whole-text", slow=True)
def penalties_whole_text(target: "Target", dialect: Dialect) -> Findings:
    """Behind some 90 equal tokens, of which a window would see the last ones only."""

    def read() -> Findings:
        due = [-0.1 * count for count in range(FAR)]
        yield from shifts(target, {FREQUENCY: 0.1}, due)

    yield from either(dialect, lambda: _window(target, dialect), read)


def _window(target: "Target", dialect: Dialect) -> Findings:
    """Tries larger and larger penalties, since a repeated token becomes likelier.

    A penalty that seems to stop growing is only said to if no larger one goes on.
    Raises Absent where the text itself is stronger than any of them.
    """
    scale = balance(target, dialect)
    stopped: tuple[float, int] | None = None
    for value in GENTLE:
        added, times = scale.run(FAR - 20, FAR - 8, **{FREQUENCY: value})
        if added is not None:
            yield from _cancelled(scale, value, added, times)
            return
        if times >= SETTLED and (FAR - times) * value >= DRIFT:
            stopped = value, times
    if stopped is None:
        raise Absent("bias at which a token comes often, and not without end")
    yield from _stopped(target, *stopped)


def _cancelled(scale: Balance, value: float, added: float, times: int) -> Findings:
    """A larger penalty and a bias that is smaller by what it takes off cancel out."""
    points = [(value, times)]
    for more in (5, 10):
        larger = value + more / times
        points.append((larger, scale.lead(FAR, added - more, **{FREQUENCY: larger})))
    scale.target.notebook.draw(_runs(points, times))
    seen = [count for _, count in points[1:]]
    if any(abs(count - times) > STEPS for count in seen):
        if min(seen) > times:
            scale.target.notebook.blame(["The penalty sees fewer tokens than came."])
        yield (
            f"a token came {times} times at a {FREQUENCY} of {value}, and {seen} "
            "times at larger ones with biases to match"
        )


def _stopped(target: "Target", value: float, times: int) -> Findings:
    """A token came ``times`` times, or without end: at no bias something between."""
    target.notebook.draw(_runs([(value, times)], FAR))
    target.notebook.blame([causes.of_window(times)])
    yield (
        f"at a {FREQUENCY} of {value} a token came at most {times} times, or without "
        "end: the penalty had stopped growing"
    )


def _runs(points: Sequence[tuple[float, int]], due: int) -> Series:
    return Series(
        title="How often a token comes, with biases to match",
        instrument="titration",
        points=[Point(x, Span(count - 0.5, count + 0.5)) for x, count in points],
        expected=[(x, due) for x, _ in points],
        across=FREQUENCY,
        up="times sampled",
    )


@both("penalties-default", slow=True)
def penalties_default(target: "Target", dialect: Dialect) -> Findings:
    """Three looks: at two biases, in the prompt instead of sampled, and with zeros.

    A factor on logits moves the choice by more where both biases are larger.
    """
    scale = balance(target, dialect)
    yield from _level(target, scale)
    yield from _left_out(target, scale)
    if dialect is COMPLETIONS:
        yield from _told_or_sampled(target, scale)


def _level(target: "Target", scale: Balance) -> Findings:
    """Flip points behind one token at two biases that both tokens have."""
    arm: dict[str, Any] = {} if scale.margin > 0 else ARMS[FREQUENCY]
    low = replace(scale, level=scale.level / 2)
    high = scale.flip(1, **arm)
    moved = low.flip(1, high, **arm) - high
    half = scale.level - low.level
    target.notebook.draw(
        Series(
            title="Flip point of a repeated token without penalties",
            instrument="titration",
            points=[
                Point(low.level, Span(high.low + moved.low, high.high + moved.high)),
                Point(scale.level, high),
            ],
            expected=[(low.level, high.middle), (scale.level, high.middle)],
            across="bias of both tokens",
            up="bias at the flip point",
        )
    )
    if not moved.fits(0, NEAR):
        target.notebook.blame([causes.of_level(moved, half)])
        yield (
            f"without penalties the flip point of a repeated token moved by {moved} "
            f"where both biases were smaller by {half:g}"
        )


def _left_out(target: "Target", scale: Balance) -> Findings:
    """Flip points with penalties of 0, and with none."""
    if scale.margin <= 0:
        return  # only a penalty tells the tokens apart
    none = scale.flip(1)
    zero = scale.flip(1, none, frequency_penalty=0, presence_penalty=0)
    taken = zero - none
    if not taken.fits(0, NEAR):
        target.notebook.blame([f"A penalty of {taken} is taken where none is sent."])
        yield f"with no penalties a repeated token lost {taken} more than with zeros"


def _told_or_sampled(target: "Target", scale: Balance) -> Findings:
    """Flip points behind a token that was sampled, and that stood in the prompt."""
    ids = [token.id for token in tokens(target, scale.dialect, 4)]
    if COMPLETIONS.ask(target, ids, max_tokens=1).status != 200:
        return  # a prompt of ids is another clause's concern
    start = replace(scale, prompt=ids)
    after = replace(scale, prompt=[*ids, scale.first.id])
    try:
        sampled, prompted = start.flip(1), after.flip(0)
    except Missed:
        return  # the tokens cannot be told apart there
    if not (sampled - prompted).fits(0, BLUR):
        yield (
            f"a token was taken up to {prompted} behind itself in the prompt, and up "
            f"to {sampled} where it had been sampled"
        )


@both("logit-bias-scale", slow=True)
def logit_bias_scale(target: "Target", dialect: Dialect) -> Findings:
    """Flip points at several biases, then the shares of two tokens at temperature 1."""
    scale = balance(target, dialect)
    found = list(_levels(target, scale))
    yield from found
    if not found:
        yield from odds(target, dialect)


def _levels(target: "Target", scale: Balance) -> Findings:
    """The flip point of the first position, whatever bias both tokens have."""
    points = []
    for level in LEVELS:
        if not LEAST < level + scale.zero.low < level + scale.zero.high < MOST:
            continue  # they would not be alone, or may not be sent
        try:
            flip = replace(scale, level=level).flip(0, scale.zero)
        except Unmoved:
            yield f"with biases of about {level} the choice did not follow them"
            continue
        except Absent:
            continue
        points.append(Point(level, flip))
        if not (flip - scale.zero).fits(0, NEAR):
            yield (
                f"with {level} instead of {scale.level:g} on both tokens the flip "
                f"point moved by {flip - scale.zero}"
            )
    target.notebook.draw(
        Series(
            title="Flip point at several biases of both tokens",
            instrument="titration",
            points=points,
            expected=[(point.x, scale.zero.middle) for point in points],
            across="bias of both tokens",
            up="bias at the flip point",
        )
    )


@check("completions.logit-bias-end")
def logit_bias_end(target: "Target") -> Findings:
    answer = COMPLETIONS.ask(target, logit_bias={"50256": 100}, max_tokens=8)
    if answer.refused:  # by servers of fewer tokens
        raise Absent("token id 50256")
    forced = answer.json()["choices"][0]
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


@check("completions.penalties-suppress")
def penalties_suppress(target: "Target") -> Findings:
    """Behind some of three tokens one comes again and again, if nothing hinders it."""
    found = tokens(target, COMPLETIONS, 3)

    def most(some: Sequence[Token], penalty: float) -> int:
        text = say(
            target,
            logit_bias={str(token.id): FORCE for token in some},
            max_tokens=24,
            temperature=0,
            frequency_penalty=penalty,
        )
        return max(text.count(token.text) for token in some)

    for some in (found, *combinations(found, 2)):
        loose = most(some, 0)
        if loose >= 16:
            break
    else:
        raise Absent("repetition without a penalty")
    strict = most(some, 2)
    if strict >= loose:
        yield (
            f"one token of {len(some)} came {loose} times of 24 at 0 and "
            f"{strict} times at 2"
        )
