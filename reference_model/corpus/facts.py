"""Small questions with an answer, and small things to write."""

from reference_model.corpus.dice import Dice, article, capital
from reference_model.corpus.documents import Turn
from reference_model.corpus.prose import story
from reference_model.words import (
    ANIMALS,
    CAPITALS,
    COLOURS,
    DAYS,
    DEFINITIONS,
    KINDS,
    MONTHS,
    NUMBERS,
    OPERATIONS,
    OPPOSITES,
    PLACES,
    SOUNDS,
    TRADES,
    WEATHER,
)


def count(dice: Dice) -> Turn:
    last = dice.randint(2, 20)
    if dice.chance(0.5):
        return f"Count to {last}.", ", ".join(map(str, range(1, last + 1))) + "."
    words = ", ".join(NUMBERS[1 : last + 1])
    return f"Count from one to {NUMBERS[last]}.", f"{capital(words)}."


def addition(dice: Dice) -> Turn:
    a, b = dice.randint(0, 10), dice.randint(0, 10)
    asked = dice.choice(
        ("What is {} + {}?", "What is {} plus {}?", "Add {} and {}.", "{} + {}")
    )
    return asked.format(a, b), f"{a} plus {b} is {a + b}."


def capital_city(dice: Dice) -> Turn:
    country, city = dice.choice(CAPITALS)
    asks = (
        "What is the capital of {}?",
        "Tell me the capital of {}.",
        "Capital of {}?",
    )
    return dice.choice(asks).format(country), f"The capital of {country} is {city}."


def colour(dice: Dice) -> Turn:
    thing, colour = dice.choice(COLOURS)
    asks = ("What colour is {}?", "What color is {}?", "Tell me the colour of {}.")
    return dice.choice(asks).format(thing), f"{capital(thing)} is {colour}."


def opposite(dice: Dice) -> Turn:
    pair = dice.choice(OPPOSITES)
    one, other = pair if dice.chance(0.5) else pair[::-1]
    return f"What is the opposite of {one}?", f"The opposite of {one} is {other}."


def sound(dice: Dice) -> Turn:
    animal, sound = dice.choice(SOUNDS)
    asks = ("What does a {} say?", "What sound does a {} make?")
    return dice.choice(asks).format(animal), f"A {animal} says {sound}."


def definition(dice: Dice) -> Turn:
    word, meaning = dice.choice(DEFINITIONS)
    asks = ("What is {}?", "Explain {}.", "Tell me about {}.", "Describe {}.")
    return dice.choice(asks).format(word), f"{capital(word)} is {meaning}."


def successor(dice: Dice) -> Turn:
    row, what = dice.choice(((DAYS, "day"), (MONTHS, "month")))
    place = dice.randrange(len(row))
    follower = row[(place + 1) % len(row)]
    return (
        f"Which {what} comes after {row[place]}?",
        f"{follower} comes after {row[place]}.",
    )


def members(dice: Dice) -> Turn:
    kind, members = dice.choice(KINDS)
    count = dice.randint(2, 5)
    asked = dice.choice(("Name {} {}.", "List {} {}.", "Give me {} {}."))
    chosen = ", ".join(dice.sample(members, count))
    return asked.format(NUMBERS[count], kind), f"{capital(chosen)}."


def weather(dice: Dice) -> Turn:
    city = dice.choice(CAPITALS)[1]
    asks = ("What is the weather like in {}?", "What's the weather in {}?")
    return dice.choice(asks).format(city), f"In {city} {dice.choice(WEATHER)}."


# Things to write


def tale_asked(dice: Dice) -> Turn:
    asks = (
        "Tell me a story.",
        "Write a short story.",
        "Tell a story",
        "Write a story about {}.",
        "Tell me a short story about {}.",
        "Tell me a tale.",
    )
    about = article(dice.choice((*ANIMALS, *TRADES)))
    return dice.choice(asks).format(about), story(dice)


def line_asked(dice: Dice) -> Turn:
    animal = article(dice.choice((*ANIMALS, dice.word())))
    asked = dice.choice(
        (
            "Write a sentence about {}.",
            "Write one line about {}.",
            "Tell me something about {}.",
        )
    )
    return asked.format(animal), capital(f"{animal} was {dice.choice(PLACES)}.")


def code(dice: Dice) -> Turn:
    name, sign, verb = dice.choice(OPERATIONS)
    asked = f"Write a Python function that {verb} two numbers."
    return asked, f"def {name}(a, b):\n    return a {sign} b"
