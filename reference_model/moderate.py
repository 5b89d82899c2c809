"""A moderation scorer: a small trained judge looks at each sentence of a text."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from reference_model.judging.judge import load_judge
from reference_model.tokenizer import load_tokenizer

CATEGORIES = (
    "hate",
    "hate/threatening",
    "harassment",
    "harassment/threatening",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
CHUNK = 4_096  # tokens judged at a time
LIMIT = 32_768  # tokens looked at in all

_THRESHOLD = 0.5
_END = re.compile(r"(?<=[.!?])\s+|\n\s*\n")


def scores(text: str) -> dict[str, float]:
    """Between 0 and 1 for each category: the highest of all chunks."""
    chunks = [_chunk_scores(chunk) for chunk in _chunks(text)]
    return {
        category: max(chunk[category] for chunk in chunks) for category in CATEGORIES
    }


def flagged(scores: Mapping[str, float]) -> dict[str, bool]:
    """Whether each score is one to act upon."""
    return {category: score >= _THRESHOLD for category, score in scores.items()}


def _chunks(text: str) -> Iterator[str]:
    """Pieces of 4,096 tokens, at least one, and no more than 32,768 tokens in all."""
    tokenizer = load_tokenizer()
    tokens = tokenizer.encode(text)[:LIMIT]
    for start in range(0, len(tokens) or 1, CHUNK):
        yield tokenizer.decode(tokens[start : start + CHUNK])


@lru_cache(maxsize=256)
def _chunk_scores(text: str) -> Mapping[str, float]:
    """The highest of all sentences; a kind of a category is never above it."""
    rows = [_sentence_scores(sentence) for sentence in _END.split(text)]
    found = dict(zip(CATEGORIES, map(max, *rows, rows[0]), strict=True))
    for category in CATEGORIES:
        parent = category.partition("/")[0]
        found[parent] = max(found[parent], found[category])
    return found


@lru_cache(maxsize=1024)
def _sentence_scores(sentence: str) -> tuple[float, ...]:
    return tuple(load_judge().odds(sentence).tolist())
