"""What the engine is asked for, and what it gives."""

from dataclasses import dataclass

from reference_model.grammar import Grammar
from reference_model.sampling import PLAIN, Penalty, Sampling, penalty_of_reference


@dataclass(frozen=True)
class Job:
    """A text to go on with. The same job always gives the same steps."""

    prompt: tuple[int, ...]
    max_tokens: int
    sampling: Sampling = PLAIN
    seed: int = 0
    top: int = 0  # how many alternatives each step reports
    stop_at_end: bool = True  # else end of text is a step like any other
    script: tuple[int, ...] = ()  # tokens to give instead of drawn ones
    penalty: Penalty = penalty_of_reference
    grammar: Grammar | None = None  # of the reply alone; the prompt may open it
    remembered: bool = True  # whether its reply may be kept for when it comes again


@dataclass(frozen=True, slots=True)
class Step:
    """A token, its log probability, and the likeliest tokens there, best first."""

    token: int
    logprob: float
    top: tuple[tuple[int, float], ...] = ()
