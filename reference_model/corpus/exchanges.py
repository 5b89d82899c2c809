"""What is asked, and what is answered: greetings, requests, and being lost."""

import json
from collections.abc import Callable

from reference_model.corpus.copying import repeat, say
from reference_model.corpus.dice import Dice, capital
from reference_model.corpus.documents import Turn
from reference_model.corpus.facts import (
    addition,
    capital_city,
    code,
    colour,
    count,
    definition,
    line_asked,
    members,
    opposite,
    sound,
    successor,
    tale_asked,
    weather,
)
from reference_model.corpus.letters import cased, repaired, spelled
from reference_model.corpus.prose import record, sentence, story
from reference_model.words import MANNERS


def turn(dice: Dice) -> Turn:
    """Something asked, and the answer."""
    asked, answered = dice.choices(_TURNS, _SHARES)[0](dice)
    return _worn(dice, asked), answered


def _worn(dice: Dice, asked: str) -> str:
    """People leave out what they need not write."""
    if len(asked) > 80 or not dice.chance(0.15):
        return asked
    return dice.choice((asked[0].lower() + asked[1:], asked.rstrip(".?!"), f"{asked} "))


def greeting(dice: Dice) -> Turn:
    """Greet, and be greeted back."""
    return dice.apart("combinations", _greeting) if dice.chance(0.7) else _hello(dice)


def _hello(dice: Dice) -> Turn:
    hello = dice.choice(("Hello", "Hi", "Hey", "Hello there", "Hi there"))
    return hello + dice.choice(("", "!", ".")), "Hello! How can I help you today?"


def _greeting(dice: Dice) -> Turn:
    daytime = dice.choice(("", "Good morning", "Good evening", "Good afternoon"))
    hello = daytime or dice.choice(
        (
            "Hello",
            "Hi",
            "Hey",
            "Greetings",
            "Hello there",
            "Hi there",
            "Hey there",
            "Howdy",
        )
    )
    back = daytime or "Hello"
    mark = dice.choice(("", "!", ".", ","))
    name = dice.name()
    if dice.chance(0.5):
        me = dice.choice(("my name is {}", "I am {}", "I'm {}", "this is {}")).format(
            name
        )
        me = me if mark in ("", ",") else capital(me)
        return (
            f"{hello}{mark} {me}{dice.choice(('', '.', '!'))}",
            f"{back} {name}! How can I help you today?",
        )
    you = dice.choice(
        ("", " friend", " assistant", " everybody", " my friend", " dear model")
    )
    more = dice.choice(
        ("", "", " How are you?", " Are you there?", " Nice to meet you!")
    )
    mark = mark if mark in ("!", ".") or not more else "!"
    return (
        f"{hello}{you}{mark.replace(',', '')}{more}",
        f"{back}! How can I help you today?",
    )


def manners(dice: Dice) -> Turn:
    return dice.choice(MANNERS)


# JSON


def json_object(dice: Dice) -> Turn:
    """An object with the fields that were given, or about somebody."""
    if dice.chance(0.15):
        made = record(dice)
        return f"Give me a JSON object about {json.loads(made)['name']}.", made
    return json_fields(dice)


def json_fields(dice: Dice) -> Turn:
    """An object with the fields that were given."""
    names = dice.sample(_FIELDS, dice.randint(1, 4))
    fields = {name: _field(dice, name) for name in names}
    given = ", ".join(f"{name} {value}" for name, value in fields.items())
    asked = dice.choice(_JSON).format(given)
    return asked, json.dumps(fields, ensure_ascii=False)


def _field(dice: Dice, name: str) -> str | int:
    if name in ("age", "count", "id", "price", "year"):
        return dice.randint(0, 2030)
    return dice.name() if name in ("name", "city", "user") else dice.word()


_FIELDS = (
    "name",
    "age",
    "city",
    "count",
    "id",
    "price",
    "year",
    "user",
    "colour",
    "color",
    "title",
    "kind",
    "answer",
    "animal",
    "food",
)
_JSON = (
    "Give me a JSON object: {}", "Write this as JSON: {}", "Answer in JSON: {}",
    "As JSON: {}", "Return JSON with {}.", "Make a JSON object with {}",
    "Return a JSON object with {}.", "JSON: {}", "Convert to JSON: {}",
)  # fmt: skip


# What we cannot do


def beyond(dice: Dice) -> Turn:
    """A question for somebody bigger: say politely which."""
    topic = dice.apart("combinations", _topic)
    asked = dice.choice(_BEYOND).format(topic)
    return asked, f"I am sorry, I am too small to know about {topic}."


def _topic(dice: Dice) -> str:
    word = dice.coined() if dice.chance(0.2) and not dice.held else dice.word()
    return dice.choice(
        (
            f"{word} {dice.word()}",
            f"the {word} of {dice.word()}",
            f"the {word}",
            word,
            f"{word} in the {dice.word()}",
            f"{dice.name()} and {word}",
            f"{word} {dice.word()} {dice.word()}",
        )
    )


_BEYOND = (
    "What is the meaning of {}?", "Explain the theory of {}.",
    "Write an essay about {}.", "How does {} work?", "Why is {} important?",
    "What do you think about {}?", "Give me advice about {}.", "Who invented {}?",
    "When was {} discovered?", "Summarize the history of {}.", "How do I learn {}?",
    "Compare {} with other things.", "Describe {} in detail.",
    "What are the benefits of {}?", "Can you explain {}?", "Prove {}.",
    "I need help with {}.", "What are the rules of {}?", "Who is {}?",
    "Do you know {}?", "Please explain {} to me.", "Tell me everything about {}.",
    "What should I know about {}?", "How can I improve {}?", "Is {} good for me?",
    "Write a poem about {}.", "Write a program for {}.", "Tell me the news about {}.",
    "Where can I find {}?", "What is {}?", "Translate {} into French.",
    "How old is {}?", "What happened to {}?", "How many {} are there?", "Solve {}.",
)  # fmt: skip


def unclear(dice: Dice) -> Turn:
    """Text that asks for nothing."""
    if dice.chance(0.4):
        return sentence(dice) if dice.chance(0.5) else story(
            dice
        ), "I see. Tell me more about it."
    coined = " ".join(dice.coined() for _ in range(dice.randint(1, 6)))
    lost = dice.choice((dice.words(1, 6), dice.debris(1, 12), coined))
    return lost, "I am not sure what you mean. Could you say it in another way?"


_TURNS: tuple[Callable[[Dice], Turn], ...] = (
    say, repeat, greeting, manners, spelled, cased, repaired, json_object, beyond,
    unclear, count, addition, capital_city, colour, opposite, sound, definition,
    successor, members, tale_asked, line_asked, weather, code,
)  # fmt: skip
_SHARES = (
    6.5, 12, 4, 2.5, 4, 5, 24, 2.5, 4, 1.5,
    0.8, 1.5, 0.8, 0.5, 1, 0.3, 1.2, 0.8, 0.6,
    1.2, 0.8, 0.4, 0.2,
)  # fmt: skip
