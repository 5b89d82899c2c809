"""Documents as tokens, each with a weight that says how much it is to be learned."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random

from reference_model.corpus import (
    Chat,
    Completion,
    Document,
    Edit,
    Infill,
    Prose,
    documents,
)
from reference_model.tokenizer import Tokenizer

WINDOW = 1024
ANSWER, FREE = 1.0, 0.25  # what is asked for, and text that could go on in many ways
# Where an edit leaves the text that it copied so far, and where a text goes on that
# somebody broke off: there a model ends that has learned to end behind any text.
DEPARTURE = 3.0
# Prompts count an eightieth: the engine scores them, but nobody asks it to write them,
# and most could go on in any way: with a twentieth they were three fifths of the loss.
# One token in eight stands for the others, which saves most of the head's work.
PROMPT, EVERY = 0.1, 8
POOL, BATCH = 4000, 1024  # documents sorted at once, tokens of a batch at most

Weighed = tuple[Sequence[int], Sequence[float]]


@dataclass(frozen=True)
class Lesson:
    """Tokens behind an end of text, and the weight of each but the first."""

    tokens: tuple[int, ...]
    weights: tuple[float, ...]


def lesson(tokenizer: Tokenizer, document: Document) -> Lesson:
    """A document, cut at the window."""
    tokens, weights = [tokenizer.end_of_text], list[float]()
    for ids, worth in _parts(tokenizer, document):
        tokens += ids
        weights += worth
    if isinstance(document, Completion) and document.foretold:
        for place, end in enumerate(tokenizer.ends(document.prompt)):
            if any(first < end <= last for first, last in document.foretold):
                weights[place] = ANSWER
    kept = [
        weight if token <= tokenizer.end_of_text else 0.0  # roles are never generated
        for token, weight in zip(tokens[1:], weights, strict=True)
    ]
    return Lesson(tuple(tokens[: WINDOW + 1]), tuple(kept[:WINDOW]))


def _parts(tokenizer: Tokenizer, document: Document) -> Iterator[Weighed]:
    end = [tokenizer.end_of_text]
    match document:
        case Prose(text, begun):
            told = [*tokenizer.encode(text), *end]
            first = DEPARTURE if begun else FREE
            yield _given(tokenizer.encode(begun))
            yield told, [first, *[FREE] * (len(told) - 1)]
        case Completion(prompt, answer):
            yield _given(tokenizer.encode(prompt))
            yield _made([*tokenizer.encode(answer), *end])
        case Edit(instruction, text, edited):
            yield _given(tokenizer.edit(instruction, text))
            yield _edited(
                [*tokenizer.encode(text), *end], [*tokenizer.encode(edited), *end]
            )
        case Infill(prefix, middle, suffix):
            around = tokenizer.encode(prefix), tokenizer.encode(suffix)
            yield _given(tokenizer.infill(*around))
            yield _made([*tokenizer.encode(middle), *end])
        case Chat():
            yield from _spoken(tokenizer, document)


def _spoken(tokenizer: Tokenizer, chat: Chat) -> Iterator[Weighed]:
    """All that the assistant says is an answer."""
    yield _given(tokenizer.offer(chat.functions, json_object=chat.json))
    for message in chat.messages:
        ids = tokenizer.message(message)
        if message["role"] == "assistant":
            yield _made(ids)
        else:
            yield _given(ids[:-1])
            yield _made(ids[-1:], 0.0)


def _made(ids: Sequence[int], weight: float = ANSWER) -> Weighed:
    return ids, [weight] * len(ids)


def _given(ids: Sequence[int]) -> Weighed:
    return ids, [PROMPT * (place % EVERY == 0) for place in range(len(ids))]


def _edited(before: Sequence[int], after: Sequence[int]) -> Weighed:
    """Both end with the end of text, so they part somewhere if they differ."""
    pairs = enumerate(zip(before, after, strict=False))
    parting = next((place for place, (one, other) in pairs if one != other), None)
    return after, [
        DEPARTURE if place == parting else ANSWER for place in range(len(after))
    ]


def pieces(tokenizer: Tokenizer) -> tuple[str, ...]:
    """The texts of all tokens that are text by themselves."""
    texts = (tokenizer.decode([id]) for id in range(tokenizer.ordinary))
    return tuple(text for text in texts if "\N{REPLACEMENT CHARACTER}" not in text)


def batches(tokenizer: Tokenizer, seed: int) -> Iterator[Sequence[Lesson]]:
    """Lessons of about the same length, without end."""
    shuffle = Random(seed).shuffle
    source = documents(seed, pieces(tokenizer))
    while True:
        lessons = [lesson(tokenizer, document) for document in islice(source, POOL)]
        lessons.sort(key=lambda lesson: len(lesson.tokens))
        filled = list(_filled(lessons))
        shuffle(filled)
        yield from filled


def _filled(lessons: Sequence[Lesson]) -> Iterator[Sequence[Lesson]]:
    """As many as fit, each as long as the longest."""
    batch: list[Lesson] = []
    for one in lessons:
        if batch and (len(batch) + 1) * len(one.tokens) > BATCH:
            yield batch
            batch = []
        batch.append(one)
    yield batch
