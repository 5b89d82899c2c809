"""What a judge looks at in a sentence: words, their kinds, and how they follow."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from reference_model.judging.lexicon import GROUP, kind
from reference_model.judging.reading import Reader

SIZE = 1 << 15  # numbers that stand for features; a few features share one
_AGED = ("old", "older", "aged")  # of people: a group
_FAR = 10  # words between two kinds that still belong together


def features(words: Sequence[str], reader: Reader) -> NDArray[np.int64]:
    """The numbers of all features of a sentence, in ascending order."""
    found = set(_features(words, reader))
    return np.array(sorted({crc32(one.encode()) % SIZE for one in found}), np.int64)


def _features(words: Sequence[str], reader: Reader) -> Iterator[str]:
    """A kind stands for all its words, so that one learned tells about the others."""
    read = _grouped(words)
    signs = ["^", *(_sign(word, reader) for word in read), "$"]
    for word in read:
        yield f"word {word}"
        yield from [f"kind {kind(word)}"] if kind(word) else _parts(word)
    yield from (f"two {a} {b}" for a, b in pairwise(signs))
    yield from (f"words {a} {b}" for a, b in pairwise(read))
    yield from (f"hole {a} {b}" for a, b in zip(signs, signs[2:], strict=False))
    threes = zip(signs, signs[1:], signs[2:], strict=False)
    yield from (f"three {a} {b} {c}" for a, b, c in threes)
    yield from _far(signs)


def _grouped(words: Sequence[str]) -> list[str]:
    """Words for groups are all one, also together with words for people."""
    read: list[str] = []
    for word in words:
        group = kind(word) == GROUP
        if kind(word) == "people" and read and read[-1] in (GROUP, *_AGED):
            read.pop()
            group = True
        if group and read and read[-1] in (GROUP, "the"):
            read.pop()
        read.append(GROUP if group else word)
    return read


def _sign(word: str, reader: Reader) -> str:
    """The kind of a word, else the word, else that it is unknown."""
    return kind(word).upper() or (word if reader.knows(word) else "?")


def _parts(word: str) -> Iterator[str]:
    """Letters within a word."""
    edged = f"<{word}>"
    for size in (3, 4, 5):
        for start in range(len(edged) - size + 1):
            yield f"part {edged[start : start + size]}"


def _far(signs: Sequence[str]) -> Iterator[str]:
    """Pairs of kinds in their order, with other words between them."""
    kinds = [(place, sign) for place, sign in enumerate(signs) if sign.isupper()]
    for index, (place, sign) in enumerate(kinds):
        for later, other in kinds[index + 1 :]:
            if later - place > _FAR:
                break
            yield f"far {sign} {other}"
