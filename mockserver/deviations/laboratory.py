"""Wrong numbers: penalties, biases, temperatures and nuclei that only figures show."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from mockserver.deviation import Deviation
from mockserver.deviations.sampling import (
    Policy,
    biases,
    divided,
    halved,
    honest,
    none,
    not_negative,
    presence_as_frequency,
    presence_counted,
    prompt_counted,
    repeat_penalty,
    windowed,
    with_policy,
)
from mockserver.deviations.streams import OPERATIONS
from mockserver.faults import changed
from mockserver.reply import Reply

if TYPE_CHECKING:
    from torch import Tensor

    from reference_model.sampling import Sampling

Json = Any
WINDOW = 64
CLAMP = 50.0


def weighed(
    frequency: float, presence: float, *, last: int = 0, swapped: bool = False
) -> Policy:
    """The formula with factors on its coefficients, over the ``last`` tokens (0: all).

    ``swapped`` takes each coefficient from the other parameter.
    """

    def policy(
        logits: "Tensor", prompt: Sequence[int], sampled: Sequence[int], s: "Sampling"
    ) -> "Tensor":
        pair = s.frequency_penalty, s.presence_penalty
        first, second = reversed(pair) if swapped else pair
        return honest(logits, sampled[-last:], frequency * first, presence * second)

    return policy


def late(
    logits: "Tensor", prompt: Sequence[int], sampled: Sequence[int], s: "Sampling"
) -> "Tensor":
    """Counts one token too late."""
    return honest(logits, sampled[:-1], s.frequency_penalty, s.presence_penalty)


def prompt_divided(
    logits: "Tensor", prompt: Sequence[int], sampled: Sequence[int], s: "Sampling"
) -> "Tensor":
    """Takes a tenth off the logits of tokens of prompt and text."""
    changed = honest(logits, sampled, s.frequency_penalty, s.presence_penalty)
    return divided(changed, [*prompt, *sampled])


def clamped(value: float) -> float:
    return max(-CLAMP, min(CLAMP, value))


def copied(asked: dict[str, Any], reply: Reply) -> Reply:
    """Gives the first choice of each prompt in the place of the others."""
    made, many = reply.body["choices"], asked.get("n") or 1
    firsts = [made[one["index"] // many * many] for one in made]
    copies = [
        {**first, "index": one["index"]}
        for first, one in zip(firsts, made, strict=True)
    ]
    return replace(reply, body={**reply.body, "choices": copies})


def one_token(top_p: float) -> float:
    """Leaves the likeliest token alone where there is any nucleus."""
    return top_p if top_p == 1 else 0.0


def _wrong(resource: str) -> Iterator[tuple[str, str, Policy]]:
    """Wrong formulas, and the clause that notices each."""
    formula, once = "frequency-penalty-formula", "presence-penalty-formula"
    yield "penalties-swapped", formula, weighed(1, 1, swapped=True)
    yield "penalties-subtracted-twice", once, weighed(2, 2)
    yield "frequency-tenth-missing", formula, weighed(0.9, 1)
    yield "presence-tenth-missing", once, weighed(1, 0.9)
    yield "penalties-of-other-sign", "penalties-negative", weighed(-1, -1)
    yield "penalties-late", formula, late
    yield "penalties-of-64", "penalties-whole-text", weighed(1, 1, last=WINDOW)
    yield "repeat-penalty-of-prompt", "penalties-default", prompt_divided
    if resource == "chat":  # completions have theirs beside the log probabilities
        yield "penalties-ignored", formula, none
        yield "penalties-halved", formula, halved
        yield "presence-as-frequency", formula, presence_as_frequency
        yield "presence-counted", once, presence_counted
        yield "penalties-of-prompt", "penalties-sampled-only", prompt_counted
        yield "penalties-windowed", "penalties-whole-text", windowed
        yield "penalties-not-negative", "penalties-negative", not_negative
        yield "repeat-penalty", "penalties-default", repeat_penalty


def _of(resource: str, operation: str) -> Iterator[Deviation]:
    fault = partial(_fault, resource, operation)
    near = (f"{resource}.*-penalty-*", f"{resource}.penalties-*")
    for name, clause, policy in _wrong(resource):
        yield fault(name, clause, *near, on_job=with_policy(policy))
    yield fault("bias-clamped-at-50", "logit-bias-scale", on_request=biases(clamped))
    heats: dict[str, Any] = {
        "temperature-squared": lambda heat: heat * heat,
        "temperature-of-one": lambda heat: heat and 1.0,
        "temperature-bounded": lambda heat: min(heat, 1.0),
    }
    for name, change in heats.items():
        seam = changed(temperature=change)
        yield fault(name, "temperature-scale", "*.seed-differs", on_request=seam)
    yield fault(
        "top-p-as-one-token", "top-p-keeps", on_request=changed(top_p=one_token)
    )
    yield fault(
        "top-p-doubled", "top-p-cut", on_request=changed(top_p=lambda p: min(1, 2 * p))
    )
    yield fault(
        "n-copied",
        "n-independent",
        f"{resource}.temperature-random",
        on_answer=copied,
    )


def _fault(
    resource: str, operation: str, name: str, clause: str, *also: str, **seams: Any
) -> Deviation:
    id, noticed = f"{resource}.{name}", f"{resource}.{clause}"
    return Deviation(id, noticed, (operation,), also, **seams)


DEVIATIONS = (
    *(deviation for pair in OPERATIONS.items() for deviation in _of(*pair)),
    _fault(
        "completions",
        "createCompletion",
        "best-of-one",
        "best-of-independent",
        "completions.best-of-*",
        on_request=changed(best_of=lambda _: 1),
    ),
    _fault(
        "chat",
        "createChatCompletion",
        "bias-halved",
        "logit-bias-scale",
        "chat.*-penalty-*",
        "chat.penalties-*",
        on_request=biases(lambda value: value / 2),
    ),
)
