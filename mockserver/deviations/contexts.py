"""Faults of the contexts of completion models, and of how tokens are counted."""

from collections.abc import Callable
from typing import Any

from mockserver.deviation import Body, Deviation
from mockserver.deviations.fairness import SHORT, counted
from mockserver.reply import Refuse
from spec import Operation, load

EDITION = "2023-12"  # the one that names the contexts
SLACK = 64  # tokens
Seam = Callable[[Operation, Body], Body]


def lax(*models: str) -> Seam:
    """Lets max_tokens alone fill the context of these models, whatever the prompt."""

    def seam(operation: Operation, body: Body) -> Body:
        model, count = body.get("model"), body.get("max_tokens")
        if model not in models or not isinstance(count, int):
            return body
        limit = load(EDITION).models[model].accepts or 0
        return {**body, "max_tokens": 8} if limit - SLACK < count <= limit else body

    return seam


def without_davinci(operation: Operation, body: Body) -> Body:
    """A current model is not there."""
    if body.get("model") == "davinci-002":
        raise Refuse(operation.refusals["model-not-found"].worded(model="davinci-002"))
    return body


def one_word(text: str, tokens: int) -> int:
    return 1 if len(text.split()) == 1 else tokens


def characters(text: str, tokens: int) -> int:
    return len(text) if len(text) > SHORT else tokens


def syllables(text: str, tokens: int) -> int:
    """A token is guessed for every two and a half characters."""
    return 2 * len(text) // 5 if len(text) > SHORT else tokens


def fault(name: str, clause: str, *also: str, **seams: Any) -> Deviation:
    patterns = tuple(p if "." in p else f"completions.{p}" for p in also)
    id, noticed = f"completions.{name}", f"completions.{clause}"
    return Deviation(id, noticed, ("createCompletion",), patterns, **seams)


def _lax(name: str, *models: str) -> Deviation:
    return fault(f"lax-{name}", f"context-{name}", on_body=lax(*models))


DEVIATIONS = (
    fault("davinci-002-unknown", "models", on_body=without_davinci),
    _lax("gpt-3-5-turbo-instruct", "gpt-3.5-turbo-instruct"),
    _lax("text-davinci-003", "text-davinci-002"),
    _lax("code-davinci-002", "code-davinci-002"),
    _lax("babbage-002", "babbage-002"),
    _lax("davinci-002", "davinci-002"),
    _lax("gpt-3", "text-ada-001"),
    fault(
        "words-counted",
        "tokens-words",
        "safety.word-tokens",
        on_answer=counted(one_word),
    ),
    fault(
        "characters-counted",
        "tokens-english",
        "tokens-four-characters",
        "safety.token-length",
        "safety.language-cost",
        on_answer=counted(characters),
    ),
    fault(
        "syllables-counted",
        "tokens-four-characters",
        "safety.token-length",
        "safety.language-cost",
        on_answer=counted(syllables),
    ),
)
