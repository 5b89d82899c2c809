"""A few examples of a rule, and one more case of it."""

from collections.abc import Callable
from itertools import pairwise

from reference_model.corpus.dice import Dice
from reference_model.corpus.documents import Completion
from reference_model.corpus.letters import some_word
from reference_model.words import (
    CAPITALS,
    COLOURS,
    DAYS,
    MONTHS,
    NUMBERS,
    OPPOSITES,
    SOUNDS,
)

Pair = tuple[str, str]
Rule = Callable[[Dice, int], list[Pair]]


def pattern(dice: Dice) -> Completion:
    """Some rule or other."""
    rules = tuple(RULES.values())
    return shots(dice, dice.choices(rules, _SHARES)[0])


def shots(dice: Dice, rule: Rule) -> Completion:
    """Examples of ``rule`` and a case to finish."""
    return dice.apart("combinations", lambda dice: _shots(dice, rule))


def _shots(dice: Dice, rule: Rule) -> Completion:
    *pairs, (asked, answered) = rule(dice, dice.randint(3, 6))
    before, between, after = dice.choice(_LAYOUTS)
    shown = dice.choice(("", "", "", "Examples:\n", "Continue the pattern.\n\n"))
    answers = []
    for one, other in pairs:
        shown += f"{before}{one}{between}"
        answers.append((len(shown), len(shown) + len(other)))
        shown += f"{other}{after}"
    opened = f"{before}{asked}{between}"
    prompt = opened.rstrip(" ")
    # Only the first example cannot be foretold from others.
    return Completion(
        shown + prompt, opened[len(prompt) :] + answered, tuple(answers[1:])
    )


_LAYOUTS = (
    ("", ": ", "\n"), ("", " -> ", "\n"), ("", " => ", "\n"), ("", " = ", "\n"),
    ("Input: ", "\nOutput: ", "\n\n"), ("Q: ", "\nA: ", "\n\n"), ("- ", ": ", "\n"),
    ("", " is to ", ", "), ("", ", ", "; "), ("", " - ", "\n"), ("", " | ", "\n"),
)  # fmt: skip


def _known(*tables: tuple[Pair, ...]) -> Rule:
    return lambda dice, count: dice.sample(dice.choice(tables), count)


def _by(change: Callable[[str], str]) -> Rule:
    def pairs(dice: Dice, count: int) -> list[Pair]:
        words = [some_word(dice) for _ in range(count)]
        return [(word, change(word)) for word in words]

    return pairs


def _framed(dice: Dice, count: int) -> list[Pair]:
    """The same words around each."""
    # An s changes the last token of many words, which takes more practice.
    before, after = dice.choice(_FRAMES if dice.held else (*_FRAMES, *_PLURALS))
    words = [some_word(dice) for _ in range(count)]
    return [(word, f"{before}{word}{after}") for word in words]


_FRAMES = (
    ("the ", ""), ("a ", ""), ("", "s"), ("", "!"), ("my ", ""), ("<", ">"), ("(", ")"),
    ("no ", ""),
)  # fmt: skip
_PLURALS = (("", "s"), ("", "s"))


def _kinds(dice: Dice, count: int) -> list[Pair]:
    """Each case belongs to one of two kinds."""
    letters = (("word", "number"), ("letters", "digits"), ("text", "number"))
    name, number = dice.choice(letters)
    cases: list[Pair] = [("7", number), (some_word(dice), name)]
    while len(cases) < count:
        digits = (str(dice.randint(0, 9999)), number)
        cases.append(dice.choice(((some_word(dice), name), digits)))
    dice.shuffle(cases)
    last = cases[-1]
    return [*cases[:-1], last]


def _successors(row: tuple[str, ...]) -> tuple[Pair, ...]:
    return tuple(pairwise(row))


def _turned(pairs: tuple[Pair, ...]) -> tuple[Pair, ...]:
    return tuple((other, one) for one, other in pairs)


RULES: dict[str, Rule] = {
    "opposites": _known((*OPPOSITES, *_turned(OPPOSITES))),
    "pairs": _known(
        CAPITALS,
        _turned(CAPITALS),
        COLOURS,
        SOUNDS,
        _successors(DAYS),
        _successors(MONTHS),
        _successors(NUMBERS),
        tuple((word, str(value)) for value, word in enumerate(NUMBERS)),
        tuple((str(value), word) for value, word in enumerate(NUMBERS)),
        tuple((str(value), str(value + 1)) for value in range(80)),
    ),
    "upper case": _by(str.upper),
    "copies": _by(str),
    "frames": _framed,
    "spelling": _by("-".join),
    "kinds": _kinds,
}
_SHARES = (3, 5, 7, 3, 8, 3, 2)
