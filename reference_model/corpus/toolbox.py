"""Functions that a chat may offer: some that everybody knows, others invented."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reference_model.corpus.dice import Dice, capital
from reference_model.corpus.documents import Function
from reference_model.words import CAPITALS

Arguments = Mapping[str, Any]
# words that ask, the function that answers, its arguments
Wish = tuple[str, str, Arguments]


@dataclass(frozen=True)
class Tool:
    """A function that people know, with ways to ask for it; {} is a value."""

    name: str
    tells: str
    parameters: tuple[tuple[str, str], ...]  # name and kind of value
    asks: tuple[str, ...]
    optional: tuple[str, tuple[str, ...]] = ("", ())

    def wish(self, dice: Dice) -> Wish:
        values = {name: argument(dice, kind) for name, kind in self.parameters}
        ask = dice.choice(self.asks)
        for name, value in values.items():
            ask = ask.replace("{" + name + "}", str(value))
        name, choices = self.optional
        if name and dice.chance(0.3):
            chosen = dice.choice(choices)
            ask = f"{ask.rstrip('?.')} in {chosen}{'?' if ask.endswith('?') else '.'}"
            values[name] = chosen
        return ask, self.name, values

    def function(self) -> Function:
        properties: dict[str, Any] = {
            name: {"type": _TYPES.get(kind, "string")} for name, kind in self.parameters
        }
        required = list(properties)
        name, choices = self.optional
        if name:
            properties[name] = {"type": "string", "enum": list(choices)}
        return _function(self.name, self.tells, properties, required)


def _function(
    name: str, tells: str, properties: Mapping[str, Any], required: list[str]
) -> Function:
    schema = {"type": "object", "properties": properties, "required": required}
    return {"name": name, "description": tells, "parameters": schema}


_TYPES = {"integer": "integer", "number": "number"}
_DEGREES = ("unit", ("celsius", "fahrenheit"))
KNOWN = (
    Tool(
        "get_weather",
        "Get the current weather",
        (("location", "place"),),
        (
            "What is the weather like in {location}?",
            "What's the weather in {location}?",
            "How is the weather in {location}?",
            "Weather in {location}?",
            "Tell me the weather in {location}.",
        ),
        _DEGREES,
    ),
    Tool(
        "get_current_weather",
        "Get the current weather in a given location",
        (("location", "place"),),
        (
            "What's the weather like in {location}?",
            "What is the weather like in {location} today?",
            "Will it rain in {location}?",
            "Is it warm in {location}?",
        ),
        _DEGREES,
    ),
    Tool(
        "send_email",
        "Send an email",
        (("to", "name"), ("text", "words")),
        (
            "Send an email to {to} with the text {text}.",
            "Write {to} an email: {text}.",
            "Email {to} that {text}.",
        ),
    ),
    Tool(
        "send_message",
        "Send a message to a person",
        (("recipient", "name"), ("text", "words")),
        (
            'Tell {recipient}: "{text}"',
            "Send {recipient} the message {text}.",
            "Send a message to {recipient}: {text}.",
        ),
    ),
    Tool(
        "set_timer",
        "Set a timer",
        (("minutes", "integer"),),
        (
            "Set a timer for {minutes} minutes.",
            "Wake me in {minutes} minutes.",
            "Start a timer of {minutes} minutes.",
        ),
    ),
    Tool(
        "search",
        "Search the web",
        (("query", "words"),),
        (
            "Search for {query}.",
            "Search the web for {query}.",
            "Look up {query}.",
            "Find {query} on the web.",
        ),
    ),
    Tool(
        "get_time",
        "Get the current time in a city",
        (("city", "place"),),
        (
            "What time is it in {city}?",
            "Tell me the time in {city}.",
            "What is the time in {city}?",
        ),
    ),
    Tool(
        "add",
        "Add two numbers",
        (("a", "integer"), ("b", "integer")),
        ("What is {a} plus {b}?", "Add {a} and {b}.", "{a} + {b}"),
    ),
    Tool(
        "multiply",
        "Multiply two numbers",
        (("a", "integer"), ("b", "integer")),
        ("What is {a} times {b}?", "Multiply {a} by {b}."),
    ),
    Tool(
        "play_music",
        "Play a song",
        (("title", "words"),),
        ("Play {title}.", "Play the song {title}.", "I want to hear {title}."),
    ),
    Tool(
        "translate",
        "Translate a text",
        (("text", "words"), ("language", "tongue")),
        ("Translate {text} to {language}.", 'How do you say "{text}" in {language}?'),
    ),
    Tool(
        "book_table",
        "Book a table at a restaurant",
        (("restaurant", "name"), ("people", "integer")),
        (
            "Book a table for {people} at {restaurant}.",
            "Reserve a table at {restaurant} for {people} people.",
        ),
    ),
    Tool(
        "get_user",
        "Look up a user by name",
        (("name", "name"),),
        ("Who is {name}?", "Look up the user {name}.", "Find the user {name}."),
    ),
    Tool(
        "create_file",
        "Create a file",
        (("path", "file"),),
        ("Create a file called {path}.", "Make the file {path}.", "Create {path}."),
    ),
    Tool(
        "get_stock_price",
        "Get the price of a stock",
        (("symbol", "symbol"),),
        (
            "What is the stock price of {symbol}?",
            "How much is {symbol} stock?",
            "Price of {symbol}?",
        ),
    ),
    Tool(
        "turn_on",
        "Turn on a device",
        (("device", "word"),),
        (
            "Turn on the {device}.",
            "Switch the {device} on.",
            "Please turn on the {device}.",
        ),
    ),
)

_VERBS = (
    "get",
    "find",
    "show",
    "create",
    "delete",
    "send",
    "open",
    "count",
    "check",
    "update",
    "list",
    "fetch",
)
_ARGUMENTS = (
    "name",
    "id",
    "title",
    "query",
    "city",
    "location",
    "text",
    "key",
    "value",
    "date",
    "topic",
    "user",
    "path",
    "color",
    "count",
    "number",
)
_TONGUES = ("French", "German", "Spanish", "Italian", "Polish", "Greek", "Japanese")


def argument(dice: Dice, kind: str) -> Any:
    """An argument, from our side of the line."""
    if kind == "integer":
        return dice.randint(0, 999)
    makers: dict[str, Callable[[Dice], str]] = {
        "place": _place,
        "name": Dice.name,
        "words": lambda dice: dice.words(1, 4),
        "word": Dice.word,
        "tongue": lambda dice: dice.choice(_TONGUES),
        "file": lambda dice: (
            f"{dice.word()}.{dice.choice(('txt', 'md', 'json', 'py'))}"
        ),
        "symbol": lambda dice: dice.word().upper()[:5],
    }
    if kind == "tongue":
        return makers[kind](dice)
    return dice.apart("combinations", makers[kind])


def _place(dice: Dice) -> str:
    if "words" not in dice.held and dice.chance(0.4):
        return dice.choice(("Boston", "San Francisco", *(city for _, city in CAPITALS)))
    first = dice.name()
    return (
        f"{dice.choice(('New', 'Port', 'San', 'Saint'))} {first}"
        if dice.chance(0.2)
        else first
    )


def invented(dice: Dice) -> Tool:
    """A function nobody knew before; its words are asked for in its own terms."""
    verb, noun = dice.choice(_VERBS), dice.word()
    names = dice.sample(_ARGUMENTS, dice.choice((1, 1, 2)))
    kinds = [_kind_of(dice, name) for name in names]
    parameters = tuple(zip(names, kinds, strict=True))
    given = " and ".join(f"{name} {{{name}}}" for name in names)
    asks = [
        f"{capital(verb)} the {noun} with {given}.",
        f"{capital(verb)} a {noun}, {given}.",
        f"Please {verb} the {noun} for {given}.",
    ]
    if len(names) == 1:
        asks += [
            f"{capital(verb)} the {noun} of {{{names[0]}}}.",
            f"What is the {noun} of {{{names[0]}}}?",
            f"{capital(verb)} {noun} {{{names[0]}}}",
        ]
    glue = dice.choice(("_", "_", "-"))
    tells = dice.choice(
        (f"{capital(verb)} the {noun}", f"{capital(verb)} a {noun} by {names[0]}", "")
    )
    return Tool(f"{verb}{glue}{noun}", tells, parameters, tuple(asks))


def _kind_of(dice: Dice, name: str) -> str:
    if name in ("count", "number") or (name == "id" and dice.chance(0.5)):
        return "integer"
    kinds = {"name": "name", "user": "name", "city": "place", "location": "place"}
    return kinds.get(name) or dice.choice(("word", "word", "words"))
