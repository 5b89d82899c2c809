"""Kinds of words, and the forms in which a word is found."""

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path

HERE = Path(__file__).parent
GROUP = "group"  # words for groups of people, all read alike
_NO_KIND = "other"
_ENDINGS = (
    ("s", ""), ("es", ""), ("ies", "y"), ("ed", ""), ("ed", "e"), ("ied", "y"),
    ("ing", ""), ("ing", "e"), ("ly", ""),
)  # fmt: skip


@lru_cache(maxsize=10_000)
def kind(word: str) -> str:
    """What kind of word it is; nothing where the lexicon has none of its roots."""
    return next((kinds()[root] for root in roots(word) if root in kinds()), "")


def roots(word: str) -> Iterator[str]:
    """The word, and what may be left without its ending."""
    yield word
    for ending, instead in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 2:
            yield stem + instead
            if stem[-1] == stem[-2]:
                yield stem[:-1]  # stabbing


@cache
def kinds() -> Mapping[str, str]:
    """The first kind that names a word."""
    found: dict[str, str] = {}
    for name, word in _listed():
        if name != _NO_KIND:
            found.setdefault(word, name)
    return found


def others() -> list[str]:
    """Words of no kind, known so that they are not taken for misspelled ones."""
    return [word for name, word in _listed() if name == _NO_KIND]


def _listed() -> Iterator[tuple[str, str]]:
    for line in lines(HERE / "lexicon.txt"):
        name, _, words = line.partition(": ")
        yield from ((name, word) for word in words.split())


def lines(path: Path) -> list[str]:
    """The lines of a file that are not empty and not remarks."""
    read = path.read_text(encoding="utf-8").splitlines()
    return [line for line in read if line and not line.startswith("##")]
