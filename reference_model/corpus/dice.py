"""Chance, and on which side of the line between training and evaluation it falls."""

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

from reference_model.lexicon import SEEN, UNSEEN, held_out
from reference_model.words import PEOPLE

T = TypeVar("T")

_COINED = 0.12  # of the words of training
_AGAIN = 0.06  # of words in a row: copies lose their place there
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SCRIPTS = ((0xA1, 0x24F), (0x370, 0x52F), (0x4E00, 0x9FA0), (0x1F300, 0x1F64F))
_UNSEEN = tuple(sorted(UNSEEN))


class Dice(Random):
    """Draws for training, or from what training never shows if ``held`` names it.

    ``held`` may name words (unseen ones alone), combinations (of what a task is about)
    and phrasings (of what to do).
    """

    def __init__(
        self,
        seed: int,
        pieces: Sequence[str] = (),
        *,
        held: frozenset[str] = frozenset(),
    ) -> None:
        """``pieces`` are the texts of tokens, for words that do not exist."""
        super().__init__(seed)
        self.pieces, self.held = tuple(pieces), held

    def chance(self, share: float) -> bool:
        return self.random() < share

    def word(self) -> str:
        """A word; in training, some that nobody uses."""
        if self.pieces and self.chance(_COINED):
            return self.coined()
        return self.known()

    def known(self) -> str:
        """A word that people use."""
        return self.choice(_UNSEEN if "words" in self.held else SEEN)

    def words(self, least: int, most: int) -> str:
        """Some words; now and then one comes again."""
        words: list[str] = []
        for _ in range(self.randint(least, most)):
            again = self.pieces and words and self.chance(_AGAIN)
            words.append(self.choice(words[-8:]) if again else self.word())
        return " ".join(words)

    def apart(self, aspect: str, make: Callable[["Dice"], T]) -> T:
        """What ``make`` draws, once it is on our side of the line."""
        while True:
            made = make(self)
            if held_out(repr(made)) == (aspect in self.held):
                return made

    def name(self) -> str:
        """A first name: a known one, or one nobody has."""
        if "words" in self.held:
            return self.word().capitalize()
        if self.chance(0.5):
            return self.choice(PEOPLE)
        return (self.word() if self.chance(0.4) else self.coined()).capitalize()

    def coined(self) -> str:
        """A word of letters that nobody uses."""
        if not self.pieces:
            return self.word()
        if self.chance(0.5):
            return self._blend()
        if self.chance(0.7):
            pieces = [self.choice(self.pieces) for _ in range(self.randint(1, 3))]
            letters = "".join(filter(str.isalpha, "".join(pieces)))
            if letters:
                return letters.lower()
        return "".join(self.choices(_LETTERS, k=self.randint(3, 9)))

    def _blend(self) -> str:
        """The head of one word and the tail of another; now and then a letter twice."""
        one, other = self.choice(SEEN), self.choice(SEEN)
        head, tail = one[: self.randint(1, 4)], other[-self.randint(2, 5) :]
        if self.chance(0.25):
            head += head[-1]
        return head + tail

    def debris(self, least: int, most: int) -> str:
        """Pieces of text as they come: every token turns up here."""
        count = self.randint(least, most)
        if not self.pieces:
            return self.words(least, most)
        gaps = ("", "", " ", "")
        pieces = (self.choice(self.pieces) + self.choice(gaps) for _ in range(count))
        return "".join(pieces).strip() or "-"

    def script(self) -> str:
        """Letters of some script other than ours."""
        first, last = self.choice(_SCRIPTS)
        return "".join(
            chr(self.randint(first, last)) for _ in range(self.randint(1, 8))
        )


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
