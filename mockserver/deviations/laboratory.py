"""Wrong numbers: penalties, biases, temperatures and nuclei that only figures show."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from mockserver.deviation import Deviation
from mockserver.deviations.penalties import (
    Policy,
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
from mockserver.deviations.sampling import biases, late_stop
from mockserver.deviations.streams import OPERATIONS
from mockserver.faults import changed, scores, sent, with_choices, with_usage
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


def other_weights(
    logits: "Tensor", prompt: Sequence[int], sampled: Sequence[int], s: "Sampling"
) -> "Tensor":
    """A model that learned something else, and is as consistent."""
    import torch

    changed = honest(logits, sampled, s.frequency_penalty, s.presence_penalty)
    return changed + 6 * torch.arange(len(changed)).sin()


def small_halved(value: float) -> float:
    """Halves the biases that only shift the odds."""
    return value / 2 if abs(value) < CLAMP else value


def hotter(heat: float) -> float:
    return heat if heat in (0, 1) else min(2.0, 1.5 * heat)


def odd_counted_up(usage: Json) -> Json:
    """Counts the tokens of a prompt in twos."""
    count = usage["prompt_tokens"]
    return {**usage, "prompt_tokens": count + count % 2}


def stretched(factor: float, echoed: bool) -> Callable[..., Reply]:
    """Tells log probabilities that are wrong by a factor."""

    def change(found: Json) -> Json:
        top = found["top_logprobs"]
        return {
            **found,
            "token_logprobs": [v and v * factor for v in found["token_logprobs"]],
            "top_logprobs": top
            and [row and {k: v * factor for k, v in row.items()} for row in top],
        }

    def seam(asked: dict[str, Any], reply: Reply) -> Reply:
        if bool(asked.get("echo")) != echoed:
            return reply
        return with_choices(scores(change))(reply)

    return seam


def warmed(asked: dict[str, Any], reply: Reply) -> Reply:
    """Tells log probabilities of logits that were divided by the temperature."""
    heat = asked.get("temperature") or 1

    def row_of(row: Json) -> Json:
        divided = {name: value / heat for name, value in row.items()}
        total = math.log(sum(math.exp(value) for value in divided.values()))
        return {name: value - max(0.0, total) for name, value in divided.items()}

    def change(found: Json) -> Json:
        if heat == 1 or not found["top_logprobs"]:
            return found
        rows = [row and row_of(row) for row in found["top_logprobs"]]
        own = [
            row and row[token] for token, row in zip(found["tokens"], rows, strict=True)
        ]
        return {**found, "top_logprobs": rows, "token_logprobs": own}

    return with_choices(scores(change))(reply)


def exchanged(asked: dict[str, Any], reply: Reply) -> Reply:
    """Under penalties, gives the sampled token the log probability of the last one."""
    if not asked.get("frequency_penalty"):
        return reply

    def row_of(token: str, row: Json) -> Json:
        last = min(row, key=lambda name: row[name])
        return {**row, token: row[last], last: row[token]}

    def change(found: Json) -> Json:
        pairs = zip(found["tokens"], found["top_logprobs"] or [], strict=False)
        rows = [row_of(token, row) for token, row in pairs]
        return {**found, "top_logprobs": rows} if rows else found

    return with_choices(scores(change))(reply)


def _of(resource: str, operation: str) -> Iterator[Deviation]:
    fault = partial(_fault, resource, operation)
    near = (f"{resource}.*-penalty-*", f"{resource}.penalties-*")
    for name, clause, policy in _wrong(resource):
        yield fault(name, clause, *near, on_job=with_policy(policy))
    yield fault(
        "presence-of-its-own",
        "penalties-default",
        *near,
        "completions.echo-equals-generation",
        on_body=sent(presence_penalty=0.5),
    )
    yield fault(
        "bias-clamped-at-50",
        "logit-bias-scale",
        f"{resource}.temperature-scale",
        on_request=biases(clamped),
    )
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


def _weights(resource: str, operation: str) -> Iterator[Deviation]:
    """What only the reference weights tell, or tell sooner."""
    fault = partial(_fault, resource, operation)
    yield fault(
        "other-weights",
        "weights-text",
        f"{resource}.weights-*",
        "completions.echo-equals-generation",
        on_job=with_policy(other_weights),
    )
    yield fault(
        "prompt-counted-in-twos",
        "weights-usage",
        f"{resource}.*usage*",
        f"{resource}.tokens-*",
        "api.*-usage",
        on_reply=with_usage(odd_counted_up),
    )


def _weights_of_completions() -> Iterator[Deviation]:
    fault = partial(_fault, "completions", "createCompletion")
    many = ("completions.*-penalty-*", "completions.penalties-*")
    twice = with_policy(weighed(2, 2))
    yield fault("penalties-doubled", "weights-penalties", *many, on_job=twice)
    yield fault(
        "small-bias-halved",
        "weights-bias",
        "completions.logit-bias-scale",
        *many,
        on_request=biases(small_halved),
    )
    yield fault(
        "stop-late",
        "weights-stop",
        "completions.stop-*",
        on_request=changed(stop=late_stop),
    )
    yield fault(
        "hotter",
        "weights-temperature",
        "completions.temperature-scale",
        on_request=changed(temperature=hotter),
    )
    yield fault(
        "logprobs-stretched", "weights-logprobs", on_answer=stretched(1.01, False)
    )
    yield fault("echo-stretched", "weights-echo", on_answer=stretched(1.01, True))
    yield fault(
        "logprobs-after-temperature",
        "logprobs-temperature",
        "completions.logprobs-*",
        on_answer=warmed,
    )
    yield fault(
        "logprobs-exchanged",
        "logprobs-penalised",
        *many,
        on_answer=exchanged,
    )


DEVIATIONS = (
    *(deviation for pair in OPERATIONS.items() for deviation in _of(*pair)),
    *(deviation for pair in OPERATIONS.items() for deviation in _weights(*pair)),
    *_weights_of_completions(),
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
        "chat.temperature-scale",
        on_request=biases(lambda value: value / 2),
    ),
)
