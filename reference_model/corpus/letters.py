"""Letters of words: spelling, capitals, and slips of the pen."""

import re
from functools import partial

from reference_model.corpus.dice import Dice, capital
from reference_model.corpus.documents import Turn
from reference_model.corpus.prose import sentence, story
from reference_model.lexicon import WORDS
from reference_model.words import SAID

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def spelled(dice: Dice) -> Turn:
    """The letters of a word, one by one."""
    word = some_word(dice)
    asked = dice.choice(
        ("Spell {}.", "Spell the word {}.", "How do you spell {}?", 'Spell "{}"')
    )
    return asked.format(word), "-".join(word)


def cased(dice: Dice) -> Turn:
    """Capital or small letters, of a word or of some."""
    words = " ".join(some_word(dice) for _ in range(dice.choice((1, 1, 1, 2, 3))))
    asks, style, text = dice.choice(
        ((_UPPER, str.upper, words), (_UPPER, str.upper, words),
         (_UPPER, str.upper, capital(words)), (_LOWER, str.lower, words.upper()))
    )  # fmt: skip
    asked = dice.choice(asks)
    if asked.endswith(":"):
        return f"{asked} {text}", style(text)
    return f"{asked.format(text)}", style(text)


def some_word(dice: Dice) -> str:
    """A word, or letters in the place of one."""
    if "words" in dice.held or dice.chance(0.6):
        return dice.word()
    return dice.coined()


_UPPER = (
    "Write {} in capital letters.", "Write {} in upper case.", "Convert to upper case:",
    "Uppercase:", "Capitalize every letter of {}.", "Make this uppercase:",
    "Shout {}!", "Turn this into capitals:",
)  # fmt: skip
_LOWER = (
    "Write {} in small letters.", "Write {} in lower case.", "Convert to lower case:",
    "Lowercase:", "Make this lowercase:",
)  # fmt: skip


# Spelling


def repaired(dice: Dice) -> Turn:
    """A sentence with slips of the pen, and without."""
    wrong, right = slipped(dice)
    asked = dice.choice(REPAIRS)
    form = dice.choice(("{}: {}", "{}:\n{}", "{}:\n\n{}", '{}: "{}"', "{}. {}"))
    return form.format(asked, wrong), right


def slipped(dice: Dice) -> tuple[str, str]:
    """A text with wrong words, none of which training shows if they are held out."""
    # Training has more of the words that no story has, or each comes too seldom.
    shares = (3, 6, 0.5, 0) if dice.held else (4, 6, 0.5, 4)
    right = dice.choices((question, sentence, story, _listed), shares)[0](dice)
    if dice.chance(0.06) and not dice.held:
        return right, right
    words = right.split(" ")
    long = [place for place, word in enumerate(words) if _slippery(word)]
    slips = dice.choice((1, 1, 2, 2, 3) if dice.held else (1, 2, 3, 4, 6, 8))
    for place in dice.sample(long, min(len(long), slips)):
        words[place], _ = dice.apart("combinations", partial(_pair, word=words[place]))
    return " ".join(words), right


def _pair(dice: Dice, word: str) -> tuple[str, str]:
    return _slip(dice, word), word


def _slippery(word: str) -> bool:
    letters = word.strip(".,?")
    return len(letters) > 3 and letters.isalpha()


def _slip(dice: Dice, word: str) -> str:
    """Leave out, double, swap, replace or add a letter behind the first.

    What comes out is no other word: nobody could tell that it is wrong.
    """
    while True:
        place = dice.randrange(1, len(word.rstrip(".,?")))
        one, before, after = word[place], word[:place], word[place + 1 :]
        neighbour = word[place + 1 : place + 2]
        forms = [before + after, before + one + one + after]
        if neighbour.isalpha():
            forms += [before + neighbour + one + word[place + 2 :]]
        if dice.chance(0.4):
            letter = dice.choice(_LETTERS)
            forms += [before + letter + after, before + letter + one + after]
        slip = dice.choice(forms)
        if slip != word and slip.strip(".,?").lower() not in KNOWN:
            return slip


REPAIRS = (
    "Fix the spelling mistakes", "Fix the spelling", "Correct the spelling",
    "Correct the mistakes", "Fix the typos", "Correct this sentence", "Fix this text",
    "Please fix the spelling mistakes", "Correct the spelling mistakes",
    "Fix the mistakes", "Fix grammar and spelling", "Please correct the typos",
    "Repair the spelling",
)  # fmt: skip


def question(dice: Dice) -> str:
    """Something that people ask each other every day."""
    asked = dice.choice(_QUESTIONS)
    return asked.format(dice.known()) if "{}" in asked else asked


def _listed(dice: Dice) -> str:
    """A sentence with several words that few sentences have."""
    words = [dice.known() for _ in range(dice.randint(3, 6))]
    row = dice.choice((", ", " and ", ", the ", " or a ", " ")).join(words)
    return dice.choice(_LISTS).format(row)


_LISTS = (
    "I need {} for my friend.", "Do you like {}?", "We saw {} in the garden.", "{}",
    "Words: {}.", "Here are {} and more.", "She wrote about {} every day.",
    "The {} is on the table.", "My mother wants {}.", "Think of {}!", "The {}.",
)  # fmt: skip
_QUESTIONS = (
    "What day of the week is it?", "What day is today?", "What time is it?",
    "What is the name of your {}?", "Where is the {}?", "How much does the {} cost?",
    "Where can I buy a {}?", "When does the train leave?", "Do you like the {}?",
    "Which month of the year is it?", "How is the weather today?",
    "Who wrote this letter?", "Would you like some {}?", "Can you see the {}?",
    "I have never seen such a {}.", "The {} is on the table.",
    "This is a {} for my friend.", "She goes to the market every day.",
    "They were very happy about the {}.", "We would like to see the {} tomorrow.",
    "Please send me the {} before Monday.", "My mother wants a {} for her birthday.",
    "There is a {} in the garden.", "I think that the {} is beautiful.",
    "He does not know anything about the {}.", "Thank you very much for the {}.",
)  # fmt: skip
_JOINING = "an or so with then met saw said went lived talked later because bed news"
_TEXTS = " ".join((*WORDS, *SAID, *_QUESTIONS, *_LISTS, _JOINING))
KNOWN = frozenset(re.findall("[a-z]+", _TEXTS.lower()))
"""Words that a slip does not make."""
