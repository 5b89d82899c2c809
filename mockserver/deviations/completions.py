"""Faults of completions alone: prompts, log probabilities, echo, candidates."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from mockserver.deviation import Body, Deviation
from mockserver.faults import (
    body_of,
    changed,
    forgiven,
    refused_if,
    scores,
    sent,
    summed,
    with_choices,
    without,
)
from mockserver.reply import Reply
from spec import Operation

Json = Any
OPERATION = ("createCompletion",)


def is_list(body: Body) -> bool:
    return isinstance(body.get("prompt"), list)


def is_tokens(body: Body) -> bool:
    prompt = body.get("prompt")
    return isinstance(prompt, list) and bool(prompt) and not isinstance(prompt[0], str)


def is_token_arrays(body: Body) -> bool:
    return is_tokens(body) and isinstance(body["prompt"][0], list)


def last_prompt(prompt: Any) -> Any:
    several = isinstance(prompt, list) and not isinstance(prompt[0], int)
    return prompt[-1] if several else prompt


def answered(change: Any) -> Any:
    """Changes the body of an answer, knowing what was asked."""

    def seam(asked: Body, reply: Reply) -> Reply:
        return replace(reply, body=change(asked, reply.body))

    return seam


def prompts(asked: Body) -> int:
    return len(asked["prompt"]) if is_list(asked) else 1


def n_for_one_prompt(asked: Body, body: Json) -> Json:
    if prompts(asked) < 2:
        return body
    return {**body, "choices": body["choices"][: prompts(asked)]}


def n_in_turns(asked: Body, body: Json) -> Json:
    """Puts the first choices of all prompts before the second ones."""
    n = asked.get("n") or 1
    found = body["choices"]
    order = [found[place * n + k] for k in range(n) for place in range(len(found) // n)]
    return {**body, "choices": [{**c, "index": i} for i, c in enumerate(order)]}


def prompts_for_each_choice(asked: Body, body: Json) -> Json:
    usage = body["usage"]
    counted = usage["prompt_tokens"] * (asked.get("n") or 1)
    return {**body, "usage": summed({**usage, "prompt_tokens": counted})}


def suffix_repeated(asked: Body, body: Json) -> Json:
    suffix = asked.get("suffix") or ""
    return {
        **body,
        "choices": [
            {**choice, "text": choice["text"] + suffix} for choice in body["choices"]
        ],
    }


def gap_after_echo(asked: Body, body: Json) -> Json:
    """Puts a space between the prompt and what follows."""
    if not asked.get("echo") or not isinstance(asked.get("prompt"), str):
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
    if not asked.get("echo"):
        return body

    def rest(found: Json) -> Json:
        keep = asked.get("max_tokens", 16)
        return {
            name: values and values[len(values) - keep :]
            for name, values in found.items()
        }

    return {**body, "choices": [scores(rest)(c) for c in body["choices"]]}


def echo_off_by_one(asked: Body, body: Json) -> Json:
    if not asked.get("echo"):
        return body

    def shifted(found: Json) -> Json:
        values = found["token_logprobs"]
        return {**found, "token_logprobs": [None, None, *values[1:-1]][: len(values)]}

    return {**body, "choices": [scores(shifted)(c) for c in body["choices"]]}


def usage_of_all(asked: Body, body: Json) -> Json:
    usage = body["usage"]
    factor = (asked.get("best_of") or 1) // (asked.get("n") or 1)
    tokens = usage["completion_tokens"] * max(1, factor)
    return {**body, "usage": summed({**usage, "completion_tokens": tokens})}


def one_more_prompt_token(body: Json) -> Json:
    usage = body["usage"]
    return {
        **body,
        "usage": summed({**usage, "prompt_tokens": usage["prompt_tokens"] + 1}),
    }


def cut_silently(operation: Operation, body: Body) -> Body:
    """Cuts a prompt and max_tokens down to what fits."""
    short = dict(body)
    if is_tokens(body) and len(body["prompt"]) > 2000:
        short["prompt"] = body["prompt"][-1000:]
    if isinstance(body.get("max_tokens"), int) and body["max_tokens"] > 2000:
        short["max_tokens"] = 8
    return short


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


def prompt_in_completion(body: Json) -> Json:
    """Counts what was computed, which begins with the prompt."""
    usage = body["usage"]
    return {
        **body,
        "usage": summed({**usage, "completion_tokens": usage["total_tokens"]}),
    }


def in_blocks(count: int) -> int:
    """Rounds up to whole blocks of 8."""
    return -(-count // 8) * 8


def end_bias_dropped(operation: Operation, body: Body) -> Body:
    bias = body.get("logit_bias")
    if not isinstance(bias, dict) or bias.get("50256") != -100:
        return body
    return {**body, "logit_bias": without(bias, "50256")}


def filtered_as_length(choice: Json) -> Json:
    cut = choice["finish_reason"] == "content_filter"
    return {**choice, "finish_reason": "length"} if cut else choice


def null_stop_as_period(operation: Operation, body: Body) -> Body:
    if "stop" in body and body["stop"] is None:
        return {**body, "stop": [" ", "e", "."]}
    return body


def _allowed(most: int) -> Callable[[Operation, Body], Body]:
    """Lets any model make this many tokens."""

    def seam(operation: Operation, body: Body) -> Body:
        count = body.get("max_tokens")
        asked_much = isinstance(count, int) and 3000 < count <= most
        return {**body, "max_tokens": 8} if asked_much else body

    return seam


fault = partial(Deviation, operations=OPERATION)


def _named(name: str, clause: str, *also: str, **seams: Any) -> Deviation:
    patterns = tuple(p if "." in p else f"completions.{p}" for p in also)
    return fault(f"completions.{name}", f"completions.{clause}", also=patterns, **seams)


DEVIATIONS = (
    _named(
        "no-choices",
        "has-choices",
        "*",
        on_reply=body_of(lambda body: {**body, "choices": []}),
    ),
    _named(
        "choice-without-finish-reason",
        "choice-fields",
        on_reply=with_choices(lambda choice: without(choice, "finish_reason")),
    ),
    _named(
        "choice-without-logprobs",
        "choice-fields",
        "logprobs-*",
        on_reply=with_choices(lambda choice: without(choice, "logprobs")),
    ),
    _named(
        "max-tokens-in-blocks",
        "max-tokens-bound",
        "max-tokens-*",
        "usage-all-choices",
        "*-usage",
        "logit-bias-*",
        "context-reached",
        on_request=changed(max_tokens=in_blocks),
    ),
    _named(
        "prompt-in-completion",
        "example",
        "*-usage",
        "api.*-usage",
        "usage-*",
        "max-tokens-*",
        on_reply=body_of(prompt_in_completion),
    ),
    _named(
        "chat-model-served",
        "chat-model-refused",
        on_refusal=forgiven("not-completion-model"),
    ),
    _named(
        "model-unnamed",
        "model-named",
        "api.model-header",
        on_reply=body_of(lambda body: {**body, "model": "default"}),
    ),
    _named(
        "prompt-demanded",
        "prompt-absent",
        "prompt-default",
        "fuzz-valid",
        on_body=refused_if(lambda body: body.get("prompt") is None),
    ),
    _named(
        "prompt-greeting",
        "prompt-default",
        on_request=changed(prompt=lambda p: "Hello" if p == "<|endoftext|>" else p),
    ),
    _named(
        "prompt-doubled",
        "prompt-text",
        "*",
        on_request=changed(prompt=lambda p: [p, p] if isinstance(p, str) else p),
    ),
    _named(
        "last-prompt-only",
        "prompt-texts",
        "n-each-prompt",
        "n-order",
        "prompt-token-arrays",
        "usage-prompts",
        "logit-bias-ban",
        on_request=changed(prompt=last_prompt),
    ),
    _named(
        "tokens-refused",
        "prompt-tokens",
        "prompt-token*",
        "usage-prompts",
        "penalties-*",
        "context-*",
        "logit-bias-ban",
        "fuzz-valid",
        on_body=refused_if(is_tokens),
    ),
    _named(
        "token-arrays-refused",
        "prompt-token-arrays",
        "usage-prompts",
        "logit-bias-ban",
        "fuzz-valid",
        on_body=refused_if(is_token_arrays),
    ),
    _named(
        "start-token-counted",
        "prompt-tokens-usage",
        "usage-prompts",
        "api.*-usage",
        on_reply=body_of(one_more_prompt_token),
    ),
    _named(
        "suffix-ignored",
        "suffix-reaches-model",
        on_request=changed(suffix=lambda _: None),
    ),
    _named(
        "suffix-repeated", "suffix-not-repeated", on_answer=answered(suffix_repeated)
    ),
    _named("max-tokens-128", "max-tokens-default", on_body=sent(max_tokens=128)),
    _named("context-cut", "context-exceeded", "context-*", on_body=cut_silently),
    _named(
        "context-one-less",
        "context-reached",
        on_body=refused_if(
            lambda body: is_tokens(body) and len(body["prompt"]) >= 4095
        ),
    ),
    _named("contexts-of-8192", "context-older", "context-*", on_body=_allowed(8191)),
    _named("contexts-of-4250", "context-newest", "context-*", on_body=_allowed(4250)),
    _named(
        "n-two",
        "n-default",
        "*",
        on_body=lambda operation, body: (
            body if "n" in body or "best_of" in body else {**body, "n": 2}
        ),
    ),
    _named(
        "n-for-one-prompt",
        "n-each-prompt",
        "n-order",
        on_answer=answered(n_for_one_prompt),
    ),
    _named("n-in-turns", "n-order", on_answer=answered(n_in_turns)),
    _named(
        "prompts-counted-n-times",
        "usage-prompts",
        on_answer=answered(prompts_for_each_choice),
    ),
    _named("logprobs-always", "logprobs-absent", on_body=sent(logprobs=1)),
    _named(
        "logprobs-dropped",
        "logprobs-count",
        "logprobs-*",
        on_request=changed(logprobs=lambda _: None),
    ),
    _named(
        "logprobs-as-in-chat",
        "logprobs-count",
        "logprobs-*",
        on_reply=with_choices(scores(as_in_chat)),
    ),
    _named(
        "logprobs-infinite",
        "logprobs-negative",
        "logprobs-*",
        on_reply=with_choices(scores(unclamped)),
    ),
    _named(
        "logprobs-one-more",
        "logprobs-at-most",
        on_request=changed(logprobs=lambda k: k + 1 if k else k),
    ),
    _named(
        "logprobs-likeliest-listed",
        "logprobs-sampled",
        "logprobs-*",
        on_reply=with_choices(scores(likeliest_listed)),
    ),
    _named(
        "logprobs-likeliest-named",
        "logprobs-text",
        "logprobs-sampled",
        "echo-*",
        on_reply=with_choices(scores(likeliest_named)),
    ),
    _named(
        "logprobs-as-probabilities",
        "logprobs-negative",
        "logprobs-*",
        "echo-*",
        "logit-bias-scale",
        "*penalt*",
        on_reply=each_score(math.exp),
    ),
    _named(
        "logprobs-not-normal",
        "logprobs-mass",
        "logprobs-streamed",
        "echo-*",
        on_reply=each_score(lambda value: min(0.0, value + 2)),
    ),
    _named(
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
    _named(
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
    _named(
        "logprobs-short-offsets",
        "logprobs-lengths",
        "logprobs-offset",
        on_reply=with_choices(scores(one_offset_short)),
    ),
    _named(
        "logprobs-own-offsets",
        "logprobs-offset",
        on_reply=with_choices(scores(offsets_from_completion)),
    ),
    _named(
        "logprobs-zero-off",
        "logprobs-zero",
        on_request=changed(logprobs=lambda k: k or None),
    ),
    _named(
        "logprobs-first-repeated",
        "logprobs-streamed",
        on_events=first_alternatives_repeated,
    ),
    _named("echo-always", "echo-default", "*", on_request=changed(echo=lambda _: True)),
    _named(
        "echo-never",
        "echo",
        "echo-*",
        "n-order",
        "prompt-texts",
        "logit-bias-ban",
        on_request=changed(echo=lambda _: False),
    ),
    _named("echo-gap", "echo-completes", on_answer=answered(gap_after_echo)),
    _named(
        "echo-scoring-refused",
        "echo-scoring",
        "echo-*",
        "max-tokens-minimum",
        "logit-bias-ban",
        on_body=refused_if(lambda body: body.get("max_tokens") == 0),
    ),
    _named(
        "echo-unscored", "echo-logprobs", "echo-*", on_answer=answered(echo_unscored)
    ),
    _named(
        "echo-first-scored",
        "echo-first-null",
        on_reply=with_choices(scores(first_scored)),
    ),
    _named(
        "echo-off-by-one", "echo-equals-generation", on_answer=answered(echo_off_by_one)
    ),
    _named(
        "filtered-as-length",
        "content-filter",
        "safety.blocklist-finish",
        on_reply=with_choices(filtered_as_length),
    ),
    _named("stop-null-as-period", "stop-null", on_body=null_stop_as_period),
    _named(
        "best-of-all-returned",
        "best-of-returns-n",
        "best-of-ranking",
        "best-of-independent",
        "n-default",
        on_request=lambda request: replace(request, n=max(request.n, request.best_of)),
    ),
    _named(
        "best-of-ignored",
        "best-of-usage",
        "best-of-ranking",
        "best-of-independent",
        on_request=lambda request: replace(request, best_of=request.n),
    ),
    _named(
        "best-of-first",
        "best-of-ranking",
        "best-of-independent",
        on_request=lambda request: replace(request, best_of=request.n),
        on_answer=answered(usage_of_all),
    ),
    _named("end-bias-dropped", "logit-bias-end", on_body=end_bias_dropped),
)
