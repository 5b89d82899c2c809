"""Embeddings: hashed words, mixed with the model's own embeddings of the tokens.

Texts that share words point the same way, since each word has a direction of its own;
that carries the most. The rows of the model's token embedding, turned into the asked
width, add what words have in common that are not spelled alike. The states behind the
model's last layer told less than its first rows: they foresee the next token.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from reference_model.checksum import proven
from reference_model.tokenizer import load_tokenizer

Vector = NDArray[np.float64]

_WORD = re.compile(r"\w+")
_COMMON = """
a an and are as at be but by for from had has have he her his i in is it its me my not
of on or our she so that the their them then they this to was we were will with you
"""
_SHARED = 0.5  # what all texts have in common, so that none is opposite to another
_LEARNED = 0.3  # of the likeness of two texts; the rest is that of their words
_FREQUENT = 300  # tokens that tell little
_STRAYS = 3  # directions of rows that tell little
_ROWS = "model.embed_tokens.weight"


def embed(tokens: Sequence[int], width: int = 1536) -> list[float]:
    """A vector of length one; ``tokens`` may be empty."""
    hashed = _hashed(tokens, width)
    learned = np.einsum("s,sw->w", _learned(tokens), _turn(width))
    total = (1 - _LEARNED) ** 0.5 * _unit(hashed) + _LEARNED**0.5 * _unit(learned)
    unit: list[float] = _unit(total).astype(np.float32).tolist()
    return unit


def _hashed(tokens: Sequence[int], width: int) -> Vector:
    total = _SHARED * _direction("", width)
    for feature, weight in _weights(load_tokenizer().decode(tokens)).items():
        total += weight * _direction(feature, width)
    return total


def _learned(tokens: Sequence[int]) -> Vector:
    """The sum of the tokens' rows, in which rare tokens count more."""
    rows, worths = _table()
    ids = np.array(tokens, np.int64)
    total: Vector = np.einsum("t,ts->s", worths[ids], rows[ids])
    return total


@cache
def _table() -> tuple[Vector, Vector]:
    """The rows of all tokens, but what they have in common, and what a token is worth.

    That is their mean, and the directions in which they stray most, which tell little
    of a text but its length (Mu, Viswanath: All-but-the-Top, 2018). Frequent tokens
    were joined first, so that they have the low ids; with a space in front, they came
    last. A space alone tells nothing.
    """
    rows = load(proven("model.safetensors"))[_ROWS].astype(np.float64)
    rows -= rows.mean(axis=0)
    strays = np.linalg.eigh(rows.T @ rows).eigenvectors[:, -_STRAYS:]
    rows -= rows @ strays @ strays.T
    spelled = [load_tokenizer().token_bytes(id) for id in range(len(rows))]
    first = {letters: id for id, letters in reversed([*enumerate(spelled)])}
    ranks = [first.get(letters.lstrip(), id) for id, letters in enumerate(spelled)]
    worths = np.log1p(np.array(ranks) / _FREQUENT)
    return rows, np.where([*map(bytes.strip, spelled)], worths, 0)


@cache
def _turn(width: int) -> Vector:
    """A fixed map from the model's width to another, which keeps angles if it can.

    Cosines of different frequencies are at right angles; the signs mix them up.
    """
    size = _table()[0].shape[1]
    frequencies = np.arange(1, size + 1) * max(width // (size + 1), 1)
    waves = np.cos(np.pi / width * np.outer(frequencies, np.arange(width) + 0.5))
    turned: Vector = (2 / width) ** 0.5 * waves * _direction("turn", width)
    return turned


def _unit(vector: Vector) -> Vector:
    """The same direction with length one; nothing stays nothing."""
    length = np.linalg.norm(vector)
    return vector / length if length else vector


def _weights(text: str) -> dict[str, float]:
    """How much each feature counts; a word said twice counts less than two words."""
    counts = Counter(_features(text))
    return {feature: _worth(feature) * count**0.5 for feature, count in counts.items()}


def _features(text: str) -> Iterator[str]:
    """Words, their beginnings, and pairs of neighbours; signs, if there is no word."""
    words = _WORD.findall(text.lower())
    yield from words
    yield from (f"{word[:4]}-" for word in words if len(word) > 4)
    yield from map(" ".join, pairwise(words))
    if not words:
        yield from text


def _worth(feature: str) -> float:
    if " " in feature:
        return 0.2
    if feature.endswith("-"):
        return 0.4
    return 0.2 if feature in _common() else 1.0


@cache
def _common() -> frozenset[str]:
    return frozenset(_COMMON.split())


def _direction(feature: str, width: int) -> Vector:
    """Signs from a hash; those of two features are nearly at right angles."""
    digest = hashlib.shake_256(feature.encode()).digest(-(-width // 8))
    bits = np.unpackbits(np.frombuffer(digest, np.uint8), count=width)
    return bits.astype(np.float64) * 2 - 1
