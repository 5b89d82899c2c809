"""Text that continues a prompt."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from mockserver.choices import (
    Candidate,
    choose,
    interleaved,
    sampling,
    spent,
    stops,
)
from mockserver.context import Context
from mockserver.generation import END_OF_TEXT, Piece, Scored, logprobs, places
from mockserver.registry import handles
from mockserver.reply import Reply, Stream


@dataclass(frozen=True)
class CreateCompletion:
    """A prompt, or several, and how to go on."""

    model: str
    prompt: Any
    suffix: str | None
    max_tokens: int
    temperature: float
    top_p: float
    n: int
    stream: bool
    logprobs: int | None
    echo: bool
    stop: str | Sequence[str] | None
    presence_penalty: float
    frequency_penalty: float
    best_of: int
    logit_bias: Mapping[str, float] | None
    user: str | None = None
    seed: int | None = None

    @property
    def candidates(self) -> int:
        """How many texts are made for each prompt: n where best_of is left out."""
        return max(self.n, self.best_of)


@dataclass(frozen=True)
class Prompt:
    """One prompt as text and as tokens of ours."""

    text: str
    tokens: tuple[int, ...]


@dataclass(frozen=True)
class _Echo:
    """A prompt as echo repeats it."""

    text: str = ""
    scored: tuple[Scored, ...] = ()


@handles("createCompletion")
def create_completion(request: CreateCompletion, context: Context) -> Reply | Stream:
    context.charge(request.user)
    prompts = [_prompt(one, context) for one in _prompts(request.prompt)]
    suffix = context.tokenizer.encode(request.suffix) if request.suffix else []
    for prompt in prompts:
        _fits(len(prompt.tokens) + len(suffix), request, context)
    context.saw(prompts[-1].tokens if prompts else (), suffix)
    model = context.snapshot(request.model)
    context = context.speaking(model)
    head = {
        "id": context.id(),
        "object": "text_completion",
        "created": context.now,
        "model": model,
    }
    if "system_fingerprint" in context.operation.reply["properties"]:
        head["system_fingerprint"] = context.house.fingerprint
    room = context.policy.capped(request.max_tokens)
    settled = replace(request, model=model, max_tokens=room)
    answer = _Answer(settled, context, prompts, tuple(suffix))
    if request.stream:
        return Stream(answer.chunks(head), model)
    return Reply(answer.whole(head), model=model)


@dataclass(frozen=True)
class _Answer:
    """All choices of all prompts, whole or in chunks."""

    request: CreateCompletion
    context: Context
    prompts: Sequence[Prompt]
    suffix: tuple[int, ...]

    def whole(self, head: Mapping[str, Any]) -> dict[str, Any]:
        candidates = self._candidates()
        kept: list[dict[str, Any]] = []
        for place, group in groupby(candidates, key=lambda c: c.prompt):
            echoed = self._echoed(self.prompts[place])
            for one in choose(list(group), self.request.n):
                kept.append(self._part(one.whole, one, len(kept), echoed))
        usage = self._spend(candidates)
        return {**head, "choices": kept, "usage": usage}

    def chunks(self, head: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        candidates = self._candidates()
        try:
            if self.request.echo:
                for place, group in groupby(candidates, key=lambda c: c.prompt):
                    echoed = self._echoed(self.prompts[place])
                    for one in group:
                        opening = self._part(Piece(), one, one.index, echoed)
                        yield {**head, "choices": [opening]}
            for one, piece in interleaved(candidates):
                yield {**head, "choices": [self._part(piece, one, one.index)]}
        finally:
            for one in candidates:
                one.close()
            self._spend(candidates)

    def _candidates(self) -> list[Candidate]:
        count = self.request.candidates
        return [
            Candidate(
                place * count + k,
                place,
                self.request.max_tokens,
                stops(self.request.stop),
                self.context,
                self._job(prompt),
            )
            for place, prompt in enumerate(self.prompts)
            for k in range(count)
        ]

    def _job(self, prompt: Prompt) -> dict[str, Any]:
        tokens = prompt.tokens
        if self.suffix:
            tokens = tuple(self.context.tokenizer.infill(tokens, self.suffix))
        return {
            "prompt": tokens,
            "top": self.request.logprobs or 0,
            **sampling(self.request, self.context),
        }

    def _echoed(self, prompt: Prompt) -> _Echo:
        """What echo puts before each choice of ``prompt``."""
        if not self.request.echo:
            return _Echo()
        if self.request.logprobs is None:
            return _Echo(prompt.text)
        steps = self.context.score(prompt.tokens, self.request.logprobs)
        begins = places(self.context.tokenizer, prompt.tokens)
        return _Echo(prompt.text, tuple(zip(prompt.tokens, steps, begins, strict=True)))

    def _part(
        self, piece: Piece, one: Candidate, index: int, echoed: _Echo = _Echo()
    ) -> dict[str, Any]:
        scores = None
        if self.request.logprobs is not None:
            start = len(self.prompts[one.prompt].text)
            sampled: list[Scored] = [
                (step.token, step, start + place)
                for step, place in zip(piece.steps, piece.places, strict=True)
            ]
            scores = logprobs(
                self.context.tokenizer,
                [*echoed.scored, *sampled],
                self.request.logprobs,
            )
        return {
            "text": echoed.text + piece.text,
            "index": index,
            "logprobs": scores,
            "finish_reason": piece.finish,
        }

    def _spend(self, candidates: Sequence[Candidate]) -> dict[str, int]:
        prompt = sum(len(p.tokens) + len(self.suffix) for p in self.prompts)
        return spent(prompt, candidates, self.context, self.request)


def _prompts(prompt: Any) -> list[Any]:
    """One prompt is a text or a list of tokens; anything else is a list of prompts."""
    if isinstance(prompt, str) or (prompt and isinstance(prompt[0], int | float)):
        return [prompt]
    return list(prompt)


def _prompt(prompt: Any, context: Context) -> Prompt:
    tokenizer = context.tokenizer
    if not isinstance(prompt, str):
        tokens = context.fold([int(token) for token in prompt])
        return Prompt(tokenizer.decode(tokens), tuple(tokens))
    if prompt == END_OF_TEXT:
        return Prompt(prompt, (tokenizer.end_of_text,))
    return Prompt(prompt, tuple(tokenizer.encode(prompt)) or (tokenizer.end_of_text,))


def _fits(tokens: int, request: CreateCompletion, context: Context) -> None:
    """Raises Refuse where prompt and completion are longer than they may be."""
    context.admit_prompt(tokens)
    limit = context.model(request.model).accepts
    asked = tokens + request.max_tokens
    if limit is not None and asked > limit:
        raise context.refuse(
            "completions-context",
            context=limit,
            asked=asked,
            prompt=tokens,
            completion=request.max_tokens,
        )
