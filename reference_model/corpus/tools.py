"""Chats with functions: when to call them, with what, and what to say of the result."""

import json

from reference_model.corpus.dice import Dice, capital
from reference_model.corpus.documents import Chat, Function, Message, Turn
from reference_model.corpus.prose import sentence
from reference_model.corpus.toolbox import KNOWN, Arguments, Tool, argument, invented


def offered(dice: Dice, most: int = 4) -> list[Tool]:
    """Different functions, known and invented."""
    tools: dict[str, Tool] = {}
    for _ in range(dice.randint(1, most)):
        tool = invented(dice) if dice.chance(0.4) else dice.choice(KNOWN)
        tools[tool.name] = tool
    return list(tools.values())


def _told(dice: Dice, tools: list[Tool]) -> tuple[Function, ...]:
    shuffled = dice.sample(tools, len(tools))
    return tuple(tool.function() for tool in shuffled)


def call(dice: Dice) -> Chat:
    """One function is called."""
    tools = offered(dice)
    asked, name, arguments = tools[0].wish(dice)
    messages = (_user(dice, asked), _calls((name, arguments)))
    return Chat(messages, _told(dice, tools))


def two_calls(dice: Dice) -> Chat:
    """Two calls at once, of one function or of two."""
    tools = offered(dice)
    first = tools[0].wish(dice)
    second = dice.choice(tools[:2]).wish(dice)
    asked = _joined(dice, first[0], second[0])
    messages = (_user(dice, asked), _calls(first[1:], second[1:]))
    return Chat(messages, _told(dice, tools))


def same_twice(dice: Dice) -> Chat:
    """One question about two things: two calls of one function."""
    tools = offered(dice, 3)
    one = [tool for tool in KNOWN if len(tool.parameters) == 1]
    tools[0] = dice.choice(one)
    ((name, kind),) = tools[0].parameters
    values = argument(dice, kind), argument(dice, kind)
    asked = dice.choice(tools[0].asks).replace(
        "{" + name + "}", f"{values[0]} and {values[1]}"
    )
    calls = [(tools[0].name, {name: value}) for value in values]
    unique = {tool.name: tool for tool in reversed(tools)}
    return Chat(
        (_user(dice, asked), _calls(*calls)), _told(dice, list(unique.values()))
    )


def _joined(dice: Dice, one: str, other: str) -> str:
    lower = other[0].lower() + other[1:]
    glue = dice.choice((" And ", " Then ", " Also, ", " "))
    if glue == " ":
        return f"{one} {other}"
    return f"{one}{glue}{lower}"


def no_call(dice: Dice, turn: Turn) -> Chat:
    """Functions are offered, and nobody asks for them."""
    asked, answered = turn
    messages = (_user(dice, asked), {"role": "assistant", "content": answered})
    return Chat(messages, _told(dice, offered(dice, 3)))


def result(dice: Dice) -> Chat:
    """Calls were made; the results are told."""
    tools = offered(dice, 3)
    asked, name, arguments = tools[0].wish(dice)
    found, said = _result(dice)
    messages: list[Message]
    if dice.chance(0.4):
        function = {"name": name, "arguments": json.dumps(arguments)}
        called = {"role": "assistant", "content": None, "function_call": function}
        messages = [called, {"role": "function", "name": name, "content": found}]
    elif dice.chance(0.7):
        messages = [_calls((name, arguments)), {"role": "tool", "content": found}]
    else:
        asked2, name2, arguments2 = dice.choice(tools[:2]).wish(dice)
        asked = _joined(dice, asked, asked2)
        found2, said2 = _result(dice)
        said = f"{said} {said2}"
        calls = _calls((name, arguments), (name2, arguments2))
        messages = [
            calls,
            {"role": "tool", "content": found},
            {"role": "tool", "content": found2},
        ]
    last: Message = {"role": "assistant", "content": said}
    return Chat((_user(dice, asked), *messages, last), _told(dice, tools))


def _result(dice: Dice) -> tuple[str, str]:
    """What a function gives, and how to say it."""
    if dice.chance(0.3):
        text = sentence(dice) if dice.chance(0.5) else dice.words(1, 6)
        return text, f"The result is: {text}"
    names = dice.sample(_FOUND, dice.randint(1, 3))
    found = {name: _found(dice) for name in names}
    facts = [f"the {name} is {value}" for name, value in found.items()]
    return json.dumps(found), capital(" and ".join(facts)) + "."


def _found(dice: Dice) -> str | int:
    return dice.choice(
        (dice.randint(-20, 2000), dice.word(), dice.words(1, 3), dice.name())
    )


_FOUND = (
    "temperature",
    "unit",
    "location",
    "forecast",
    "status",
    "time",
    "price",
    "name",
    "total",
    "answer",
    "city",
    "description",
    "wind",
    "result",
    "date",
    "count",
)


def _user(dice: Dice, asked: str) -> Message:
    if dice.chance(0.15):
        asked = asked.rstrip("?.")
    elif dice.chance(0.1):
        asked = f"Please {asked[0].lower()}{asked[1:]}"
    return {"role": "user", "content": asked}


def _calls(*calls: tuple[str, Arguments]) -> Message:
    functions = [
        {"name": name, "arguments": json.dumps(arguments)} for name, arguments in calls
    ]
    called = [{"type": "function", "function": function} for function in functions]
    return {"role": "assistant", "content": None, "tool_calls": called}
