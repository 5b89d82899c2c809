"""Words of a text, read in spite of case, spacing and simple misspelling."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby

from reference_model.judging.lexicon import roots

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LEET = str.maketrans("013457@$!|", "oieastasil")
_SHORT = (
    (re.compile(r"\bi'm"), "i am "),
    (re.compile(r"\bcan't\b|\bcannot\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'d\b"), " would"),
    (re.compile(r"'s\b|'"), ""),
)
_CASUAL = {
    "u": "you", "ur": "your", "r": "are", "im": "i am", "gonna": "going to",
    "wanna": "want to", "dont": "do not", "cant": "can not", "wont": "will not",
    "youre": "you are", "theyre": "they are", "ive": "i have", "lets": "let",
    "thru": "through", "plz": "please", "pls": "please", "isnt": "is not",
    "ppl": "people", "howto": "how to", "n": "and", "em": "them", "ya": "you",
    "yall": "you all",
}  # fmt: skip
_NO_LETTER = re.compile(r"[\W\d_]")
_FREQUENT = 400  # words that are often written together by mistake
_LONG = 200  # letters of a word, or of a sentence without spaces, that are looked at
_GAP = re.compile(r"\s{2,}")  # between words whose letters stand alone
_TOKEN = re.compile(r"[^\s\-.,;:()\"/]+")


class Reader:
    """Knows a vocabulary, the frequent words first; other words are read as near ones.

    ``read`` gives words of small letters; a word that is like none of the vocabulary
    stays as it is, and of a number only its length is left.
    """

    def __init__(self, vocabulary: Iterable[str]) -> None:
        self._rank = {word: rank for rank, word in enumerate(vocabulary)}
        self._squeezed: dict[str, str] = {}
        for word in self._rank:
            self._squeezed.setdefault(_squeeze(word), word)
        self._word = lru_cache(maxsize=10_000)(self._likely)

    def knows(self, word: str) -> bool:
        return any(root in self._rank for root in roots(word))

    def read(self, text: str) -> list[str]:
        parts = map(_TOKEN.findall, _GAP.split(_plain(text)))
        joined = [token for part in parts for token in _letters_joined(part)]
        short = (token[:_LONG] for token in self._mended(joined))
        return [word for token in short for word in self._word(token)]

    def _mended(self, tokens: list[str]) -> Iterator[str]:
        """Two neighbours that make one word together, and none apart, become one."""
        rest = iter([*tokens, ""])
        token = next(rest)
        for following in rest:
            apart = not (self.knows(token) and self.knows(following))
            apart |= following in ("self", "selves")
            if apart and following and self.knows(token + following):
                token += following
                continue
            yield token
            token = following
        yield token

    def _likely(self, token: str) -> tuple[str, ...]:
        """The words that a token stands for."""
        if token.isdecimal():
            return ("0" * min(len(token), 5),)
        for word in (token.rstrip("!?").translate(_LEET), token):
            letters = _NO_LETTER.sub("", word)
            if casual := _CASUAL.get(letters):
                return tuple(casual.split())
            if self.knows(letters):
                return (letters,)
        if squeezed := self._squeezed.get(_squeeze(letters)):
            return (squeezed,)
        if pair := self._pair(letters):
            return pair
        if near := self._near(letters):
            return (near,)
        return self._parted(letters) or ((letters,) if letters else ())

    def _near(self, word: str) -> str | None:
        """The word of the vocabulary that was most likely meant."""
        for candidates in _slips(word) if 2 < len(word) < 20 else ():
            found = [near for near in candidates if near in self._rank]
            if found:
                return min(found, key=self._rank.__getitem__)
        return None

    def _pair(self, letters: str) -> tuple[str, ...]:
        """Two frequent words without the space between them; none if there are none."""
        for end in range(1, len(letters)):
            pair = letters[:end], letters[end:]
            if all(self._rank.get(word, _FREQUENT) < _FREQUENT for word in pair):
                return pair
        return ()

    def _parted(self, letters: str) -> tuple[str, ...]:
        """The fewest words that were written without spaces; none if there are none."""
        best: list[tuple[str, ...] | None] = [()]
        for end in range(1, len(letters) + 1):
            ways = [
                (*before, letters[start:end])
                for start in range(max(0, end - 15), end)
                if (before := best[start]) is not None
                and self._worth(letters[start:end])
            ]
            best.append(min(ways, key=len, default=None))
        return best[-1] or ()

    def _worth(self, part: str) -> bool:
        """Whether a part of letters without spaces may be a word."""
        if len(part) < 4:
            return self._rank.get(part, _FREQUENT) < _FREQUENT
        return self.knows(part)


def _plain(text: str) -> str:
    """Small letters without accents, and no short forms."""
    wide = unicodedata.normalize("NFKD", text.casefold().replace("\u2019", "'"))
    kept = (c for c in wide if unicodedata.category(c) not in ("Mn", "Cf"))
    plain = "".join(kept)
    for short, full in _SHORT:
        plain = short.sub(full, plain)
    return plain


def _letters_joined(tokens: Iterable[str]) -> list[str]:
    """At least three letters that stand alone in a row make one token."""
    joined: list[str] = []
    for alone, row in groupby(tokens, key=lambda token: len(token) == 1):
        found = list(row)
        joined += ["".join(found)] if alone and len(found) > 2 else found
    return joined


def _squeeze(word: str) -> str:
    """No letter twice in a row."""
    return "".join(letter for letter, _ in groupby(word))


def _slips(word: str) -> Iterator[list[str]]:
    """What may have been meant: letters swapped, left out, too many, mistaken."""
    cuts = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    yield [a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1]
    yield [a + letter + b for a, b in cuts for letter in _LETTERS]
    if len(word) > 3:  # the first letter is seldom wrong
        yield [a + b[1:] for a, b in cuts if a and b]
        yield [a + letter + b[1:] for a, b in cuts if a and b for letter in _LETTERS]
