"""Sentences to learn from: written ones, ones with gaps filled, and misspelled ones.

A file has a line of categories behind a "#", and below it a sentence on each line. A
name in braces is a gap for one of the words of ``slots.txt``. The words are mild: it is
enough to learn what is said, and nobody has to read worse.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import NamedTuple

from reference_model.judging.lexicon import GROUP, HERE, kind, lines

FILLED = 24  # sentences made from one with gaps
_SENTENCES = HERE / "sentences"
_SLOTS = _SENTENCES / "slots.txt"
_ALONE = 3.0  # the weight of a sentence without gaps, which has no others like it
_GAP = re.compile(r"\{(\w+)\}")


class Example(NamedTuple):
    """A sentence and the categories to which it belongs."""

    text: str
    categories: frozenset[str]
    weight: float = 1.0


def read(path: Path) -> Iterator[Example]:
    """The sentences of a file as they are written."""
    categories: frozenset[str] = frozenset()
    for line in lines(path):
        if line.startswith("# "):
            categories = frozenset(line[2:].split()) - {"none"}
        else:
            yield Example(line, categories)


def written(seed: int, filled: int = FILLED) -> Iterator[Example]:
    """Every sentence of every file; one with gaps comes up to ``filled`` times."""
    rng = Random(seed)
    slots = _slots()
    for path in sorted(set(_SENTENCES.glob("*.txt")) - {_SLOTS}):
        for example in read(path):
            if "{" not in example.text:
                yield example._replace(weight=_ALONE)
                continue
            made = {_fill(example.text, slots, rng) for _ in range(filled)}
            yield from (example._replace(text=text) for text in sorted(made))


def changed(examples: Iterable[Example], seed: int) -> Iterator[Example]:
    """Copies: with a slip of the pen, with a word that nobody knows, in other words."""
    rng = Random(seed)
    slots = _slots()
    for text, categories, weight in examples:
        if weight == _ALONE or rng.random() < 0.3:
            yield Example(misspelled(text, rng), categories)
            yield Example(_strange(text, rng), categories)
            yield Example(_within(text, slots, rng), categories)


def misspelled(text: str, rng: Random) -> str:
    """One word has a letter left out, doubled, or swapped with the next."""
    words = text.split(" ")
    long = [place for place, word in enumerate(words) if len(word) > 3]
    if not long:
        return text
    place = rng.choice(long)
    word = words[place]
    at = rng.randrange(1, len(word) - 1)
    before, letter, after = word[:at], word[at], word[at + 1 :]
    slips = (after, letter + letter + after, after[0] + letter + after[1:])
    words[place] = before + rng.choice(slips)
    return " ".join(words)


def _strange(text: str, rng: Random) -> str:
    """One word is none that anybody knows; what is said does not hang on it."""
    words = text.split(" ")
    places = [at for at, word in enumerate(words) if _kind(word) in ("", GROUP)]
    if places:
        parts = (rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") for _ in range(4))
        words[rng.choice(places)] = "".join(parts)
    return " ".join(words)


def _within(text: str, slots: Mapping[str, tuple[str, ...]], rng: Random) -> str:
    """The sentence behind words that say little, or before them."""
    if rng.random() < 0.5:
        return f"{rng.choice(slots['lead'])} {text}"
    return f"{text.rstrip('.!?')} {rng.choice(slots['tail'])}."


def _kind(word: str) -> str:
    return kind(word.strip(".,?!").casefold())


def _fill(text: str, slots: Mapping[str, tuple[str, ...]], rng: Random) -> str:
    return _GAP.sub(lambda gap: rng.choice(slots[gap[1]]), text)


def _slots() -> dict[str, tuple[str, ...]]:
    found = (line.partition(": ") for line in lines(_SLOTS))
    return {name: tuple(words.split("; ")) for name, _, words in found}
