"""Completions: prompts, limits, choices, usage, and the best of candidates."""

from typing import TYPE_CHECKING, Any

from conformance.checks.logprobs import scores
from conformance.checks.safety import filtered, whole
from conformance.control import apart, counters, scripted
from conformance.dialect import COMPLETIONS, STORY, several
from conformance.registry import Findings, check
from conformance.view import Absent

if TYPE_CHECKING:
    from conformance.target import Target

SUFFIX = " and so it ended."
ask, say, choices = COMPLETIONS.ask, COMPLETIONS.say, COMPLETIONS.choices


@check("completions.has-choices")
def has_choices(target: "Target") -> Findings:
    if not choices(target):
        yield "the answer had no choice"


@check("completions.choice-fields")
def choice_fields(target: "Target") -> Findings:
    choice = choices(target)[0]
    for name in ("text", "index", "logprobs", "finish_reason"):
        if name not in choice:
            yield f"the choice had no {name}"


@check("completions.example")
def example(target: "Target") -> Findings:
    usage = ask(target, "Say this is a test", max_tokens=7, temperature=0).json()[
        "usage"
    ]
    if usage["completion_tokens"] > 7:
        yield f"the completion had {usage['completion_tokens']} tokens"


@check("completions.chat-model-refused")
def chat_model_refused(target: "Target") -> Findings:
    answer = ask(target, model=_listed(target, "chat"))
    if answer.status != 404:
        yield f"a chat model was answered {answer.status}"


@check("completions.model-named")
def model_named(target: "Target") -> Findings:
    asked, named = target.model("completions"), ask(target).json()["model"]
    if not str(named).startswith(asked):
        yield f"asked {asked!r}, the answer named {named!r}"


@check("completions.prompt-absent")
def prompt_absent(target: "Target") -> Findings:
    if len(choices(target, ...)) != 1:
        yield "a request without a prompt had not one choice"


@check("completions.prompt-default")
def prompt_default(target: "Target") -> Findings:
    """Where a prompt is required, null stands for none."""
    asked = target.spec.operations[COMPLETIONS.operation].body or {}
    own = apart(target)
    ask(own, None if "prompt" in asked["required"] else ...).json()
    seen = counters(own)["prompt"]
    if seen["tokens"] != [seen["end_of_text"]]:
        yield f"the model saw the tokens {list(seen['tokens'])[:8]}"


@check("completions.prompt-text")
def prompt_text(target: "Target") -> Findings:
    found = choices(target, "Hello")
    if len(found) != 1 or found[0]["index"] != 0:
        yield f"a text gave {len(found)} choices"


@check("completions.prompt-texts")
def prompt_texts(target: "Target") -> Findings:
    prompts = ["One two", "Red blue", "Dog cat"]
    found = choices(target, prompts, echo=True, max_tokens=1)
    indexes = [choice["index"] for choice in found]
    if indexes != [0, 1, 2]:
        yield f"3 texts gave the indexes {indexes}"
        return
    if not any(choice["text"].startswith(tuple(prompts)) for choice in found):
        raise Absent("echo of a prompt")
    for prompt, choice in zip(prompts, found, strict=True):
        if not choice["text"].startswith(prompt):
            yield f"the choice of {prompt!r} read {choice['text']!r}"


@check("completions.prompt-tokens")
def prompt_tokens(target: "Target") -> Findings:
    found = choices(target, [1212, 318, 257, 1332])
    if len(found) != 1:
        yield f"an array of 4 tokens gave {len(found)} choices"


@check("completions.prompt-tokens-usage")
def prompt_tokens_usage(target: "Target") -> Findings:
    usage = ask(target, [1212, 318, 257, 1332]).json()["usage"]
    if usage["prompt_tokens"] != 4:
        yield f"4 tokens counted as {usage['prompt_tokens']}"


@check("completions.prompt-token-arrays")
def prompt_token_arrays(target: "Target") -> Findings:
    found = choices(target, [[1212, 318], [257, 1332]])
    if [choice["index"] for choice in found] != [0, 1]:
        yield f"2 arrays of tokens gave {len(found)} choices"


@check("completions.prompt-reaches-model")
def prompt_reaches_model(target: "Target") -> Findings:
    prompts = ("Once upon a time", "1, 2, 3, 4,", "def add(a, b):")
    texts = {say(target, prompt, max_tokens=12) for prompt in prompts}
    if len(texts) == 1:
        yield f"3 prompts were all followed by {texts.pop()!r}"


@check("completions.suffix-reaches-model")
def suffix_reaches_model(target: "Target") -> Findings:
    own = apart(target)
    ask(own, suffix=SUFFIX).json()
    if not counters(own)["prompt"]["suffix"]:
        yield "the model saw no suffix"


@check("completions.suffix-not-repeated")
def suffix_not_repeated(target: "Target") -> Findings:
    text = say(target, suffix=SUFFIX, max_tokens=8)
    if text.endswith(SUFFIX):
        yield f"the text ended with the suffix: {text!r}"


@check("completions.max-tokens-default")
def max_tokens_default(target: "Target") -> Findings:
    """A completion of fewer tokens that ended by itself tells nothing."""
    reply = ask(target, max_tokens=...).json()
    count = reply["usage"]["completion_tokens"]
    if count < 16 and reply["choices"][0]["finish_reason"] == "stop":
        raise Absent("completion that goes on for 16 tokens")
    if count != 16:
        yield f"a completion without max_tokens had {count} tokens"


