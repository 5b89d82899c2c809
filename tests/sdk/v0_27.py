"""Drives every operation with the library of spring 2023."""

import openai
from telling import (
    BASE_URL,
    GREEDY,
    MESSAGES,
    PROMPT,
    TUNED,
    control,
    fault,
    joined,
    limited_key,
    tell,
)

openai.api_base, openai.api_key = BASE_URL, "sk-test"
EMBEDDING = {"model": "text-embedding-ada-002"}


def models() -> None:
    tell("listed", sorted(model.id for model in openai.Model.list().data))
    tell("model", openai.Model.retrieve("gpt-3.5-turbo").id)
    tell("tuned", openai.Model.retrieve(TUNED).id)
    tell("deleted", openai.Model.delete(TUNED).deleted)
    tell("gone", fault(lambda: openai.Model.retrieve(TUNED)))


def completions() -> None:
    def create(**more):
        request = {"model": "text-davinci-003", "prompt": PROMPT, **GREEDY, **more}
        return openai.Completion.create(**request)

    whole = create()
    tell("completion", [choice.text for choice in whole.choices])
    tell("completion usage", whole.usage.total_tokens)
    choices = [chunk.choices[0] for chunk in create(stream=True)]
    tell("completion stream", joined((one.index, one.text) for one in choices))
    several = create(prompt=[PROMPT, "Hello"], n=2, logprobs=1)
    tell("completion choices", [choice.index for choice in several.choices])


def chat() -> None:
    def create(**more):
        request = {"model": "gpt-3.5-turbo", "messages": MESSAGES, **GREEDY, **more}
        return openai.ChatCompletion.create(**request)

    whole = create(n=2)
    tell("chat", [choice.message.content for choice in whole.choices])
    tell("chat model", whole.model)
    choices = [chunk.choices[0] for chunk in create(n=2, stream=True)]
    parts = ((one.index, one.delta.get("content")) for one in choices)
    tell("chat stream", joined(parts))


def embeddings() -> None:
    for name, value in (
        ("text", PROMPT),
        ("texts", [PROMPT, "Hello"]),
        ("tokens", [1212, 318, 257]),
    ):
        reply = openai.Embedding.create(input=value, **EMBEDDING)
        tell(f"embedding of {name}", [list(one.embedding[:4]) for one in reply.data])


def moderations() -> None:
    result = openai.Moderation.create(input="I want to kill them.").results[0]
    tell("moderation", [result.flagged, result.categories.violence])


def faults() -> None:
    def embed(key="sk-test", **more):
        request = {"input": "hi", **EMBEDDING, **more}
        return openai.Embedding.create(api_key=key, **request)

    limited = limited_key()
    tell("no such model", fault(lambda: embed(model="nope")))
    tell("no input", fault(lambda: embed(input="")))
    tell("rate limit", fault(lambda: embed(limited)))
    for name in ("server-fault", "overloaded", "no-organization"):
        control("fault", "sk-test", refusal=name)
        tell(name, fault(embed))


for act in (models, completions, chat, embeddings, moderations, faults):
    act()
