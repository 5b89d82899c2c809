"""Ids of tokens as somebody tells them: the user, the server itself, or a library."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from conformance.dialect import Dialect
from conformance.view import View, plain

if TYPE_CHECKING:
    from conformance.target import Target

Encode = Callable[[str], list[int]]
WORDS = (" the", " and", " of", " red", "ing", "the", "ed", "se")
"""Texts that most vocabularies have as one token."""


def suggested(target: "Target", dialect: Dialect) -> Iterator[int]:
    """Ids that should read as one of WORDS each; nothing where nobody knows."""
    for source in (_given, _of_server, _of_model):
        encode = source(target, dialect)
        if encode is None:
            continue
        told = [encode(word) for word in WORDS]
        if any(told):
            yield from (ids[0] for ids in told if len(ids) == 1)
            return


def _given(target: "Target", dialect: Dialect) -> Encode | None:
    return tokenizer(target.tokenizer) if target.tokenizer else None


@cache
def tokenizer(name: str) -> Encode:
    """What encodes texts: a tokenizer.json, or an encoding that tiktoken knows.

    Raises ValueError where there is neither, or where the library is missing.
    """
    try:
        if Path(name).is_file():
            known: Any = import_module("tokenizers").Tokenizer.from_file(name)
            return lambda text: list(known.encode(text, add_special_tokens=False).ids)
        encoding: Any = import_module("tiktoken").get_encoding(name)
    except ImportError as error:
        raise ValueError(f"expected {error.name} for {name!r}, got none") from None
    except Exception as error:  # broad, since tokenizers raises nothing narrower
        raise ValueError(f"expected a tokenizer in {name!r}, got {error}") from None
    return lambda text: list(encoding.encode(text))


def _of_server(target: "Target", dialect: Dialect) -> Encode | None:
    """What many servers have beside /v1; they call the text by several names."""
    root = replace(target, base_url=target.base_url.removesuffix("/v1"))
    encode = partial(_tokenized, root, target.model(dialect.resource))
    return encode if encode(WORDS[0]) else None


def _tokenized(root: "Target", model: str, text: str) -> list[int]:
    asked = {
        "model": model,
        "prompt": text,
        "content": text,
        "add_special_tokens": False,
    }
    try:
        answer = root.send("POST", "/tokenize", asked, patience=False)
    except httpx.HTTPError:
        return []
    body = answer.body
    if answer.status != 200 or not isinstance(body, View):
        return []
    ids = plain(body.get("tokens"))
    whole = isinstance(ids, list) and all(type(id) is int for id in ids)
    return list(ids) if whole else []


def _of_model(target: "Target", dialect: Dialect) -> Encode | None:
    """By the model's name, as tiktoken knows it; it may fetch the vocabulary once."""
    try:
        known: Any = import_module("tiktoken")
        encoding = known.encoding_for_model(target.model(dialect.resource))
    except (ImportError, KeyError, OSError):
        return None
    return lambda text: list(encoding.encode(text))
