"""Faults of penalties: other formulas, and the clause that notices each."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mockserver.deviation import Deviation
from mockserver.deviations.streams import OPERATIONS

if TYPE_CHECKING:
    from torch import Tensor

    from reference_model.engine import Job
    from reference_model.sampling import Sampling

Policy = Callable[["Tensor", Sequence[int], Sequence[int], "Sampling"], "Tensor"]


def honest(
    logits: "Tensor", sampled: Sequence[int], frequency: float, presence: float
) -> "Tensor":
    """The documented formula, with counts and coefficients of the caller's choice."""
    changed = logits.clone()
    for token in set(sampled):
        changed[token] -= sampled.count(token) * frequency + presence
    return changed


def prompt_counted(
    logits: "Tensor", prompt: Sequence[int], sampled: Sequence[int], s: "Sampling"
) -> "Tensor":
    counted = [*prompt, *sampled]
    return honest(logits, counted, s.frequency_penalty, s.presence_penalty)


def presence_as_frequency(
    logits: "Tensor", prompt: Sequence[int], sampled: Sequence[int], s: "Sampling"
) -> "Tensor":
    return honest(logits, list(sampled), s.presence_penalty, s.presence_penalty)


def presence_counted(
    logits: "Tensor", prompt: Sequence[int], sampled: Sequence[int], s: "Sampling"
) -> "Tensor":
    return honest(logits, list(sampled), s.frequency_penalty + s.presence_penalty, 0.0)


def halved(
    logits: "Tensor", prompt: Sequence[int], sampled: Sequence[int], s: "Sampling"
) -> "Tensor":
    return honest(
        logits, list(sampled), s.frequency_penalty / 2, s.presence_penalty / 2
    )


def windowed(
    logits: "Tensor", prompt: Sequence[int], sampled: Sequence[int], s: "Sampling"
) -> "Tensor":
    last = list(sampled)[-20:]
    return honest(logits, last, s.frequency_penalty, s.presence_penalty)


def not_negative(
    logits: "Tensor", prompt: Sequence[int], sampled: Sequence[int], s: "Sampling"
) -> "Tensor":
    return honest(
        logits,
        list(sampled),
        max(0.0, s.frequency_penalty),
        max(0.0, s.presence_penalty),
    )


def repeat_penalty(
    logits: "Tensor", prompt: Sequence[int], sampled: Sequence[int], s: "Sampling"
) -> "Tensor":
    """Takes a tenth off the logits of repeated tokens, as nobody asked for."""
    changed = honest(logits, list(sampled), s.frequency_penalty, s.presence_penalty)
    return divided(changed, sampled)


def divided(logits: "Tensor", tokens: Sequence[int]) -> "Tensor":
    """Makes tokens less likely by a factor on their logits."""
    changed = logits.clone()
    for token in set(tokens):
        value = float(changed[token])
        changed[token] = value / 1.1 if value > 0 else value * 1.1
    return changed


def frequency_only(
    logits: "Tensor", prompt: Sequence[int], sampled: Sequence[int], s: "Sampling"
) -> "Tensor":
    return honest(logits, list(sampled), s.frequency_penalty, 0.0)


def presence_only(
    logits: "Tensor", prompt: Sequence[int], sampled: Sequence[int], s: "Sampling"
) -> "Tensor":
    return honest(logits, list(sampled), 0.0, s.presence_penalty)


def none(
    logits: "Tensor", prompt: Sequence[int], sampled: Sequence[int], s: "Sampling"
) -> "Tensor":
    return logits


def with_policy(policy: Policy) -> Callable[["Job"], "Job"]:
    return lambda job: replace(job, penalty=policy)


FORMULAS_OF_CHAT = ("chat.*-penalty-formula", "chat.penalties-*")
FORMULAS = ("completions.*-penalty-formula", "completions.penalties-*")


def _penalty(name: str, clause: str, policy: Policy, *also: str) -> Deviation:
    resource = clause.partition(".")[0]
    return Deviation(
        f"{resource}.{name}",
        clause,
        (OPERATIONS[resource],),
        also,
        on_job=with_policy(policy),
    )


DEVIATIONS = (
    _penalty("penalties-ignored", "completions.penalties-suppress", none, *FORMULAS),
    _penalty(
        "penalties-halved", "completions.frequency-penalty-formula", halved, *FORMULAS
    ),
    _penalty(
        "presence-as-frequency",
        "completions.frequency-penalty-formula",
        presence_as_frequency,
        *FORMULAS,
    ),
    _penalty(
        "presence-counted",
        "completions.presence-penalty-formula",
        presence_counted,
        *FORMULAS,
    ),
    _penalty(
        "penalties-of-prompt",
        "completions.penalties-sampled-only",
        prompt_counted,
        *FORMULAS,
    ),
    _penalty(
        "penalties-windowed", "completions.penalties-whole-text", windowed, *FORMULAS
    ),
    _penalty(
        "penalties-not-negative",
        "completions.penalties-negative",
        not_negative,
        *FORMULAS,
    ),
    _penalty(
        "repeat-penalty",
        "completions.penalties-default",
        repeat_penalty,
        "completions.echo-equals-generation",
        *FORMULAS,
    ),
    _penalty(
        "frequency-ignored",
        "chat.frequency-penalty-effect",
        presence_only,
        *FORMULAS_OF_CHAT,
    ),
    _penalty(
        "presence-ignored",
        "chat.presence-penalty-effect",
        frequency_only,
        *FORMULAS_OF_CHAT,
    ),
)
