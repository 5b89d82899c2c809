"""An assistant's answer to a conversation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mockserver.choices import Candidate, interleaved, sampling, spent, stops
from mockserver.context import Context
from mockserver.registry import handles
from mockserver.reply import Reply, Stream


@dataclass(frozen=True)
class CreateChatCompletion:
    """A conversation, and how to answer it."""

    model: str
    messages: Sequence[Mapping[str, str]]
    temperature: float
    top_p: float
    n: int
    stream: bool
    stop: str | Sequence[str] | None
    max_tokens: int | None
    presence_penalty: float
    frequency_penalty: float
    logit_bias: Mapping[str, float] | None
    user: str | None = None


@handles("createChatCompletion", until="2023-06")
def create_chat_completion(
    request: CreateChatCompletion, context: Context
) -> Reply | Stream:
    context.charge(request.user)
    prompt = context.tokenizer.chat(_known(request.messages, context))
    room = _room(len(prompt), request, context)
    context.saw(prompt)
    model = context.snapshot(request.model)
    head = {"id": context.id(), "created": context.now, "model": model}
    answer = _Answer(replace(request, model=model), context, tuple(prompt), room)
    if request.stream:
        chunks = answer.chunks({"object": "chat.completion.chunk", **head})
        return Stream(chunks, model)
    return Reply(answer.whole({"object": "chat.completion", **head}), model=model)


@dataclass(frozen=True)
class _Answer:
    """All choices of a conversation, whole or in chunks."""

    request: CreateChatCompletion
    context: Context
    prompt: tuple[int, ...]
    room: int

    def whole(self, head: Mapping[str, Any]) -> dict[str, Any]:
        candidates = self._candidates()
        choices = [
            {
                "index": one.index,
                "message": {"role": "assistant", "content": one.whole.text},
                "finish_reason": one.whole.finish,
            }
            for one in candidates
        ]
        return {**head, "choices": choices, "usage": self._spend(candidates)}

    def chunks(self, head: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        candidates = self._candidates()
        try:
            for one in candidates:
                yield _chunk(head, one.index, {"role": "assistant", "content": ""})
            for one, piece in interleaved(candidates):
                if piece.text:
                    yield _chunk(head, one.index, {"content": piece.text})
                if piece.finish:
                    yield _chunk(head, one.index, {}, piece.finish)
        finally:
            for one in candidates:
                one.close()
            self._spend(candidates)

    def _candidates(self) -> list[Candidate]:
        job = {"prompt": self.prompt, **sampling(self.request, self.context)}
        stop = stops(self.request.stop)
        return [
            Candidate(index, 0, self.room, stop, self.context, job)
            for index in range(self.request.n)
        ]

    def _spend(self, candidates: Sequence[Candidate]) -> dict[str, int]:
        return spent(len(self.prompt), candidates, self.context, self.request)


def _chunk(
    head: Mapping[str, Any],
    index: int,
    delta: Mapping[str, str],
    finish: str | None = None,
) -> dict[str, Any]:
    return {
        **head,
        "choices": [{"index": index, "delta": delta, "finish_reason": finish}],
    }


def _known(
    messages: Sequence[Mapping[str, Any]], context: Context
) -> list[dict[str, Any]]:
    """Of each message what the edition describes: other fields have no form yet."""
    described = context.operation.fields["messages"]["items"]["properties"]
    return [
        {name: message[name] for name in described if name in message}
        for message in messages
    ]


def _room(tokens: int, request: CreateChatCompletion, context: Context) -> int:
    """How many tokens the answer may have. Raises Refuse where they do not fit."""
    context.admit_prompt(tokens)
    model = context.model(request.model)
    limit = model.accepts or 0
    if tokens >= limit:
        raise context.refuse("chat-context", context=limit, prompt=tokens)
    if request.max_tokens is None:
        return context.policy.capped(min(limit - tokens, model.output or limit))
    asked = tokens + request.max_tokens
    if asked > limit:
        raise context.refuse(
            "chat-context-completion",
            context=limit,
            asked=asked,
            prompt=tokens,
            completion=request.max_tokens,
        )
    return context.policy.capped(request.max_tokens)
