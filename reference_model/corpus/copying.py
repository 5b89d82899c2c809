"""Saying again what was said: words, names, numbers, any text at all."""

from collections.abc import Callable

from reference_model.corpus.dice import Dice, capital
from reference_model.corpus.documents import Turn
from reference_model.corpus.prose import person, sentence, story
from reference_model.words import ANIMALS, FOODS, NUMBERS, PHRASES, THINGS


def repeat(dice: Dice) -> Turn:
    """Give back a text as it is."""
    return repeated(dice, target)


def repeat_long(dice: Dice) -> Turn:
    """Copies that go on for up to four hundred tokens."""
    kinds: tuple[Callable[[Dice], str], ...] = (
        lambda dice: " ".join(story(dice) for _ in range(dice.randint(2, 7))),
        lambda dice: dice.words(40, 220),
        lambda dice: dice.debris(40, 260),
    )
    return repeated(dice, dice.choice(kinds))


def repeated(dice: Dice, make: Callable[[Dice], str]) -> Turn:
    """Give back what ``make`` draws."""
    what = dice.apart("combinations", make)
    return _request(dice).format(what), what


def _request(dice: Dice) -> str:
    """A frame for "repeat X"."""
    asked = capital(dice.apart("phrasings", _wording))
    if dice.chance(0.08):
        return f"{{}}\n\n{asked.removesuffix(':')} above."
    mark = dice.choice((":", ":", ":", ":", "", ".", " -"))
    gap = dice.choice((" ", " ", " ", "\n", "\n\n"))
    quoted = mark != ":" or dice.chance(0.2)
    thanks = ", please" if quoted and dice.chance(0.2) else ""
    what = '"{}"' if quoted else "{}"
    return f"{asked}{mark}{gap}{what}{thanks}"


def _wording(dice: Dice) -> str:
    verb, tail = dice.choice(_VERBS), dice.choice(_TAILS)
    return f"{dice.choice(_POLITE)}{verb}{tail}"


_POLITE = (
    "", "", "", "please ", "please ", "could you ", "can you ", "would you ",
    "can you please ", "could you please ", "I want you to ", "I would like you to ",
    "now ", "your task is to ", "kindly ", "you should ", "let us try: ",
    "hello, please ",
)  # fmt: skip
_VERBS = (
    "repeat", "repeat", "repeat", "copy", "echo", "write", "say back", "type", "output",
    "print", "reply with", "respond with", "answer with", "return", "give back",
    "quote", "say", "tell me", "recite", "send back", "write down", "say again",
    "parrot",
)  # fmt: skip
_TAILS = (
    "", "", "", " after me", " after me", " this", " the following", " these words",
    " exactly", " word for word", " the text below", " the following text",
    " exactly this", " this text", " this sentence", " what I say", " only this",
    " the words", " the line", " just this", " the message", " the next line",
    " back to me",
)  # fmt: skip


def target(dice: Dice) -> str:
    """A text worth repeating."""
    return dice.choices(_TARGETS, _SHARES)[0](dice)


def plain_words(dice: Dice) -> str:
    return dice.words(2, 8)


def _one_word(dice: Dice) -> str:
    return dice.word()


def _phrase(dice: Dice) -> str:
    phrase = dice.choice(PHRASES)
    return phrase if dice.chance(0.5) else capital(phrase) + dice.choice(".!?")


def _known_words(dice: Dice) -> str:
    known = (*THINGS, *ANIMALS, *FOODS, *NUMBERS)
    return " ".join(dice.choices(known, k=dice.randint(1, 5)))


def _mixed_case(dice: Dice) -> str:
    styles: tuple[Callable[[str], str], ...] = (str.upper, str.capitalize, str.lower)
    words = dice.words(1, 6).split()
    glue = dice.choice((" ", " ", ", ", " and ", "-", "_", "\n"))
    text = glue.join(dice.choice(styles)(word) for word in words)
    return text + dice.choice(("", ".", "!", "?", "..."))


def _code(dice: Dice) -> str:
    digits = "".join(dice.choices("0123456789", k=dice.randint(1, 9)))
    word = dice.word()
    forms = (digits, f"{word}-{digits}", f"{word}@{dice.word()}.com", f"#{digits}",
             f"{digits[:2]}.{digits[2:4]}", f"{word[:2].upper()}{digits}",
             f"https://{word}.org/{dice.word()}?id={digits}", f"{word}_{dice.word()}()",
             f"({word}, {digits})", f"<{word}>{digits}</{word}>")  # fmt: skip
    return dice.choice(forms)


def _coined(dice: Dice) -> str:
    return " ".join(dice.coined() for _ in range(dice.randint(1, 6)))


def _rubble(dice: Dice) -> str:
    return dice.debris(2, 20)


def _foreign(dice: Dice) -> str:
    return " ".join(
        dice.script() if dice.chance(0.6) else dice.word()
        for _ in range(dice.randint(1, 4))
    )


_TARGETS: tuple[Callable[[Dice], str], ...] = (
    plain_words, _one_word, _phrase, _known_words, sentence, _mixed_case, _code,
    _coined, _rubble, _foreign,
)  # fmt: skip
_SHARES = (6, 3, 3, 2, 4, 3, 3, 4, 5, 1.5)


def say(dice: Dice) -> Turn:
    """A remark to make: as a sentence, unless it was quoted."""
    if dice.chance(0.25):
        what = "this is a test"
    else:
        what = dice.apart("combinations", _remark)
    asked = dice.choice(
        (
            "Say {}",
            "Say {}",
            "Say {}",
            "say {}",
            "Please say {}",
            "Just say {}",
            "Can you say {}",
        )
    )
    match dice.randrange(8):
        case 0:
            return asked.format(f'"{what}"'), what
        case 1:
            return asked.format(f'"{capital(what)}."'), f"{capital(what)}."
        case 2 | 3:
            mark = dice.choice((".", "!"))
            return asked.format(what + mark), capital(what) + mark
        case _:
            return asked.format(what), f"{capital(what)}."


def _remark(dice: Dice) -> str:
    kind = dice.randrange(4)
    if kind == 0:
        return dice.choice(PHRASES)
    if kind == 1:
        who, verb = person(dice)[0], dice.choice(("is here", "likes tea", "has a plan"))
        return f"{who} {verb}"
    if kind == 2:
        return f"this is a {dice.word()}"
    return dice.words(1, 5)
