"""Candidates of one request: begun together, ranked, or read side by side."""

import random
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mockserver.context import Context
from mockserver.generation import Piece, pieces, whole

if TYPE_CHECKING:
    from reference_model.engine import Step


class Candidate:
    """One text under way. Its generation begins with it, so that all batch together."""

    def __init__(
        self,
        index: int,
        prompt: int,
        max_tokens: int,
        stops: Sequence[str],
        context: Context,
        job: dict[str, Any],
    ) -> None:
        from reference_model.engine import Job

        self.index, self.prompt = index, prompt
        self.sampled = 0
        drawn = {**job, "seed": _seed(job, index, context)}
        self._steps = context.generate(Job(max_tokens=max_tokens, **drawn))
        self._delay = context.delay
        self.pieces = pieces(
            self._counted(),
            context.tokenizer,
            stops,
            max_tokens,
            blocked=context.policy.blocked,
        )

    @cached_property
    def whole(self) -> Piece:
        """The whole text."""
        with_steps = whole(self.pieces)
        self.close()
        return with_steps

    @property
    def mean(self) -> float:
        """The log probability per token of the whole text; best_of ranks by it."""
        steps = self.whole.steps
        return sum(step.logprob for step in steps) / max(1, len(steps))

    def close(self) -> None:
        """Stop generating; the row is free by the next token."""
        close = getattr(self._steps, "close", None)
        if close is not None:
            close()

    def _counted(self) -> Iterator["Step"]:
        for step in self._steps:
            if self._delay:
                time.sleep(self._delay)
            self.sampled += 1
            yield step


def _seed(job: dict[str, Any], index: int, context: Context) -> int:
    """Where the draws of a choice begin: as the caller's seed says, or by chance.

    A greedy job is the same whatever its seed.
    """
    if not job["sampling"].temperature > 0:
        return 0
    if job["seed"] is None:
        return context.house.ids.seed()
    return random.Random(f"{job['seed']} {index}").getrandbits(62)


def sampling(request: Any, context: Context) -> dict[str, Any]:
    """The part of a job that completions and chat say in the same words."""
    from reference_model.sampling import Sampling

    biases: dict[int, float] = {}
    for token, value in (request.logit_bias or {}).items():
        folded = context.tokenizer.fold(int(token[-18:]))
        biases[folded] = float(value)
    return {
        "sampling": Sampling(
            temperature=request.temperature,
            top_p=request.top_p,
            frequency_penalty=request.frequency_penalty,
            presence_penalty=request.presence_penalty,
            logit_bias=tuple(sorted(biases.items())),
        ),
        "seed": getattr(request, "seed", None),  # not in every edition
    }


def stops(stop: str | Sequence[str] | None) -> tuple[str, ...]:
    """The stop texts, however they were sent."""
    return (stop,) if isinstance(stop, str) else tuple(stop or ())


def spent(
    prompt: int, candidates: Sequence[Candidate], context: Context, request: Any
) -> dict[str, int]:
    """The usage of an answer, which the caller is charged.

    The model of ``request`` is the snapshot that answered.
    """
    completion = sum(one.sampled for one in candidates)
    context.spend(prompt, completion, request.user, request.model)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def choose(candidates: list[Candidate], n: int) -> list[Candidate]:
    """The ``n`` with the highest log probability per token; all of them as they are."""
    if n >= len(candidates):
        return candidates
    return sorted(candidates, key=lambda one: -one.mean)[:n]


def interleaved(candidates: Sequence[Candidate]) -> Iterator[tuple[Candidate, Piece]]:
    """The pieces of all candidates, one of each in turn."""
    running = list(candidates)
    while running:
        for one in list(running):
            piece = next(one.pieces, None)
            if piece is None:
                running.remove(one)
            else:
                yield one, piece
