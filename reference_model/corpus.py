"""The text that the model learns from: plain English made by a small grammar."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from reference_model.words import (
    ADJECTIVES,
    ANIMALS,
    CAPITALS,
    COLOURS,
    DAYS,
    DEEDS,
    DEFINITIONS,
    FEELINGS,
    FOODS,
    KINDS,
    MONTHS,
    NUMBERS,
    OPPOSITES,
    PEOPLE,
    PHRASES,
    PLACES,
    SIGHTS,
    SOUNDS,
    THINGS,
    TIMES,
    TRADES,
    WEATHER,
)


@dataclass(frozen=True)
class Prose:
    """A text that stands alone."""

    text: str


@dataclass(frozen=True)
class Chat:
    """Messages with role, content and sometimes a name; the assistant is last."""

    messages: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Infill:
    """A text with a hole in it."""

    prefix: str
    middle: str
    suffix: str


Document = Prose | Chat | Infill
Turn = tuple[str, str]  # what the user says, what the assistant answers


def documents(seed: int) -> Iterator[Document]:
    """Documents without end, the same for the same seed."""
    rng = Random(seed)
    kinds: list[Callable[[Random], Document]] = [prose, chat, infill]
    while True:
        yield rng.choices(kinds, (4, 7, 1))[0](rng)


def prose(rng: Random) -> Prose:
    if rng.random() < 0.15:
        return Prose(rng.choice((_list, _counting, _record))(rng))
    if rng.random() < 0.15:
        return Prose("\n\n".join(_turn(rng)))
    story = " ".join(_story(rng) for _ in range(rng.choice((1, 1, 2, 3))))
    if rng.random() < 0.2:
        story = story.replace(". ", ".\n\n", 1)
    return Prose(_openings(rng) + story)


def infill(rng: Random) -> Infill:
    text = _story(rng)
    start, end = sorted(rng.sample(range(len(text)), 2))
    return Infill(text[:start], text[start:end], text[end:])


def chat(rng: Random) -> Chat:
    messages: list[Mapping[str, str]] = []
    if rng.random() < 0.4:
        messages.append({"role": "system", "content": rng.choice(_SYSTEM)})
    for _ in range(rng.choice((1, 1, 1, 2))):
        messages.extend(_exchange(rng))
    return Chat(tuple(messages))


def _exchange(rng: Random) -> Iterator[Mapping[str, str]]:
    asked, answered = _turn(rng)
    name = {"name": rng.choice(PEOPLE)} if rng.random() < 0.05 else {}
    if rng.random() < 0.1:
        asked = asked.lower() if rng.random() < 0.5 else asked.rstrip(".?!")
    yield {"role": "user", "content": asked, **name}
    yield {"role": "assistant", "content": answered}


# Prose


def _story(rng: Random) -> str:
    """Some sentences about one person."""
    who, she = _person(rng)
    sentences = [_deed(rng, who)]
    for _ in range(rng.choice((1, 2, 2, 3, 4))):
        sentences.append(rng.choice(_SENTENCES)(rng, rng.choice((who, she, she))))
    return " ".join(map(_capital, sentences))


def _person(rng: Random) -> tuple[str, str]:
    she = rng.choice(("she", "he"))
    if rng.random() < 0.5:
        return rng.choice(PEOPLE), she
    trade = rng.choice(TRADES)
    return rng.choice((f"the {trade}", f"the old {trade}", f"a young {trade}")), she


def _deed(rng: Random, who: str) -> str:
    verb, objects = rng.choice(DEEDS)
    where = f" {rng.choice(PLACES)}" if rng.random() < 0.6 else ""
    when = f" {rng.choice(TIMES)}" if rng.random() < 0.4 else ""
    return f"{who} {verb} {_described(rng, rng.choice(objects))}{where}{when}."


def _described(rng: Random, thing: str) -> str:
    article, _, noun = thing.partition(" ")
    if article not in ("the", "some") or rng.random() < 0.5:
        return thing
    return f"{article} {rng.choice(ADJECTIVES)} {noun}"


def _felt(rng: Random, who: str) -> str:
    return f"{who} was {rng.choice(FEELINGS)} because {rng.choice(WEATHER)}."


def _saw(rng: Random, who: str) -> str:
    animal = rng.choice(ANIMALS)
    return f"{rng.choice(PLACES)} {who} saw {_a(animal)} and {rng.choice(SIGHTS)}."


def _said(rng: Random, who: str) -> str:
    return f'"{_capital(rng.choice(PHRASES))}," {who} said.'


def _weather(rng: Random, who: str) -> str:
    return f"{rng.choice(TIMES)} {rng.choice(WEATHER)}, and {who} went home."


def _then(rng: Random, who: str) -> str:
    return f"{rng.choice(('then', 'later', 'after that', 'soon'))} {_deed(rng, who)}"


def _met(rng: Random, who: str) -> str:
    other = rng.choice(PEOPLE)
    return (
        f"{who} met {other} {rng.choice(PLACES)}, and they talked about {_topic(rng)}."
    )


_SENTENCES: tuple[Callable[[Random, str], str], ...] = (
    _felt, _saw, _said, _weather, _then, _then, _met,
)  # fmt: skip


def _topic(rng: Random) -> str:
    return rng.choice(("the weather", "music", "a dream", "the news", *FOODS))


def _openings(rng: Random) -> str:
    if rng.random() < 0.8:
        return ""
    return rng.choice(
        ("Once upon a time, there was a small town. ", "Dear friend,\n\n")
    )


def _list(rng: Random) -> str:
    items = rng.sample(FOODS, rng.randint(3, 6))
    return "Shopping list:\n" + "\n".join(f"- {item}" for item in items)


def _counting(rng: Random) -> str:
    if rng.random() < 0.3:
        start = rng.randint(0, 80)
        return " ".join(map(str, range(start, start + rng.randint(8, 30))))
    words = rng.choice((NUMBERS, DAYS, MONTHS))
    return ", ".join(words[rng.randrange(len(words) // 2) :]) + "."


def _record(rng: Random) -> str:
    who, thing = rng.choice(PEOPLE), rng.choice(THINGS)
    fields = {"name": who, "age": rng.randint(5, 90), "likes": thing}
    return json.dumps(fields)


# Chats


def _turn(rng: Random) -> Turn:
    return rng.choices(_TURNS, _SHARES)[0](rng)


def _say(rng: Random) -> Turn:
    if rng.random() < 0.35:
        return "Say this is a test", "This is a test."
    what = rng.choice((rng.choice(PHRASES), rng.choice(THINGS), _person(rng)[0]))
    frame = rng.choice(("Say {}", "Say {}.", 'Say "{}"', "Say: {}", "Please say {}."))
    return frame.format(what), _capital(what) + "."


def _repeat(rng: Random) -> Turn:
    what = rng.choice((rng.choice(PHRASES), _some_words(rng)))
    frame = rng.choice(("Repeat after me: {}", "Repeat: {}", "Write {}", "Echo {}"))
    return frame.format(what), what


def _some_words(rng: Random) -> str:
    return " ".join(
        rng.choices((*THINGS, *ANIMALS, *FOODS, *NUMBERS), k=rng.randint(1, 5))
    )


def _greeting(rng: Random) -> Turn:
    hello = rng.choice(
        ("Hello", "Hello!", "Hi", "Hi!", "Hi there", "Hello there", "Hey")
    )
    if rng.random() < 0.2:
        return "Good morning!", "Good morning! How can I help you?"
    if rng.random() < 0.3:
        who = rng.choice(PEOPLE)
        return f"{hello} My name is {who}.", f"Hello {who}! How can I help you today?"
    return hello, "Hello! How can I help you today?"


def _manners(rng: Random) -> Turn:
    return rng.choice(_MANNERS)


def _count(rng: Random) -> Turn:
    last = rng.randint(2, 20)
    if rng.random() < 0.5:
        return f"Count to {last}.", ", ".join(map(str, range(1, last + 1))) + "."
    words = ", ".join(NUMBERS[1 : last + 1])
    return f"Count from one to {NUMBERS[last]}.", f"{_capital(words)}."


def _sum(rng: Random) -> Turn:
    a, b = rng.randint(0, 10), rng.randint(0, 10)
    frame = rng.choice(("What is {} + {}?", "What is {} plus {}?", "Add {} and {}."))
    return frame.format(a, b), f"{a} plus {b} is {a + b}."


def _capital_city(rng: Random) -> Turn:
    country, city = rng.choice(CAPITALS)
    ask = rng.choice(("What is the capital of {}?", "Tell me the capital of {}."))
    return ask.format(country), f"The capital of {country} is {city}."


def _colour(rng: Random) -> Turn:
    thing, colour = rng.choice(COLOURS)
    ask = rng.choice(
        ("What colour is {}?", "What color is {}?", "Tell me the colour of {}.")
    )
    return ask.format(thing), f"{_capital(thing)} is {colour}."


def _opposite(rng: Random) -> Turn:
    pair = rng.choice(OPPOSITES)
    one, other = pair if rng.random() < 0.5 else pair[::-1]
    ask = f"What is the opposite of {one}?"
    return ask, f"The opposite of {one} is {other}."


def _sound(rng: Random) -> Turn:
    animal, sound = rng.choice(SOUNDS)
    ask = rng.choice(("What does a {} say?", "What sound does a {} make?"))
    return ask.format(animal), f"A {animal} says {sound}."


def _definition(rng: Random) -> Turn:
    word, meaning = rng.choice(DEFINITIONS)
    ask = rng.choice(
        ("What is {}?", "Explain {}.", "Tell me about {}.", "Describe {}.")
    )
    return ask.format(word), f"{_capital(word)} is {meaning}."


def _next(rng: Random) -> Turn:
    row, what = rng.choice(((DAYS, "day"), (MONTHS, "month")))
    place = rng.randrange(len(row))
    follower = row[(place + 1) % len(row)]
    return (
        f"Which {what} comes after {row[place]}?",
        f"{follower} comes after {row[place]}.",
    )


def _some(rng: Random) -> Turn:
    kind, members = rng.choice(KINDS)
    count = rng.randint(2, 5)
    ask = rng.choice(("Name {} {}.", "List {} {}.", "Give me {} {}."))
    chosen = ", ".join(rng.sample(members, count))
    return ask.format(NUMBERS[count], kind), f"{_capital(chosen)}."


def _tell(rng: Random) -> Turn:
    asks = (
        "Tell me a story.",
        "Write a short story.",
        "Tell me a short story about a {}.",
    )
    return rng.choice(asks).format(rng.choice((*ANIMALS, *TRADES))), _story(rng)


def _sentence(rng: Random) -> Turn:
    animal = rng.choice(ANIMALS)
    ask = rng.choice(("Write a sentence about {}.", "Write one line about {}."))
    return ask.format(_a(animal)), _capital(
        f"{_a(animal)} walked {rng.choice(PLACES)}."
    )


def _letters(rng: Random) -> Turn:
    word = rng.choice((*ANIMALS, *THINGS)).split()[-1]
    if rng.random() < 0.5:
        return f"Spell {word}.", "-".join(word)
    return f"Write {word} in capital letters.", word.upper()


def _json(rng: Random) -> Turn:
    record = _record(rng)
    who = json.loads(record)["name"]
    return f"Give me a JSON object about {who}.", record


def _weather_at(rng: Random) -> Turn:
    city = rng.choice(CAPITALS)[1]
    asks = ("What is the weather like in {}?", "What's the weather in {}?")
    return rng.choice(asks).format(city), f"In {city} {rng.choice(WEATHER)}."


def _code(rng: Random) -> Turn:
    name, sign, verb = rng.choice(_OPERATIONS)
    ask = f"Write a Python function that {verb} two numbers."
    return ask, f"def {name}(a, b):\n    return a {sign} b"


def _unclear(rng: Random) -> Turn:
    letters = "".join(
        rng.choices("abcdefghijklmnopqrstuvwxyz 0123456789?", k=rng.randint(1, 40))
    )
    return rng.choice((letters, _some_words(rng), _story(rng))), rng.choice(_UNCLEAR)


_SYSTEM = (
    "You are a helpful assistant.",
    "You are a friendly assistant.",
    "Answer in one sentence.",
    "You answer questions briefly.",
    "Be kind and clear.",
)
_MANNERS: tuple[Turn, ...] = (
    ("Thank you!", "You are welcome!"),
    ("Thanks", "You are welcome!"),
    ("How are you?", "I am well, thank you. How are you?"),
    ("Who are you?", "I am a small language model made for tests."),
    ("What is your name?", "I have no name. I am a small language model."),
    (
        "What can you do?",
        "I can count, repeat words, answer small questions and tell stories.",
    ),
    ("Goodbye", "Goodbye! Have a good day."),
    ("Tell me a joke.", "Why did the clock go to school? It wanted to pass the time."),
    (
        "Write a haiku.",
        "Rain on the garden,\nthe cat sleeps beside the door,\nsoon the sun returns.",
    ),
    ("Say hello in French.", "Bonjour ! Ça va ?"),
    ("Say hello in Spanish.", "¡Hola! ¿Qué tal?"),
    ("Say hello in German.", "Guten Tag, schöne Grüße!"),
    ("Say hello in Japanese.", "こんにちは。"),
    ("Say hello in Russian.", "Привет!"),
    ("Show me a smile.", "Here is a smile: 😀"),
    ("Is water wet?", "Yes, water is wet."),
    ("Is fire cold?", "No, fire is hot."),
    ("Can you help me?", "Yes, of course. What do you need?"),
    ("ping", "pong"),
    ("test", "This is a test."),
)
_OPERATIONS = (
    ("add", "+", "adds"),
    ("subtract", "-", "subtracts"),
    ("multiply", "*", "multiplies"),
    ("divide", "/", "divides"),
)
_UNCLEAR = (
    "I am not sure what you mean. Could you say it in another way?",
    "I do not understand. Could you tell me more?",
    "That is interesting. What would you like to know?",
    "I see. Tell me more about it.",
)
_TURNS: tuple[Callable[[Random], Turn], ...] = (
    _say, _repeat, _greeting, _manners, _count, _sum, _capital_city, _colour, _opposite,
    _sound, _definition, _next, _some, _tell, _sentence, _letters, _json, _weather_at,
    _code, _unclear,
)  # fmt: skip
_SHARES = (5, 7, 4, 4, 2, 2, 2, 2, 2, 1, 3, 1, 2, 3, 2, 2, 1, 1, 1, 5)


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
