"""The models of completions, their contexts, and how tokens are counted."""

from functools import partial
from typing import TYPE_CHECKING

from conformance.checks.safety import ENGLISH
from conformance.checks.safety import tokens as counted
from conformance.dialect import COMPLETIONS, STORY
from conformance.registry import Findings, check
from conformance.view import Absent

if TYPE_CHECKING:
    from conformance.target import Target

CURRENT = ("gpt-3.5-turbo-instruct", "babbage-002", "davinci-002")
CONTEXTS = {
    "gpt-3-5-turbo-instruct": ("gpt-3.5-turbo-instruct",),
    "text-davinci-003": ("text-davinci-003", "text-davinci-002"),
    "code-davinci-002": ("code-davinci-002",),
    "babbage-002": ("babbage-002",),
    "davinci-002": ("davinci-002",),
    "gpt-3": (
        "text-curie-001",
        "text-babbage-001",
        "text-ada-001",
        "davinci",
        "curie",
        "babbage",
        "ada",
    ),
}
"""The models that a clause names together."""


@check("completions.models")
def models(target: "Target") -> Findings:
    for model in CURRENT:
        answer = COMPLETIONS.ask(target, model=model)
        if answer.status == 429:
            answer.served()
        if answer.status != 200:
            yield f"{model} was answered {answer.status}"


def _context(models: tuple[str, ...], target: "Target") -> Findings:
    """What any of ``models`` that is listed takes beyond its context."""
    ids = {model["id"] for model in target.get("/models").json()["data"]}
    if ids.isdisjoint(models):
        raise Absent(f"{' or '.join(models)} in the list")
    for model in models:
        if model in ids:
            yield from _overfull(target, model)


for _name, _models in CONTEXTS.items():
    check(f"completions.context-{_name}")(partial(_context, _models))


def _overfull(target: "Target", model: str) -> Findings:
    """A prompt that fits, and with it as many tokens as the context has in all.

    A stop text keeps a server that does not refuse from going on for long.
    """
    if COMPLETIONS.ask(target, model=model, max_tokens=1).status != 200:
        raise Absent(f"answer of {model}")
    count = target.spec.models[model].accepts
    answer = COMPLETIONS.ask(
        target, STORY, model=model, max_tokens=count, stop=["e", " ", "."]
    )
    if answer.status != 400:
        yield (
            f"{model} answered {answer.status} to a prompt "
            f"and {count} tokens of completion"
        )


@check("completions.tokens-words")
def tokens_words(target: "Target") -> Findings:
    common, rare = (counted(target, COMPLETIONS, t) for t in (" the", " tokenization"))
    if not rare > common:
        yield f"' tokenization' counted {rare} prompt tokens, ' the' {common}"


@check("completions.tokens-english")
def tokens_english(target: "Target") -> Findings:
    words, found = len(ENGLISH.split()), counted(target, COMPLETIONS, ENGLISH)
    if not words <= found < len(ENGLISH):
        yield f"{words} words of {len(ENGLISH)} characters counted {found} tokens"


@check("completions.tokens-four-characters")
def tokens_four_characters(target: "Target") -> Findings:
    share = counted(target, COMPLETIONS, ENGLISH) / len(ENGLISH)
    if not 0.2 <= share <= 0.33:
        yield f"a character of English counted {share:.2f} prompt tokens"
