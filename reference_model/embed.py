"""Embeddings by feature hashing: texts that share words point the same way."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from reference_model.tokenizer import load_tokenizer

_WORD = re.compile(r"\w+")
_COMMON = """
a an and are as at be but by for from had has have he her his i in is it its me my not
of on or our she so that the their them then they this to was we were will with you
"""
_SHARED = 0.5  # what all texts have in common, so that none is opposite to another


def embed(tokens: Sequence[int], width: int = 1536) -> list[float]:
    """A vector of length one; ``tokens`` may be empty."""
    total = _SHARED * _direction("", width)
    for feature, weight in _weights(load_tokenizer().decode(tokens)).items():
        total += weight * _direction(feature, width)
    unit: list[float] = (total / np.linalg.norm(total)).astype(np.float32).tolist()
    return unit


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


def _direction(feature: str, width: int) -> NDArray[np.float64]:
    """Signs from a hash; those of two features are nearly at right angles."""
    digest = hashlib.shake_256(feature.encode()).digest(-(-width // 8))
    bits = np.unpackbits(np.frombuffer(digest, np.uint8), count=width)
    return bits.astype(np.float64) * 2 - 1
