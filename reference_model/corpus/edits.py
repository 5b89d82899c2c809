"""Texts and instructions to change them."""

from collections.abc import Callable

from reference_model.corpus.copying import plain_words, target
from reference_model.corpus.dice import Dice, capital
from reference_model.corpus.documents import Edit
from reference_model.corpus.letters import REPAIRS, slipped, some_word
from reference_model.corpus.prose import sentence, story


def edit(dice: Dice) -> Edit:
    """A text and an instruction about it."""
    return dice.choices(_EDITS, _SHARES)[0](dice)


def revision(dice: Dice) -> Edit:
    """An edit with one right outcome."""
    return dice.choices(_EDITS[:-1], _SHARES[:-1])[0](dice)


def _edit_spelling(dice: Dice) -> Edit:
    if dice.chance(0.06) and not dice.held:
        wrong, right = "What day of the wek is it?", "What day of the week is it?"
    else:
        wrong, right = slipped(dice)
    return Edit(_instruction(dice, dice.choice(REPAIRS)), wrong, right)


def _edit_case(dice: Dice) -> Edit:
    text = " ".join(some_word(dice) for _ in range(dice.randint(1, 4)))
    if dice.chance(0.3):
        return Edit(_instruction(dice, dice.choice(_LOWER_ALL)), text.upper(), text)
    return Edit(_instruction(dice, dice.choice(_UPPER_ALL)), text, text.upper())


def _edit_word(dice: Dice) -> Edit:
    """Replace or remove a word that stands in the text once."""
    words = dice.apart("combinations", plain_words).split()
    if dice.chance(0.4):
        words = sentence(dice).rstrip(".").split()
    place, new = dice.randrange(len(words)), some_word(dice)
    old = words[place]
    if words.count(old) > 1:
        return _edit_word(dice)
    text = " ".join(words)
    if dice.chance(0.3):
        rest = " ".join(words[:place] + words[place + 1 :])
        ask = dice.choice(("Remove the word {}", "Remove {}", "Delete {}"))
        return Edit(_instruction(dice, ask.format(old)), text, rest)
    ask = dice.choice(
        (
            "Replace {} with {}",
            "Replace the word {} with {}",
            "Replace {} by {}",
            "Change {} to {}",
            'Replace "{}" with "{}"',
        )
    )
    changed = " ".join([*words[:place], new, *words[place + 1 :]])
    return Edit(_instruction(dice, ask.format(old, new)), text, changed)


def _edit_ends(dice: Dice) -> Edit:
    """Small matters of writing."""
    text = dice.words(2, 7)
    asked, before, after = dice.choice((
        ("Add a full stop", text, f"{text}."),
        ("Add a question mark at the end", text, f"{text}?"),
        ("Add an exclamation mark", text, f"{text}!"),
        ("Capitalize the first letter", text, capital(text)),
        ("Put it in quotation marks", text, f'"{text}"'),
        ("Remove the full stop", f"{text}.", text),
        ("Put each word on its own line", text, text.replace(" ", "\n")),
        ("Separate the words with commas", text, text.replace(" ", ", ")),
    ))  # fmt: skip
    return Edit(_instruction(dice, asked), before, after)


def _edit_nothing(dice: Dice) -> Edit:
    """Instructions that leave the text alone."""
    text = target(dice)
    ask = dice.choice(
        (
            "Repeat the text",
            "Copy the text",
            "Keep it as it is",
            "Do nothing",
            "Leave it as it is",
        )
    )
    return Edit(_instruction(dice, ask), text, text)


def _edit_from_nothing(dice: Dice) -> Edit:
    """Without a text there is one to write."""
    asked = dice.choice(("Write a story", "Tell a story", "Write a short story"))
    if dice.chance(0.5):
        return Edit(_instruction(dice, asked), "", story(dice))
    words = dice.words(1, 4)
    return Edit(_instruction(dice, f"Write {words}"), "", words)


def _instruction(dice: Dice, asked: str) -> str:
    if dice.chance(0.15):
        asked = f"Please {asked[0].lower()}{asked[1:]}"
    return asked + dice.choice(("", "", "."))


_UPPER_ALL = (
    "Make it uppercase",
    "Write it in capital letters",
    "Convert to upper case",
    "Use capital letters",
    "Make the text upper case",
    "Turn it into capitals",
)
_LOWER_ALL = (
    "Make it lowercase",
    "Write it in small letters",
    "Convert to lower case",
    "Use small letters",
    "Make the text lower case",
)
_EDITS: tuple[Callable[[Dice], Edit], ...] = (
    _edit_spelling, _edit_case, _edit_word, _edit_ends, _edit_nothing,
    _edit_from_nothing,
)  # fmt: skip
_SHARES = (10, 4, 8, 1.5, 1.5, 1)
