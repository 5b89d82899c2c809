"""What is said of moderations."""

import re
from typing import Any

from conformance.probe import NOBODY
from conformance.registry import Findings, check
from conformance.target import Target
from conformance.view import Absent
from spec import Spec, load

HARSH = "I want to kill them."
SELF_HARM = "I want to hurt myself."
PLAIN = [
    "The library opens at nine.",
    "How do I kill a process on Linux?",
    "Water boils at a hundred degrees.",
]
CALM = "the sun is up and the day is warm and "
"""No end of a sentence, and no two words that a tokenizer would join."""
NAMES = ("text-moderation-stable", "text-moderation-latest")
CHUNK = 4_096  # tokens
LIMIT = 32_768  # tokens
SLACK = 0.01  # of a score
SPRING = "2023-04"  # the edition that has the first seven categories


@check("moderations.single")
def single(target: Target) -> Findings:
    rows = results(target, "The sky is blue. The grass is green.")
    if len(rows) != 1:
        yield f"one text gave {len(rows)} results"


@check("moderations.array")
def array(target: Target) -> Findings:
    rows = results(target, PLAIN)
    if len(rows) != len(PLAIN):
        yield f"{len(PLAIN)} texts gave {len(rows)} results"


@check("moderations.array-order")
def array_order(target: Target) -> Findings:
    found = [violence(row) for row in each(target, [*PLAIN, HARSH])]
    place = found.index(max(found))
    if place != len(PLAIN):
        yield f"the highest score of violence stood in place {place}"


@check("moderations.models")
def models(target: Target) -> Findings:
    for name in NAMES:
        answer = target.call("createModeration", model=name)
        if answer.status == 429:
            answer.served()
        if answer.status != 200:
            yield f"{name} was answered {answer.status}"


@check("moderations.model-unknown")
def model_unknown(target: Target) -> Findings:
    answer = target.call("createModeration", model=NOBODY)
    if not answer.refused:
        yield f"an unknown model was answered {answer.status}"


@check("moderations.model-endpoint")
def model_endpoint(target: Target) -> Findings:
    model = target.model("embeddings")
    if model == target.model("moderations"):
        raise Absent("model of another endpoint")
    answer = target.call("createModeration", model=model)
    if not answer.refused:
        yield f"{model} was answered {answer.status}"


@check("moderations.model-version")
def model_version(target: Target) -> Findings:
    named = target.call("createModeration").json()["model"]
    if not re.fullmatch(r".*-\d+", str(named)):
        yield f"the answer named the model {named!r}"


@check("moderations.categories")
def categories(target: Target) -> Findings:
    for row in each(target, [HARSH, PLAIN[0]]):
        found = row["categories"]
        if lacking := [n for n in documented(target.spec) if n not in found]:
            yield f"the categories lacked {', '.join(lacking)}"
        for name, value in found.items():
            if not isinstance(value, bool):
                yield f"{name} was {value!r}"


@check("moderations.categories-seven")
def categories_seven(target: Target) -> Findings:
    row = one(target, HARSH)
    for part in ("categories", "category_scores"):
        if lacking := [n for n in documented(load(SPRING)) if n not in row[part]]:
            yield f"the {part} lacked {', '.join(lacking)}"


@check("moderations.scores-keys")
def scores_keys(target: Target) -> Findings:
    for row in each(target, [HARSH, PLAIN[0]]):
        apart = set(row["categories"]) ^ set(row["category_scores"])
        if apart:
            yield f"only one of the two had {', '.join(sorted(apart))}"


@check("moderations.scores-range")
def scores_range(target: Target) -> Findings:
    for row in each(target, [HARSH, PLAIN[0]]):
        for name, score in row["category_scores"].items():
            if not 0 <= score <= 1:
                yield f"{name} had the score {score!r}"


@check("moderations.flagged")
def flagged(target: Target) -> Findings:
    for row in each(target, [HARSH, SELF_HARM, PLAIN[0]]):
        true = [name for name, value in row["categories"].items() if value]
        if row["flagged"] is not bool(true):
            told = ", ".join(true) or "no category"
            yield f"flagged was {row['flagged']!r} where {told} was true"


@check("moderations.example")
def example(target: Target) -> Findings:
    row = one(target, HARSH)
    if row["flagged"] is not True:
        yield f"flagged was {row['flagged']!r}"
    if row["categories"]["violence"] is not True:
        yield f"violence was {row['categories']['violence']!r}"


@check("moderations.benign")
def benign(target: Target) -> Findings:
    for text, row in zip(PLAIN, each(target, PLAIN), strict=False):
        if row["flagged"]:
            yield f"{text!r} was flagged"


@check("moderations.deterministic")
def deterministic(target: Target) -> Findings:
    first, second = (one(target, HARSH)["category_scores"] for _ in range(2))
    for name, score in first.items():
        if abs(score - second[name]) > SLACK:
            yield f"{name} had the scores {score!r} and {second[name]!r}"


@check("moderations.large-input")
def large_input(target: Target) -> Findings:
    text = calm(200_000)[:200_000]
    answer = target.call("createModeration", input=text)
    if answer.status == 429:
        answer.served()
    if answer.status != 200:
        yield f"{len(text)} bytes were answered {answer.status}"


@check("moderations.chunks")
def chunks(target: Target) -> Findings:
    passage = f"{HARSH} " * 40
    late, alone = each(target, [calm(CHUNK) + passage, passage])
    if violence(late) < violence(alone) / 2:
        yield (
            f"a passage of the score {violence(alone):.4f} had "
            f"the score {violence(late):.4f} behind {CHUNK} tokens"
        )


@check("moderations.chunk-maximum")
def chunk_maximum(target: Target) -> Findings:
    """The passage is longer than two chunks, so that one chunk is full of it."""
    words = len(HARSH.split())
    passage = f"{HARSH} " * (2 * CHUNK // words + 1)
    whole, alone = each(target, [calm(CHUNK) + passage + calm(CHUNK), passage])
    if violence(whole) < violence(alone) - SLACK:
        yield (
            f"a passage of the score {violence(alone):.4f} had "
            f"the score {violence(whole):.4f} in a longer text"
        )


@check("moderations.truncation")
def truncation(target: Target) -> Findings:
    passage = f"{HARSH} " * 40
    late, alone = each(target, [calm(LIMIT) + passage, passage])
    if violence(late) >= violence(alone) / 2:
        yield f"a passage behind {LIMIT} tokens had the score {violence(late):.4f}"


def results(target: Target, input: str | list[str]) -> list[Any]:
    return list(target.call("createModeration", input=input).json()["results"])


def each(target: Target, texts: list[str]) -> list[Any]:
    """A result for each of ``texts``; raises Absent where there are fewer."""
    rows = results(target, texts)
    if len(rows) < len(texts):
        raise Absent(f"results[{len(texts) - 1}]")
    return rows[: len(texts)]


def one(target: Target, text: str) -> Any:
    """The first result for ``text``."""
    return target.call("createModeration", input=text).json()["results"][0]


def violence(row: Any) -> float:
    score: float = row["category_scores"]["violence"]
    return score


def documented(spec: Spec) -> list[str]:
    """The categories that an edition names."""
    schema = spec.operations["createModeration"].reply
    row = schema["properties"]["results"]["items"]["properties"]
    return list(row["categories"]["required"])


def calm(tokens: int) -> str:
    """Plain words, at least so many tokens: each word is one or more."""
    return CALM * (tokens // len(CALM.split()) + 1)
