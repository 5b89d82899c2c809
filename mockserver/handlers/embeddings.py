"""Vectors of texts."""

import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mockserver.context import Context
from mockserver.registry import handles
from mockserver.reply import Reply


@dataclass(frozen=True)
class CreateEmbedding:
    """One input or several, as text or as tokens."""

    model: str
    input: Any
    encoding_format: str
    user: str | None = None


@handles("createEmbedding")
def create_embedding(request: CreateEmbedding, context: Context) -> Reply:
    from reference_model.embed import embed

    context.charge(request.user)
    model = context.model(request.model)
    inputs = [_tokens(one, context) for one in _inputs(request.input)]
    for tokens in inputs:
        if model.accepts is not None and len(tokens) > model.accepts:
            raise context.refuse(
                "embeddings-context", context=model.accepts, asked=len(tokens)
            )
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": _coded(
                embed(tokens, model.width or 1536), request.encoding_format
            ),
        }
        for index, tokens in enumerate(inputs)
    ]
    used = sum(len(tokens) for tokens in inputs)
    context.spend(used, 0, request.user)
    usage = {"prompt_tokens": used, "total_tokens": used}
    body = {"object": "list", "data": data, "model": request.model, "usage": usage}
    return Reply(body, model=request.model)


def _inputs(value: Any) -> list[Any]:
    """One input is a text or a list of tokens; anything else is a list of inputs."""
    if isinstance(value, str) or isinstance(value[0], int | float):
        return [value]
    return list(value)


def _tokens(one: Any, context: Context) -> list[int]:
    if isinstance(one, str):
        return list(context.tokenizer.encode(one))
    return context.fold([int(token) for token in one])


def _coded(vector: Sequence[float], form: str) -> Any:
    """A vector as a list, or as base64 of little-endian float32 numbers."""
    if form == "base64":
        raw = struct.pack(f"<{len(vector)}f", *vector)
        return base64.b64encode(raw).decode()
    return list(vector)
