"""Faults of the log probabilities of completions, and of prompts that are echoed."""

import math
from collections.abc import Callable, Iterator
from typing import Any

from mockserver.deviation import Body
from mockserver.deviations.completions import answered, named
from mockserver.faults import changed, refused_if, scores, sent, with_choices
from mockserver.reply import Reply

Json = Any


def echoed(change: Callable[[Body, Json], Json]) -> Callable[[Body, Reply], Reply]:
    """Changes the body of an answer that begins with its prompt."""
    return answered(
        lambda asked, body: change(asked, body) if asked.get("echo") else body
    )


def gap_after_echo(asked: Body, body: Json) -> Json:
    """Puts a space between the prompt and what follows."""
    if not isinstance(asked.get("prompt"), str):
        return body
    cut = len(asked["prompt"])
    return {
        **body,
        "choices": [
            {
                **c,
                "text": f"{c['text'][:cut]} {c['text'][cut:]}"
                if c["text"][cut:]
                else c["text"],
            }
            for c in body["choices"]
        ],
    }


def echo_unscored(asked: Body, body: Json) -> Json:
    """Leaves the prompt's tokens out of the log probabilities."""

    def rest(found: Json) -> Json:
        keep = asked.get("max_tokens", 16)
        return {
            name: values and values[len(values) - keep :]
            for name, values in found.items()
        }

    return {**body, "choices": [scores(rest)(c) for c in body["choices"]]}


def echo_off_by_one(asked: Body, body: Json) -> Json:
    def shifted(found: Json) -> Json:
        values = found["token_logprobs"]
        return {**found, "token_logprobs": [None, None, *values[1:-1]][: len(values)]}

    return {**body, "choices": [scores(shifted)(c) for c in body["choices"]]}


def likeliest_listed(found: Json) -> Json:
    """Lists the likeliest tokens and forgets the sampled one."""
    rows = [
        row and dict([max(row.items(), key=lambda item: item[1])])
        for row in found["top_logprobs"] or ()
    ]
    return {**found, "top_logprobs": rows or None}


def likeliest_named(found: Json) -> Json:
    """Names the likeliest token of each place as the one that was sampled."""
    if not found["top_logprobs"]:
        return found
    best = [
        max(row.items(), key=lambda item: item[1]) if row else None
        for row in found["top_logprobs"]
    ]
    return {
        **found,
        "tokens": [
            b[0] if b else t for b, t in zip(best, found["tokens"], strict=True)
        ],
        "token_logprobs": [b and b[1] for b in best],
    }


def each_score(change: Any) -> Any:
    """Changes every log probability of a choice."""

    def seam(found: Json) -> Json:
        return {
            **found,
            "token_logprobs": [
                v if v is None else change(v) for v in found["token_logprobs"]
            ],
            "top_logprobs": found["top_logprobs"]
            and [
                row and {k: change(v) for k, v in row.items()}
                for row in found["top_logprobs"]
            ],
        }

    return with_choices(scores(seam))


def sampled_too_low(found: Json) -> Json:
    lowered = [None if v is None else v - 5 for v in found["token_logprobs"]]
    rows = found["top_logprobs"] and [
        row and {**row, token: value}
        for row, token, value in zip(
            found["top_logprobs"], found["tokens"], lowered, strict=True
        )
    ]
    return {**found, "token_logprobs": lowered, "top_logprobs": rows}


def one_offset_short(found: Json) -> Json:
    return {**found, "text_offset": found["text_offset"][:-1]}


def offsets_from_completion(found: Json) -> Json:
    start = found["text_offset"][0] if found["text_offset"] else 0
    return {**found, "text_offset": [place - start for place in found["text_offset"]]}


def first_scored(found: Json) -> Json:
    values = found["token_logprobs"]
    return {**found, "token_logprobs": [values[0] or 0.0, *values[1:]]}


def first_alternatives_repeated(items: Iterator[Any]) -> Iterator[Any]:
    first: Json = None
    for item in items:
        if not isinstance(item, str) and "choices" in item:  # else a fault is told
            found = item["choices"][0]["logprobs"]
            if found and found["top_logprobs"]:
                first = first or found["top_logprobs"][0]
                found["top_logprobs"] = [first for _ in found["top_logprobs"]]
        yield item


