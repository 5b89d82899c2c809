"""A server that has loaded our weights says what the reference model says."""

import math
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from conformance import oracle
from conformance.checks.embeddings import TEXTS, direction, vectors
from conformance.dialect import CHAT, COMPLETIONS, STORY
from conformance.notebook import Point, Series, Span
from conformance.oracle import TOLERANCES, Said, Wish
from conformance.registry import Findings, check
from conformance.statistics import ALARM, Surprise, Verdict
from conformance.view import Absent

if TYPE_CHECKING:
    from conformance.target import Target

PROMPTS = ("Once upon a time", "The old painter", "Yesterday in Paris", "é 中")
TALKS = tuple(
    [{"role": role, "content": text} for role, text in talk]
    for talk in (
        [("user", "Say this is a test")],
        [("user", "Say this is a test.")],  # one more token
        [("system", "Be kind."), ("user", "Tell me about bread.")],
        [("user", "Hello!"), ("assistant", "Hello."), ("user", "Who are you?")],
    )
)
BIASES = ((11, 3), (13, -100), (198, 7))
HEATS = (0.7, 1.3)
DRAWS, SIZE, SHOWN = 400, 16, 6
RARE, OTHERS = 0.01, "any other"
greedy = oracle.greedy


def precise(target: "Target") -> float:
    """How far apart log probabilities may be."""
    return TOLERANCES[target.precision]


def same_text(target: "Target", wish: Wish) -> Findings:
    """Greedy texts, as far as no choice is too close to call."""
    compared = 0
    for prompt in PROMPTS:
        due = greedy(oracle.encode(prompt), wish).certain(precise(target))
        text = COMPLETIONS.say(target, prompt, **wish.body)
        compared += len(due)
        if not text.startswith(due):
            yield f"{prompt!r} went on {text!r}, the reference model {due!r}"
    if not compared:
        raise Absent("text that the reference model is sure of")


@check("completions.weights-text", slow=True)
def weights_text(target: "Target") -> Findings:
    yield from same_text(target, Wish())


@check("completions.weights-penalties", slow=True)
def weights_penalties(target: "Target") -> Findings:
    for frequency, presence in ((1.5, 0.5), (-1.0, 0.0), (0.0, 2.0)):
        yield from same_text(target, Wish(frequency=frequency, presence=presence))


@check("completions.weights-bias", slow=True)
def weights_bias(target: "Target") -> Findings:
    yield from same_text(target, Wish(bias=BIASES))


@check("completions.weights-stop", slow=True)
def weights_stop(target: "Target") -> Findings:
    for prompt in PROMPTS[:3]:
        due = greedy(oracle.encode(prompt), Wish()).certain(precise(target))
        if len(due) < 12:
            continue
        stop = due[8:11]
        text = COMPLETIONS.say(target, prompt, stop=stop, **Wish().body)
        if text != due[: due.index(stop)]:
            yield f"with the stop {stop!r} came {text!r} of {due!r}"


@check("completions.weights-logprobs", slow=True)
def weights_logprobs(target: "Target") -> Findings:
    """Before or after bias and penalties: whichever is nearer counts."""
    apart: list[float] = []
    for prompt in PROMPTS:
        due = greedy(oracle.encode(prompt), Wish())
        choice = COMPLETIONS.choices(target, prompt, logprobs=1, **Wish().body)[0]
        apart += _apart(due, choice)
    yield from _compared(target, "generated", apart)


def _apart(due: Said, choice: Any) -> Iterator[float]:
    """Differences at the tokens that are alike."""
    text, told = "", choice["logprobs"]["token_logprobs"]
    for token, likely, seen in zip(due.tokens, due.likely, told, strict=False):
        text += oracle.spelled(token)
        if not choice["text"].startswith(text):
            return
        yield min((seen - one for one in likely), key=abs)


@check("completions.weights-echo", slow=True)
def weights_echo(target: "Target") -> Findings:
    apart: list[float] = []
    for prompt in (STORY, *PROMPTS[:3]):
        ids = oracle.encode(prompt)
        choice = COMPLETIONS.choices(
            target, prompt, echo=True, max_tokens=0, logprobs=1, temperature=0
        )[0]
        if choice["text"] != prompt:
            raise Absent("echo of a prompt alone")
        told = list(choice["logprobs"]["token_logprobs"])[-len(ids) :][1:]
        due = oracle.scored(ids)
        if len(told) != len(due):
            raise Absent("log probability of each token of the prompt")
        apart += (
            min((seen - one for one in true), key=abs)
            for seen, true in zip(told, due, strict=True)
        )
    yield from _compared(target, "echoed", apart)


def _compared(target: "Target", how: str, apart: list[float]) -> Findings:
    bound = precise(target)
    if not apart:
        raise Absent("token that the reference model says too")
    target.notebook.draw(
        Series(
            title=f"Log probabilities of {how} tokens, less the reference model's",
            instrument="reference weights",
            points=[Point(n, Span(d - bound, d + bound)) for n, d in enumerate(apart)],
            expected=[(0, 0), (len(apart) - 1, 0)],
            across="token",
            up="difference",
            note=f"at most {max(map(abs, apart)):.1e}, tolerated {bound:g}",
        )
    )
    worst = max(apart, key=abs)
    if abs(worst) > bound:
        yield (
            f"of {len(apart)} log probabilities one was {worst:+.2g} off, "
            f"where {target.precision} tolerates {bound:g}"
        )


