"""The texts that the model learns from, all of them made by a small grammar."""

import json
import re
from collections.abc import Callable, Iterator, Sequence

from reference_model.corpus.copying import repeat_long
from reference_model.corpus.dice import Dice
from reference_model.corpus.documents import (
    Chat,
    Completion,
    Document,
    Edit,
    Infill,
    Prose,
)
from reference_model.corpus.edits import edit
from reference_model.corpus.exchanges import turn
from reference_model.corpus.patterns import pattern
from reference_model.corpus.prose import infill, writing
from reference_model.corpus.talk import chat, json_chat, long_chat
from reference_model.corpus.tools import call, no_call, result, same_twice, two_calls
from reference_model.lexicon import UNSEEN

__all__ = ["Chat", "Completion", "Document", "Edit", "Infill", "Prose", "documents"]


def documents(seed: int, pieces: Sequence[str] = ()) -> Iterator[Document]:
    """Documents without end, the same for the same seed; none has an unseen word."""
    dice = Dice(seed, pieces)
    while True:
        document = drawn(dice)
        if UNSEEN.isdisjoint(words(document)):
            yield document


def drawn(dice: Dice) -> Document:
    """One of any kind; what is put together from pieces may be an unseen word."""
    return dice.choices(_KINDS, _SHARES)[0](dice)


def words(document: Document) -> Iterator[str]:
    """The words of all texts of a document, in small letters."""
    for text in texts(document):
        yield from re.findall("[a-z]+", text.lower())


def texts(document: Document) -> Iterator[str]:
    """What was written by somebody; a hole is filled for it."""
    match document:
        case Prose(text, begun):
            yield begun + text
        case Completion(prompt, answer):
            yield prompt + answer
        case Chat(messages, functions):
            for message in messages:
                yield message["content"] or json.dumps(message)
            yield from map(json.dumps, functions)
        case Edit(instruction, text, edited):
            yield from (instruction, text, edited)
        case Infill(prefix, middle, suffix):
            yield prefix + middle + suffix


def bare(dice: Dice) -> Completion:
    """What is said in a chat, as a prompt without roles."""
    asked, answered = turn(dice)
    kind = dice.randrange(10)
    if kind < 7:
        return Completion(asked, f"\n\n{answered}")
    if kind < 8:
        return Completion(f"{asked}\n\n", answered)
    one, other = dice.choice(
        (("Q", "A"), ("User", "Assistant"), ("Question", "Answer"), ("Human", "AI"))
    )
    return Completion(f"{one}: {asked}\n{other}:", f" {answered}")


def bare_long(dice: Dice) -> Completion:
    asked, answered = repeat_long(dice)
    return Completion(asked, f"\n\n{answered}")


def copied(dice: Dice) -> Chat:
    """A long text, given back."""
    asked, answered = repeat_long(dice)
    user, reply = (
        {"role": "user", "content": asked},
        {"role": "assistant", "content": answered},
    )
    return Chat((user, reply))


def spared(dice: Dice) -> Chat:
    """Functions that nobody needs."""
    return no_call(dice, turn(dice))


_KINDS: tuple[Callable[[Dice], Document], ...] = (
    writing, chat, bare, pattern, infill, edit, call, two_calls, same_twice, spared,
    result, json_chat, copied, bare_long, long_chat,
)  # fmt: skip
_SHARES = (9, 26, 14, 15, 8, 22, 8, 4, 1, 1.5, 4, 3, 2.0, 0.7, 0.5)