def as_in_chat(found: Json) -> Json:
    """Gives the log probabilities in the form of a later edition's chat."""
    pairs = zip(found["tokens"], found["token_logprobs"], strict=True)
    return {"content": [{"token": token, "logprob": value} for token, value in pairs]}


def unclamped(found: Json) -> Json:
    """Gives minus infinity for what is very unlikely."""
    rows = [row and {**row, "zzz": -math.inf} for row in found["top_logprobs"] or ()]
    return {**found, "top_logprobs": rows or None}


DEVIATIONS = (
    named("logprobs-always", "logprobs-absent", on_body=sent(logprobs=1)),
    named(
        "logprobs-dropped",
        "logprobs-count",
        "logprobs-*",
        on_request=changed(logprobs=lambda _: None),
    ),
    named(
        "logprobs-as-in-chat",
        "logprobs-count",
        "logprobs-*",
        on_reply=with_choices(scores(as_in_chat)),
    ),
    named(
        "logprobs-infinite",
        "logprobs-negative",
        "logprobs-*",
        on_reply=with_choices(scores(unclamped)),
    ),
    named(
        "logprobs-one-more",
        "logprobs-at-most",
        on_request=changed(logprobs=lambda k: k + 1 if k else k),
    ),
    named(
        "logprobs-likeliest-listed",
        "logprobs-sampled",
        "logprobs-*",
        on_reply=with_choices(scores(likeliest_listed)),
    ),
    named(
        "logprobs-likeliest-named",
        "logprobs-text",
        "logprobs-sampled",
        "echo-*",
        on_reply=with_choices(scores(likeliest_named)),
    ),
    named(
        "logprobs-as-probabilities",
        "logprobs-negative",
        "logprobs-*",
        "echo-*",
        "logit-bias-scale",
        "*penalt*",
        on_reply=each_score(math.exp),
    ),
    named(
        "logprobs-not-normal",
        "logprobs-mass",
        "logprobs-streamed",
        "echo-*",
        on_reply=each_score(lambda value: min(0.0, value + 2)),
    ),
    named(
        "logprobs-sampled-too-low",
        "logprobs-greedy",
        "logprobs-streamed",
        "logprobs-temperature",
        "logprobs-penalised",
        "echo-*",
        "*penalt*",
        "logit-bias-scale",
        on_reply=with_choices(scores(sampled_too_low)),
    ),
    named(
        "logprobs-likeliest-instead",
        "logprobs-text",
        "logprobs-*",
        "echo-*",
        on_reply=with_choices(
            scores(
                lambda found: {
                    **found,
                    "tokens": [token + " " for token in found["tokens"]],
                }
            )
        ),
    ),
    named(
        "logprobs-short-offsets",
        "logprobs-lengths",
        "logprobs-offset",
        on_reply=with_choices(scores(one_offset_short)),
    ),
    named(
        "logprobs-own-offsets",
        "logprobs-offset",
        on_reply=with_choices(scores(offsets_from_completion)),
    ),
    named(
        "logprobs-zero-off",
        "logprobs-zero",
        on_request=changed(logprobs=lambda k: k or None),
    ),
    named(
        "logprobs-first-repeated",
        "logprobs-streamed",
        on_events=first_alternatives_repeated,
    ),
    named("echo-always", "echo-default", "*", on_request=changed(echo=lambda _: True)),
    named(
        "echo-never",
        "echo",
        "echo-*",
        "n-order",
        "prompt-texts",
        "logit-bias-ban",
        on_request=changed(echo=lambda _: False),
    ),
    named("echo-gap", "echo-completes", on_answer=echoed(gap_after_echo)),
    named(
        "echo-scoring-refused",
        "echo-scoring",
        "echo-*",
        "max-tokens-minimum",
        "logit-bias-ban",
        on_body=refused_if(lambda body: body.get("max_tokens") == 0),
    ),
    named("echo-unscored", "echo-logprobs", "echo-*", on_answer=echoed(echo_unscored)),
    named(
        "echo-first-scored",
        "echo-first-null",
        on_reply=with_choices(scores(first_scored)),
    ),
    named(
        "echo-off-by-one", "echo-equals-generation", on_answer=echoed(echo_off_by_one)
    ),
)
