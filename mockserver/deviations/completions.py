"""Faults of completions alone: prompts, suffixes, bounds, candidates."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from mockserver.deviation import Body, Deviation
from mockserver.faults import (
    body_of,
    changed,
    forgiven,
    refused_if,
    sent,
    summed,
    with_choices,
    with_usage,
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


def answered(change: Callable[[Body, Json], Json]) -> Callable[[Body, Reply], Reply]:
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


def usage_of_all(asked: Body, body: Json) -> Json:
    usage = body["usage"]
    factor = (asked.get("best_of") or 1) // (asked.get("n") or 1)
    tokens = usage["completion_tokens"] * max(1, factor)
    return {**body, "usage": summed({**usage, "completion_tokens": tokens})}


def one_more_prompt_token(usage: Json) -> Json:
    return {**usage, "prompt_tokens": usage["prompt_tokens"] + 1}


def cut_silently(operation: Operation, body: Body) -> Body:
    """Cuts a prompt and max_tokens down to what fits."""
    short = dict(body)
    if is_tokens(body) and len(body["prompt"]) > 2000:
        short["prompt"] = body["prompt"][-1000:]
    if isinstance(body.get("max_tokens"), int) and body["max_tokens"] > 2000:
        short["max_tokens"] = 8
    return short


def prompt_in_completion(usage: Json) -> Json:
    """Counts what was computed, which begins with the prompt."""
    return {**usage, "completion_tokens": usage["total_tokens"]}


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


def named(name: str, clause: str, *also: str, **seams: Any) -> Deviation:
    patterns = tuple(p if "." in p else f"completions.{p}" for p in also)
    return fault(f"completions.{name}", f"completions.{clause}", also=patterns, **seams)


DEVIATIONS = (
    named(
        "no-choices",
        "has-choices",
        "*",
        on_reply=body_of(lambda body: {**body, "choices": []}),
    ),
    named(
        "choice-without-finish-reason",
        "choice-fields",
        on_reply=with_choices(lambda choice: without(choice, "finish_reason")),
    ),
    named(
        "choice-without-logprobs",
        "choice-fields",
        "logprobs-*",
        on_reply=with_choices(lambda choice: without(choice, "logprobs")),
    ),
    named(
        "max-tokens-in-blocks",
        "max-tokens-bound",
        "max-tokens-*",
        "usage-all-choices",
        "*-usage",
        "logit-bias-*",
        "context-reached",
        on_request=changed(max_tokens=in_blocks),
    ),
    named(
        "prompt-in-completion",
        "example",
        "*-usage",
        "api.*-usage",
        "usage-*",
        "max-tokens-*",
        on_reply=with_usage(prompt_in_completion),
    ),
    named(
        "chat-model-served",
        "chat-model-refused",
        on_refusal=forgiven("not-completion-model"),
    ),
    named(
        "model-unnamed",
        "model-named",
        "api.model-header",
        on_reply=body_of(lambda body: {**body, "model": "default"}),
    ),
    named(
        "prompt-demanded",
        "prompt-absent",
        "prompt-default",
        "fuzz-valid",
        on_body=refused_if(lambda body: body.get("prompt") is None),
    ),
    named(
        "prompt-greeting",
        "prompt-default",
        on_request=changed(prompt=lambda p: "Hello" if p == "<|endoftext|>" else p),
    ),
    named(
        "prompt-doubled",
        "prompt-text",
        "*",
        on_request=changed(prompt=lambda p: [p, p] if isinstance(p, str) else p),
    ),
    named(
        "last-prompt-only",
        "prompt-texts",
        "n-each-prompt",
        "n-order",
        "prompt-token-arrays",
        "usage-prompts",
        "logit-bias-ban",
        on_request=changed(prompt=last_prompt),
    ),
    named(
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
    named(
        "token-arrays-refused",
        "prompt-token-arrays",
        "usage-prompts",
        "logit-bias-ban",
        "fuzz-valid",
        on_body=refused_if(is_token_arrays),
    ),
    named(
        "start-token-counted",
        "prompt-tokens-usage",
        "usage-prompts",
        "api.*-usage",
        on_reply=with_usage(one_more_prompt_token),
    ),
    named(
        "suffix-ignored",
        "suffix-reaches-model",
        on_request=changed(suffix=lambda _: None),
    ),
    named(
        "suffix-repeated", "suffix-not-repeated", on_answer=answered(suffix_repeated)
    ),
    named("max-tokens-128", "max-tokens-default", on_body=sent(max_tokens=128)),
    named("context-cut", "context-exceeded", "context-*", on_body=cut_silently),
    named(
        "context-one-less",
        "context-reached",
        on_body=refused_if(
            lambda body: is_tokens(body) and len(body["prompt"]) >= 4095
        ),
    ),
    named("contexts-of-8192", "context-older", "context-*", on_body=_allowed(8191)),
    named("contexts-of-4250", "context-newest", "context-*", on_body=_allowed(4250)),
    named(
        "n-two",
        "n-default",
        "*",
        on_body=lambda operation, body: (
            body if "n" in body or "best_of" in body else {**body, "n": 2}
        ),
    ),
    named(
        "n-for-one-prompt",
        "n-each-prompt",
        "n-order",
        on_answer=answered(n_for_one_prompt),
    ),
    named("n-in-turns", "n-order", on_answer=answered(n_in_turns)),
    named(
        "prompts-counted-n-times",
        "usage-prompts",
        on_answer=answered(prompts_for_each_choice),
    ),
    named(
        "filtered-as-length",
        "content-filter",
        "safety.blocklist-finish",
        on_reply=with_choices(filtered_as_length),
    ),
    named("stop-null-as-period", "stop-null", on_body=null_stop_as_period),
    named(
        "best-of-all-returned",
        "best-of-returns-n",
        "best-of-ranking",
        "best-of-independent",
        "n-default",
        on_request=lambda request: replace(request, n=max(request.n, request.best_of)),
    ),
    named(
        "best-of-ignored",
        "best-of-usage",
        "best-of-ranking",
        "best-of-independent",
        on_request=lambda request: replace(request, best_of=request.n),
    ),
    named(
        "best-of-first",
        "best-of-ranking",
        "best-of-independent",
        on_request=lambda request: replace(request, best_of=request.n),
        on_answer=answered(usage_of_all),
    ),
    named("end-bias-dropped", "logit-bias-end", on_body=end_bias_dropped),
)
