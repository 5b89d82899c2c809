"""Faults of sampling: bias, temperature, stop, counts, for both operations."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from mockserver.deviation import Deviation
from mockserver.deviations.penalties import FORMULAS
from mockserver.deviations.streams import OPERATIONS
from mockserver.faults import (
    changed,
    loaded_model,
    milliseconds,
    refused_if,
    summed,
    total_wrong,
    with_choices,
    with_usage,
)
from mockserver.reply import Reply

if TYPE_CHECKING:
    from reference_model.engine import Job

Json = Any


def same_prompt(job: "Job") -> "Job":
    return replace(job, prompt=(1,))


def biases(change: Callable[[float], float | None]) -> Callable[[Any], Any]:
    """Changes every bias; None drops it."""

    def all_of(found: Any) -> Any:
        new = {key: change(value) for key, value in (found or {}).items()}
        return {key: value for key, value in new.items() if value is not None}

    return changed(logit_bias=all_of)


def late_stop(stop: Any) -> Any:
    """Looks for a stop text without its first character, and so leaks that one."""
    return [s[1:] or s for s in ([stop] if isinstance(stop, str) else stop or [])]


def stop_kept(asked: dict[str, Any], reply: Reply) -> Reply:
    """Leaves the stop text at the end of the text that it ended."""
    stop = asked.get("stop")
    if not isinstance(stop, str):
        return reply

    def kept(choice: Json) -> Json:
        if choice["finish_reason"] != "stop":
            return choice
        if "text" in choice:
            return {**choice, "text": choice["text"] + stop}
        message = {**choice["message"], "content": choice["message"]["content"] + stop}
        return {**choice, "message": message}

    return with_choices(kept)(reply)


def first_stop(stop: Any) -> Any:
    return stop[:1] if isinstance(stop, list) else stop


def no_stop_in_streams(request: Any) -> Any:
    return replace(request, stop=None) if request.stream else request


def counted_once(body: dict[str, Any], reply: Reply) -> Reply:
    """Counts the completion tokens of one choice."""
    choices = max(1, len(reply.body["choices"]))
    usage = reply.body["usage"]
    tokens = usage["completion_tokens"] // choices
    usage = summed({**usage, "completion_tokens": tokens})
    return replace(reply, body={**reply.body, "usage": usage})


def finish(old: str, new: str) -> Callable[[Json], Json]:
    return lambda choice: {
        **choice,
        "finish_reason": new
        if choice["finish_reason"] == old
        else choice["finish_reason"],
    }


def both_set(body: dict[str, Any]) -> bool:
    return body.get("temperature") not in (None, 1, 0) and (
        body.get("top_p") not in (None, 1)
    )


def _both() -> Iterator[Deviation]:
    for resource, operation in OPERATIONS.items():
        fault = partial(_fault, resource, operation)
        r = resource
        yield fault("created-in-milliseconds", "created-seconds", on_reply=milliseconds)
        yield fault("unknown-model-served", "model-unknown", on_body=loaded_model)
        yield fault(
            "unknown-model-uncoded",
            "model-unknown-code",
            on_refusal=_uncoded,
            also=("chat.context-code",),
        )
        yield fault(
            "usage-total-wrong",
            "usage-sum",
            on_reply=total_wrong,
            also=("api.*-usage",),
        )
        yield fault(
            "usage-zero",
            "usage-not-zero",
            on_reply=with_usage(lambda usage: dict.fromkeys(usage, 0)),
            also=(
                f"{r}.usage-*",
                f"{r}.*-usage",
                f"{r}.max-tokens-*",
                "api.*-usage",
                "api.*-usage",
            ),
        )
        yield fault("usage-of-one-choice", "usage-all-choices", on_answer=counted_once)
        yield fault(
            "never-greedy",
            "temperature-zero",
            also=("*",),
            on_request=changed(temperature=lambda t: t or 1.5),
        )
        yield fault(
            "always-greedy",
            "temperature-random",
            on_request=changed(temperature=lambda _: 0),
            also=(
                f"{r}.seed-differs",
                f"{r}.n-independent",
                f"{r}.temperature-scale",
                f"{r}.top-p-keeps",
                f"{r}.logit-bias-scale",
            ),
        )
        yield fault(
            "top-p-ignored",
            "top-p-mass",
            on_request=changed(top_p=lambda _: 1),
            also=(f"{r}.top-p-cut",),
        )
        yield fault(
            "top-p-with-temperature-refused",
            "temperature-and-top-p",
            on_body=refused_if(both_set),
            also=(f"{r}.top-p-mass", f"{r}.fuzz-valid"),
        )
        yield fault(
            "n-ignored",
            "n-choices",
            on_request=changed(n=lambda _: 1),
            also=(
                f"{r}.n-*",
                f"{r}.stream-choices",
                f"{r}.usage-all-choices",
                f"{r}.best-of-*",
                f"{r}.usage-prompts",
            ),
        )
        yield fault(
            "finish-eos-token",
            "finish-known",
            on_reply=with_choices(finish("stop", "eos_token")),
            also=(f"{r}.finish-*", f"{r}.stop-finish", f"{r}.stream-fold"),
        )
        yield fault(
            "finish-stop-on-length",
            "finish-length",
            on_reply=with_choices(finish("length", "stop")),
            also=(f"{r}.logit-bias-end", f"{r}.stream-fold"),
        )
        yield fault(
            "finish-length-on-stop",
            "stop-finish",
            on_reply=with_choices(finish("stop", "length")),
            also=(f"{r}.finish-stop", f"{r}.stream-fold"),
        )
        yield fault(
            "max-tokens-one-more",
            "max-tokens-bound",
            on_request=changed(
                max_tokens=lambda count: None if count is None else count + 1
            ),
            also=(
                f"{r}.max-tokens-*",
                f"{r}.usage-all-choices",
                f"{r}.*-usage",
                f"{r}.echo-*",
                f"{r}.context-*",
                f"{r}.example",
                f"{r}.logit-bias-*",
            ),
        )
        yield fault(
            "stop-ignored",
            "stop-text",
            on_request=changed(stop=lambda _: None),
            also=(f"{r}.stop-*", "chat.max-tokens-default"),
        )
        yield fault(
            "stop-leaks",
            "stop-text",
            on_request=changed(stop=late_stop),
            also=(f"{r}.stop-*",),
        )
        yield fault("stop-kept", "stop-text", on_answer=stop_kept)
        yield fault(
            "stop-as-text-refused",
            "stop-text",
            on_body=refused_if(lambda body: isinstance(body.get("stop"), str)),
            also=(f"{r}.stop-*", f"{r}.fuzz-valid", "chat.max-tokens-default"),
        )
        yield fault(
            "top-p-one-refused",
            "top-p-range",
            on_body=refused_if(lambda body: body.get("top_p") == 1),
            also=(f"{r}.top-p-type", f"{r}.fuzz-valid"),
        )
        yield fault(
            "empty-bias-refused",
            "logit-bias-type",
            on_body=refused_if(lambda body: body.get("logit_bias") == {}),
            also=(f"{r}.fuzz-valid",),
        )
        yield fault(
            "stop-first-only", "stop-array", on_request=changed(stop=first_stop)
        )
        yield fault(
            "stop-not-in-streams", "stop-across-tokens", on_request=no_stop_in_streams
        )
        yield fault(
            "bans-ignored",
            "logit-bias-ban",
            on_request=biases(lambda value: None if value < 0 else value),
            also=(f"{r}.logit-bias-end",),
        )
        yield fault(
            "bias-clamped",
            "logit-bias-force",
            on_request=biases(lambda value: max(-2.0, min(2.0, value))),
            also=(f"{r}.logit-bias-*",),
        )
        yield fault(
            "one-prompt-for-all",
            PROMPTS[resource],
            on_job=same_prompt,
            also=("completions.*", "chat.*"),
        )


def _uncoded(refusal: Any) -> Any:
    return replace(refusal, code=None)


def _fault(
    resource: str, operation: str, name: str, clause: str, **seams: Any
) -> Deviation:
    return Deviation(
        f"{resource}.{name}", f"{resource}.{clause}", (operation,), **seams
    )


PROMPTS = {"completions": "prompt-reaches-model", "chat": "messages-reach-model"}
DEVIATIONS = (
    *_both(),
    Deviation(
        "completions.bias-halved",
        "completions.logit-bias-scale",
        ("createCompletion",),
        also=(*FORMULAS, "completions.temperature-scale"),
        on_request=biases(lambda value: value / 2),
    ),
    Deviation(
        "chat.always-length",
        "chat.finish-stop",
        ("createChatCompletion",),
        also=("chat.stop-finish", "chat.stream-fold"),
        on_reply=with_choices(lambda choice: {**choice, "finish_reason": "length"}),
    ),
)
