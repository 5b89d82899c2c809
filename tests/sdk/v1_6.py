"""Drives every operation with the library as it is since the end of 2023."""

from openai import OpenAI
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

CLIENT = OpenAI(base_url=BASE_URL, api_key="sk-test", max_retries=0)
EMBEDDING = {"model": "text-embedding-ada-002"}


def models() -> None:
    tell("listed", sorted(model.id for model in CLIENT.models.list()))
    tell("model", CLIENT.models.retrieve("gpt-3.5-turbo").id)
    tell("tuned", CLIENT.models.retrieve(TUNED).id)
    tell("deleted", CLIENT.models.delete(TUNED).deleted)
    tell("gone", fault(lambda: CLIENT.models.retrieve(TUNED)))


def completions() -> None:
    def create(**more):
        request = {"model": "text-davinci-003", "prompt": PROMPT, **GREEDY, **more}
        return CLIENT.completions.create(**request)

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
        return CLIENT.chat.completions.create(**request)

    whole = create(n=2)
    tell("chat", [choice.message.content for choice in whole.choices])
    tell("chat model", whole.model)
    choices = [chunk.choices[0] for chunk in create(n=2, stream=True)]
    tell("chat stream", joined((one.index, one.delta.content) for one in choices))


def embeddings() -> None:
    for name, value in (
        ("text", PROMPT),
        ("texts", [PROMPT, "Hello"]),
        ("tokens", [1212, 318, 257]),
    ):
        reply = CLIENT.embeddings.create(input=value, **EMBEDDING)
        tell(f"embedding of {name}", [one.embedding[:4] for one in reply.data])


def moderations() -> None:
    result = CLIENT.moderations.create(input="I want to kill them.").results[0]
    tell("moderation", [result.flagged, result.categories.violence])


def faults() -> None:
    def embed(client=CLIENT, **more):
        return client.embeddings.create(**{"input": "hi", **EMBEDDING, **more})

    limited = CLIENT.with_options(api_key=limited_key())
    tell("no such model", fault(lambda: embed(model="nope")))
    tell("no input", fault(lambda: embed(input="")))
    tell("rate limit", fault(lambda: embed(limited)))
    for name in ("server-fault", "overloaded", "no-organization"):
        control("fault", "sk-test", refusal=name)
        tell(name, fault(embed))


def main() -> None:
    for act in (models, completions, chat, embeddings, moderations, faults):
        act()


if __name__ == "__main__":
    main()