@check("completions.weights-usage", slow=True)
def weights_usage(target: "Target") -> Findings:
    """The token that begins every text may count or not, for all prompts alike."""
    yield from _counted(
        [
            (
                COMPLETIONS.ask(target, prompt, max_tokens=1).json()["usage"],
                len(oracle.encode(prompt)),
            )
            for prompt in (STORY, *PROMPTS, f"{PROMPTS[0]}.")  # one more token
        ]
    )


def _counted(pairs: list[tuple[Any, int]]) -> Findings:
    more = [usage["prompt_tokens"] - due for usage, due in pairs]
    if len(set(more)) > 1 or more[0] not in (0, 1):
        yield f"the prompts counted {more} tokens more than the reference model's"


@check("completions.weights-temperature", slow=True)
def weights_temperature(target: "Target") -> Findings:
    """Draws of the first token at two temperatures: bets against the model's law.

    Chi-square is told beside them: a bound on false alarms it has only for many draws.
    """
    prompt = max(PROMPTS, key=_openness)
    for heat in HEATS:
        found = Surprise(_binned(oracle.shares(oracle.encode(prompt), heat)))
        for text in islice(_drawn(target, prompt, heat), DRAWS):
            found.take(text if text in found.law else OTHERS)
            if found.alarming:
                break
        target.notebook.draw(_shared(found, heat))
        if found.alarming:
            yield (
                f"{found.seen.total()} draws at temperature {heat} came as the "
                f"reference model's would in less than one of {1 / ALARM:,.0f} runs"
            )


@check("embeddings.weights-vectors", slow=True)
def weights_vectors(target: "Target") -> Findings:
    """By the distance of vectors of length one; made in whichever way is nearest."""
    found = [direction(one) for one in vectors(target, TEXTS)]
    if len({len(one) for one in found}) > 1:
        raise Absent("vectors of one width")
    due = [oracle.embeddings(text, len(found[0])) for text in TEXTS]
    apart = {
        how: [
            math.dist(direction(one[how]), seen)
            for one, seen in zip(due, found, strict=True)
        ]
        for how in due[0]
    }
    nearest = min(apart, key=lambda how: max(apart[how]))
    worst = max(apart[nearest])
    if worst > precise(target):
        yield (
            f"of {len(TEXTS)} vectors one was {worst:.2g} from {nearest}, "
            f"where {target.precision} tolerates {precise(target):g}"
        )


def _binned(spread: dict[str, float]) -> dict[str, float]:
    """The likely texts, and all others together: what is rare says little alone."""
    kept = {text: share for text, share in spread.items() if share >= RARE}
    return {**kept, OTHERS: 1 - sum(kept.values())}


def _openness(prompt: str) -> float:
    """The entropy of what comes next."""
    spread = oracle.shares(oracle.encode(prompt), 1).values()
    return -sum(share * math.log(share) for share in spread if share)


def _drawn(target: "Target", prompt: str, heat: float) -> Iterator[str]:
    asked = {**Wish(count=1).body, "temperature": heat, "n": SIZE}
    for _ in range(DRAWS):
        found = COMPLETIONS.choices(target, prompt, **asked)
        yield from (str(choice["text"]) for choice in found)


def _shared(found: Surprise, heat: float) -> Series:
    """The likeliest tokens: their shares seen and expected."""
    likely = sorted(found.law, key=lambda text: -found.law[text])[:SHOWN]
    count = found.seen.total()
    return Series(
        title=f"Shares of the likeliest tokens at temperature {heat}",
        instrument="reference weights",
        kind="shares",
        points=[
            Point(n, Verdict(None, found.seen[text], count).seen, text)
            for n, text in enumerate(likely)
        ],
        expected=[(n, found.law[text]) for n, text in enumerate(likely)],
        up="share",
        note=f"{count} draws, {found.fit}; false alarm at most {ALARM:g}",
    )


@check("chat.weights-text", slow=True)
def chat_weights_text(target: "Target") -> Findings:
    """White space before an answer does not count: some templates drop it."""
    for messages in TALKS:
        due = greedy(oracle.talk(messages), Wish()).certain(precise(target)).lstrip()
        text = CHAT.say(target, messages=messages, **Wish().body).lstrip()
        if not text.startswith(due):
            yield f"{messages[-1]} was answered {text!r}, by the reference {due!r}"


@check("chat.weights-usage", slow=True)
def chat_weights_usage(target: "Target") -> Findings:
    """The token that begins every text may count or not, for all talks alike."""
    pairs = []
    for messages in TALKS:
        usage = CHAT.ask(target, messages=messages, max_tokens=1).json()["usage"]
        pairs.append((usage, len(oracle.talk(messages))))
    yield from _counted(pairs)
