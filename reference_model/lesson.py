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
ANSWER, FREE = 1.0, 0.4  # what is asked for, and text that could go on in many ways
# Prompts count a twentieth: the engine scores them, but nobody asks it to write them.
# One token in eight stands for the others, which saves most of the head's work.
PROMPT, EVERY = 0.4, 8
POOL, BATCH = 4000, 2048  # documents sorted at once, tokens of a batch at most

Weighed = tuple[list[int], float]


@dataclass(frozen=True)
class Lesson:
    """Tokens behind an end of text, and the weight of each but the first."""

    tokens: tuple[int, ...]
    weights: tuple[float, ...]


def lesson(tokenizer: Tokenizer, document: Document) -> Lesson:
    """A document, cut at the window."""
    tokens, weights = [tokenizer.end_of_text], []
    for ids, weight in _parts(tokenizer, document):
        tokens += ids
        if weight == PROMPT:
            weights += [PROMPT * (place % EVERY == 0) for place in range(len(ids))]
        else:
            weights += [weight] * len(ids)
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
            yield tokenizer.encode(begun), PROMPT
            yield [*tokenizer.encode(text), *end], FREE
        case Completion(prompt, answer):
            yield tokenizer.encode(prompt), PROMPT
            yield [*tokenizer.encode(answer), *end], ANSWER
        case Edit(instruction, text, edited):
            yield tokenizer.edit(instruction, text), PROMPT
            yield [*tokenizer.encode(edited), *end], ANSWER
        case Infill(prefix, middle, suffix):
            around = tokenizer.encode(prefix), tokenizer.encode(suffix)
            yield tokenizer.infill(*around), PROMPT
            yield [*tokenizer.encode(middle), *end], ANSWER
        case Chat():
            yield from _spoken(tokenizer, document)


def _spoken(tokenizer: Tokenizer, chat: Chat) -> Iterator[Weighed]:
    """All that the assistant says is an answer."""
    yield tokenizer.offer(chat.functions, json_object=chat.json), PROMPT
    for message in chat.messages:
        ids = tokenizer.message(message)
        if message["role"] == "assistant":
            yield ids, ANSWER
        else:
            yield ids[:-1], PROMPT
            yield ids[-1:], 0.0


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
