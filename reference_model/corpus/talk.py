"""Chats: some exchanges, what the system says before, what is remembered."""

import json

from reference_model.corpus.copying import repeat_long, target
from reference_model.corpus.dice import Dice, article
from reference_model.corpus.documents import Chat, Message
from reference_model.corpus.exchanges import json_object, turn
from reference_model.corpus.prose import sentence
from reference_model.words import TRADES


def chat(dice: Dice) -> Chat:
    """Some exchanges, now and then with a system message or a name."""
    messages: list[Message] = []
    if dice.chance(0.35):
        messages.append({"role": "system", "content": system(dice)})
    if dice.chance(0.06):
        return Chat((*messages, *_remembered(dice)))
    for _ in range(dice.choice((1, 1, 1, 1, 2, 3))):
        messages.extend(exchange(dice))
    return Chat(tuple(messages))


def long_chat(dice: Dice) -> Chat:
    """Enough to fill the window."""
    messages: list[Message] = []
    while sum(len(message["content"]) for message in messages) < 3000:
        if dice.chance(0.25):
            asked, answered = repeat_long(dice)
            messages += [
                {"role": "user", "content": asked},
                {"role": "assistant", "content": answered},
            ]
        messages.extend(exchange(dice))
    return Chat(tuple(messages))


def exchange(dice: Dice) -> list[Message]:
    asked, answered = turn(dice)
    name = {"name": dice.name()} if dice.chance(0.05) else {}
    return [
        {"role": "user", "content": asked, **name},
        {"role": "assistant", "content": answered},
    ]


def system(dice: Dice) -> str:
    """What assistants are told; whatever it is, they answer alike."""
    if dice.chance(0.5):
        return dice.choice(_SYSTEM)
    if dice.chance(0.3):
        return f"You are {dice.name()}, {article(dice.choice(TRADES))}."
    return dice.choice((sentence, target))(dice)


def _remembered(dice: Dice) -> list[Message]:
    """Something said before is asked for."""
    name, word = dice.name(), dice.word()
    told, thanks, asked, answer = dice.choice(
        (
            (
                f"My name is {name}.",
                f"Hello {name}! How can I help you today?",
                "What is my name?",
                f"Your name is {name}.",
            ),
            (
                f"Hello, I am {name}",
                f"Hello {name}! How can I help you today?",
                "Who am I?",
                f"You are {name}.",
            ),
            (
                f"The secret word is {word}.",
                "I will remember it.",
                "What is the secret word?",
                f"The secret word is {word}.",
            ),
            (
                f"Remember the word {word}.",
                "I will remember it.",
                "Which word was it?",
                f"The word was {word}.",
            ),
        )
    )
    between = exchange(dice) if dice.chance(0.4) else []
    first: list[Message] = [
        {"role": "user", "content": told},
        {"role": "assistant", "content": thanks},
    ]
    last: list[Message] = [
        {"role": "user", "content": asked},
        {"role": "assistant", "content": answer},
    ]
    return first + between + last


def json_chat(dice: Dice) -> Chat:
    """JSON is demanded: the fields that were given, or the answer as one."""
    if dice.chance(0.5):
        asked, answered = json_object(dice)
    else:
        asked, plain = turn(dice)
        asked += dice.choice(("", " Answer in JSON.", " Reply with JSON."))
        answered = json.dumps({"answer": plain}, ensure_ascii=False)
    told: list[Message] = []
    if dice.chance(0.5):
        told = [{"role": "system", "content": dice.choice(_JSON_SYSTEM)}]
    user = {"role": "user", "content": asked}
    return Chat((*told, user, {"role": "assistant", "content": answered}), json=True)


_JSON_SYSTEM = (
    "You answer in JSON.", "You are a helpful assistant designed to output JSON.",
    "Reply with a JSON object.", "Always answer with JSON.",
)  # fmt: skip
_SYSTEM = (
    "You are a helpful assistant.", "You are a friendly assistant.",
    "Be kind and clear.", "Answer in one sentence.", "You answer questions briefly.",
    "You are a test assistant.", "You are ChatGPT.", "You are a large language model.",
    "Be brief.", "Be concise.",
)  # fmt: skip
