"""The trained judge: how likely a sentence is to belong to each category."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from reference_model.checksum import proven
from reference_model.judging.features import features
from reference_model.judging.reading import Reader

STORED = "moderation.safetensors"
_PART = 30  # words looked at together; the next look begins in the middle
_SURE = 14.0  # log-odds beyond which nothing is judged, so that no score is 0 or 1


class Judge:
    """A logistic regression for each category over the features of a sentence."""

    def __init__(self, content: bytes) -> None:
        """``content`` is that of a file of weights."""
        stored = load(content)
        self._weight = stored["weight"]  # (features, categories)
        self._bias = stored["bias"]
        self._reader = Reader(bytes(stored["vocabulary"]).decode().split("\n"))

    def odds(self, sentence: str) -> NDArray[np.float64]:
        """A probability for each category: the highest of a long sentence's parts."""
        words = self._reader.read(sentence)
        starts = range(0, max(len(words) - _PART // 2, 1), _PART // 2)
        parts = np.array([self._part(words[at : at + _PART]) for at in starts])
        highest: NDArray[np.float64] = parts.max(axis=0)
        return highest

    def _part(self, words: Sequence[str]) -> NDArray[np.float64]:
        rows = self._weight[features(words, self._reader)]
        told = rows.sum(axis=0, dtype=np.float64) + self._bias
        odds: NDArray[np.float64] = 1 / (1 + np.exp(-told.clip(-_SURE, _SURE)))
        return odds


@cache
def load_judge() -> Judge:
    return Judge(proven(STORED))
