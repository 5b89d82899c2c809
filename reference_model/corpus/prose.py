"""Stories, letters, lists and records: texts that stand alone."""

import json
from collections.abc import Callable

from reference_model.corpus.dice import Dice, article, capital
from reference_model.corpus.documents import Infill, Prose
from reference_model.words import (
    ADJECTIVES,
    ANIMALS,
    DAYS,
    DEEDS,
    FEELINGS,
    FOODS,
    MONTHS,
    NUMBERS,
    PEOPLE,
    PHRASES,
    PLACES,
    SIGHTS,
    THINGS,
    TIMES,
    TRADES,
    WEATHER,
)


def writing(dice: Dice) -> Prose:
    """A text, whole or begun by somebody else."""
    if dice.chance(0.15):
        return Prose(dice.choice((shopping, counting, record))(dice))
    text = tale(dice)
    if dice.chance(0.4):
        return Prose(text)
    return begun(dice, text)


def begun(dice: Dice, text: str) -> Prose:
    """The text, broken off somewhere."""
    cut = dice.randrange(1, max(2, len(text) * 2 // 3))
    if dice.chance(0.4) and " " in text[cut:]:
        # Most people stop at the end of a word, and some behind the space after it.
        cut = text.index(" ", cut) + dice.chance(0.25)
    return Prose(text[cut:], begun=text[:cut])


def tale(dice: Dice) -> str:
    """A story; it may open as one, and have paragraphs."""
    opening = dice.choice(_OPENINGS) if dice.chance(0.35) else ""
    body = story(dice)
    if dice.chance(0.15):
        body = body.replace(". ", ".\n\n", 1)
    return opening + body


def story(dice: Dice) -> str:
    """Some sentences about one person; the last one is an ending."""
    who, she = person(dice)
    sentences = [deed(dice, who)]
    for tell in dice.sample(_SENTENCES, dice.choice((1, 2, 2, 3))):
        sentences.append(tell(dice, dice.choice((who, she, she))))
    ending = dice.choice(_ENDINGS).format(she=she, feeling=dice.choice(FEELINGS))
    return " ".join(map(capital, (*sentences, ending)))


def sentence(dice: Dice) -> str:
    """One sentence about somebody or something."""
    if dice.chance(0.2):
        thing, adjective = dice.choice(THINGS), dice.choice(ADJECTIVES)
        return capital(f"{thing} is {adjective}.")
    who, _ = person(dice)
    return capital(dice.choice((deed, _felt, _saw, _met))(dice, who))


def person(dice: Dice) -> tuple[str, str]:
    she = dice.choice(("she", "he"))
    if dice.chance(0.5):
        return dice.choice(PEOPLE), she
    trade = dice.choice(TRADES)
    return dice.choice((f"the {trade}", f"the old {trade}", f"a young {trade}")), she


def deed(dice: Dice, who: str) -> str:
    verb, objects = dice.choice(DEEDS)
    where = f" {dice.choice(PLACES)}" if dice.chance(0.6) else ""
    when = f" {dice.choice(TIMES)}" if dice.chance(0.4) else ""
    return f"{who} {verb} {_described(dice, dice.choice(objects))}{where}{when}."


def _described(dice: Dice, thing: str) -> str:
    leading, _, noun = thing.partition(" ")
    if leading not in ("the", "some") or dice.chance(0.5):
        return thing
    return f"{leading} {dice.choice(ADJECTIVES)} {noun}"


def _felt(dice: Dice, who: str) -> str:
    return f"{who} was {dice.choice(FEELINGS)} because {dice.choice(WEATHER)}."


def _saw(dice: Dice, who: str) -> str:
    animal = article(dice.choice(ANIMALS))
    return f"{dice.choice(PLACES)} {who} saw {animal} and {dice.choice(SIGHTS)}."


def _said(dice: Dice, who: str) -> str:
    return f'"{capital(dice.choice(PHRASES))}," {who} said.'


def _weather(dice: Dice, who: str) -> str:
    return f"{dice.choice(TIMES)} {dice.choice(WEATHER)}, and {who} waited."


def _then(dice: Dice, who: str) -> str:
    return f"{dice.choice(('then', 'later', 'after that', 'soon'))} {deed(dice, who)}"


def _met(dice: Dice, who: str) -> str:
    met = f"{who} met {dice.choice(PEOPLE)} {dice.choice(PLACES)}"
    about = dice.choice(("the weather", "music", "a dream", "the news", *FOODS))
    return f"{met}, and they talked about {about}."


_SENTENCES: tuple[Callable[[Dice, str], str], ...] = (
    _felt, _saw, _said, _weather, _then, _met,
)  # fmt: skip
_ENDINGS = (
    "in the end {she} went home and was {feeling}.",
    "that was the end of the day, and {she} was {feeling}.",
    "at last {she} went to bed, {feeling} and warm.",
    "and so {she} lived on, {feeling} for a long time.",
)
_OPENINGS = (
    "Once upon a time, there was a small town. ",
    "Once upon a time, far away, there lived a king. ",
    "Long ago it happened like this. ",
    "Dear friend,\n\n",
    "This is a story. ",
    "It was a quiet day. ",
)


def shopping(dice: Dice) -> str:
    items = dice.sample(FOODS, dice.randint(3, 6))
    return "Shopping list:\n" + "\n".join(f"- {item}" for item in items)


def counting(dice: Dice) -> str:
    """Numbers, days or months in order."""
    if dice.chance(0.4):
        start = dice.randint(0, 80)
        return " ".join(map(str, range(start, start + dice.randint(8, 20)))) + "."
    row = dice.choice((NUMBERS, DAYS, MONTHS))
    return ", ".join(row[dice.randrange(len(row) // 2) :]) + "."


def record(dice: Dice) -> str:
    thing = dice.choice(THINGS)
    fields = {"name": dice.name(), "age": dice.randint(5, 90), "likes": thing}
    return json.dumps(fields)


# Texts with a hole


def infill(dice: Dice) -> Infill:
    """Holes that the words around decide, and holes of any kind."""
    if dice.chance(0.65):
        return gap(dice)
    text = tale(dice)
    start, end = sorted(dice.sample(range(len(text)), 2))
    if dice.chance(0.5):
        start, end = _at_spaces(text, start, end)
    return Infill(text[:start], text[start:end], text[end : end + 120])


def gap(dice: Dice) -> Infill:
    """A hole that can be filled in one way alone."""
    return dice.apart("combinations", lambda dice: dice.choice(_GAPS)(dice))


def _at_spaces(text: str, start: int, end: int) -> tuple[int, int]:
    spaces = [place for place, letter in enumerate(text) if letter == " "]
    start = max((place for place in spaces if place <= start), default=0)
    return start, min((place for place in spaces if place > end), default=len(text))


def _gap_in_order(dice: Dice) -> Infill:
    """Something missing from a row that everybody knows."""
    numbers = tuple(map(str, range(dice.randint(0, 60), 99)))
    row = dice.choice((NUMBERS, DAYS, MONTHS, numbers, numbers))
    start = dice.randrange(len(row) - 4)
    count, where = dice.randint(4, 6), dice.randint(1, 2)
    glue = dice.choice((", ", " ", "\n"))
    part = row[start : start + count]
    after = glue + glue.join(part[where + 1 :]) if part[where + 1 :] else ""
    return Infill(glue.join(part[:where]) + glue, part[where], after)


def _gap_told_before(dice: Dice) -> Infill:
    """What is missing stands elsewhere in the text."""
    name, food, word = dice.name(), dice.choice(FOODS), dice.word()
    texts = (
        (f"My name is {name}. Hello, ", name, "!"),
        (f"{name} likes {food}. Every day {name} buys ", food, "."),
        ("Hello, ", name, f"! Your name is {name}."),
        (f"The word is {word}. I repeat: ", word, ". That was the word."),
        ("I wrote ", word, f" on the paper. The paper says {word}."),
        (f'{{"name": "{name}", "text": "I am ', name, '"}'),
    )
    return Infill(*dice.choice(texts))


def _gap_in_code(dice: Dice) -> Infill:
    name = dice.word()
    sign = dice.choice("+-*/")
    one, other = dice.sample("abcdxyz", 2)
    worth = f"{one} {sign} {other}"
    shown = f"print({name}(3, 4))  # {worth}"
    texts = (
        (f"def {name}({one}, {other}):\n    return ", worth, f"\n\n{shown}\n"),
        (f"def {name}({one}):\n    return {one}\n\nprint(", name, "(1))\n"),
        (f"import {name}\n\nprint(", name, ".version)\n"),
    )
    return Infill(*dice.choice(texts))


_GAPS = (_gap_in_order, _gap_told_before, _gap_told_before, _gap_in_code)