@check("completions.context-exceeded")
def context_exceeded(target: "Target") -> Findings:
    """A stop text keeps a server that does not refuse from going on for long."""
    asked: list[tuple[Any, int]] = [(STORY, 5_000_000)]
    if target.model("completions") in target.spec.models:
        asked.append((_filling(target, 1), 8))
    for prompt, count in asked:
        answer = ask(target, prompt, max_tokens=count, stop=["e", " ", "."])
        if answer.status != 400:
            yield (
                f"a prompt and {count} tokens beyond the context were answered "
                f"{answer.status}"
            )


@check("completions.context-reached")
def context_reached(target: "Target") -> Findings:
    answer = ask(target, _filling(target, -1), max_tokens=1)
    if answer.status != 200:
        yield f"a full context was answered {answer.status}: {answer.message}"


@check("completions.context-older")
def context_older(target: "Target") -> Findings:
    yield from _refuses(target, context=2049, count=4000)


@check("completions.context-newest")
def context_newest(target: "Target") -> Findings:
    yield from _refuses(target, context=4096, count=4200)


@check("completions.n-default")
def n_default(target: "Target") -> Findings:
    found = choices(target, n=...)
    if len(found) != 1:
        yield f"a request without n had {len(found)} choices"


@check("completions.n-each-prompt")
def n_each_prompt(target: "Target") -> Findings:
    found = choices(target, ["One", "Two"], **several(3), max_tokens=1)
    if sorted(choice["index"] for choice in found) != list(range(6)):
        yield f"2 prompts with n=3 gave {len(found)} choices"


@check("completions.n-order")
def n_order(target: "Target") -> Findings:
    found = choices(target, ["Apples", "Bread"], **several(2), echo=True, max_tokens=1)
    by_index = sorted(found, key=lambda choice: choice["index"])
    texts = [choice["text"] for choice in by_index]
    if len(texts) != 4 or not all(t.startswith(("Apples", "Bread")) for t in texts):
        raise Absent("4 choices that begin with their prompts")
    first = ["Apples" if text.startswith("Apples") else "Bread" for text in texts]
    if first != ["Apples", "Apples", "Bread", "Bread"]:
        yield f"the choices belonged to {first}"


@check("completions.usage-prompts")
def usage_prompts(target: "Target") -> Findings:
    prompts = [[1212, 318, 257], [1332, 257]]
    usage = ask(target, prompts, **several(2), max_tokens=1).json()["usage"]
    if usage["prompt_tokens"] != 5:
        yield f"prompts of 3 and 2 tokens counted as {usage['prompt_tokens']}"


@check("completions.stop-null", requires=("deterministic",))
def stop_null(target: "Target") -> Findings:
    without, null = say(target, stop=...), say(target, stop=None)
    if without != null:
        yield f"without stop the text was {without!r}, with null {null!r}"


@check("completions.content-filter")
def content_filter(target: "Target") -> Findings:
    _, reasons = whole(filtered(target, COMPLETIONS, whole), COMPLETIONS)
    if reasons != ["content_filter"]:
        yield f"a text with a blocked term had the finish reasons {reasons}"


@check("completions.best-of-returns-n")
def best_of_returns_n(target: "Target") -> Findings:
    for n, best_of in ((1, 3), (2, 3)):
        found = choices(target, n=n, best_of=best_of, temperature=1)
        if [choice["index"] for choice in found] != list(range(n)):
            yield f"n={n} and best_of={best_of} gave {len(found)} choices"


@check("completions.best-of-usage", requires=("deterministic",))
def best_of_usage(target: "Target") -> Findings:
    """At temperature 0 all candidates are like the one that is seen."""
    reply = ask(target, n=1, best_of=3, max_tokens=2).json()
    usage = reply["usage"]
    if reply["choices"][0]["finish_reason"] != "length":
        raise Absent("completion that was cut at 2 tokens")
    if usage["completion_tokens"] != 6:
        yield (
            f"3 candidates of 2 tokens counted as {usage['completion_tokens']} "
            "completion tokens"
        )


@check("completions.best-of-ranking")
def best_of_ranking(target: "Target") -> Findings:
    candidates = [" The sky is blue.", " Zq xj kv wq zz."]
    ranked = []
    for text in candidates:
        with scripted(target, [text]) as own:
            found = scores(own, logprobs=1, max_tokens=24)["token_logprobs"]
            ranked.append((sum(found) / len(found), text))
    best = max(ranked)[1]
    for order in (candidates, candidates[::-1]):
        with scripted(target, order) as own:
            text = say(own, n=1, best_of=2, max_tokens=24)
        if text != best:
            yield f"of {order} the likelier is {best!r}, the answer was {text!r}"


def _filling(target: "Target", over: int) -> list[int]:
    """A prompt of as many tokens as the model's context, and ``over`` more.

    Under the edge it keeps to what the documents state, beyond it to what was seen.
    """
    model = target.spec.models.get(target.model("completions"))
    if model is None or model.context is None or model.accepts is None:
        raise Absent("context of the model in the registry")
    return [257] * ((model.accepts if over > 0 else model.context) + over)


def _refuses(target: "Target", context: int, count: int) -> Findings:
    ids = {model["id"] for model in target.get("/models").json()["data"]}
    for model in target.spec.served("completions"):
        if model.context == context and model.id in ids:
            answer = ask(target, "Hello", model=model.id, max_tokens=count)
            if answer.status != 400:
                yield f"{model.id} answered {answer.status} to {count} tokens"
            return
    raise Absent(f"model of {context} tokens in the list")


def _listed(target: "Target", endpoint: str) -> str:
    """A model of another endpoint that the target lists."""
    ids = {model["id"] for model in target.get("/models").json()["data"]}
    for model in target.spec.served(endpoint):
        if model.id in ids and target.model("completions") != model.id:
            return model.id
    raise Absent(f"model of {endpoint} in the list")
