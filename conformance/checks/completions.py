"""Completions: prompts, log probabilities, echo, candidates, and the penalties."""

import math
import re
from typing import TYPE_CHECKING, Any

from conformance.control import apart, counters, scripted
from conformance.dialect import COMPLETIONS, STORY
from conformance.fold import fold
from conformance.registry import Findings, check
from conformance.tokens import FORCE, SECOND, Pair, pair, tokens
from conformance.view import Absent

if TYPE_CHECKING:
    from conformance.target import Target

CLOSE = 0.01
"""Log odds that count as equal: the penalties are measured to two decimals."""
NEAR = 0.1
"""Log probabilities that count as equal between two ways to compute them in bf16."""
SUFFIX = " and so it ended."
ask, say = COMPLETIONS.ask, COMPLETIONS.say


def choices(target: "Target", *prompt: Any, **changes: Any) -> Any:
    return ask(target, *prompt, **changes).json()["choices"]


def scores(target: "Target", *prompt: Any, **changes: Any) -> Any:
    """The logprobs of the only choice. Raises Absent where there are none."""
    found = choices(target, *prompt, **changes)[0]["logprobs"]
    if found is None:
        raise Absent("choices[0].logprobs")
    return found


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
    own = apart(target)
    ask(own, ...).json()
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
    found = choices(target, ["One", "Two"], n=3, max_tokens=1)
    if sorted(choice["index"] for choice in found) != list(range(6)):
        yield f"2 prompts with n=3 gave {len(found)} choices"


@check("completions.n-order")
def n_order(target: "Target") -> Findings:
    found = choices(target, ["Apples", "Bread"], n=2, echo=True, max_tokens=1)
    by_index = sorted(found, key=lambda choice: choice["index"])
    texts = [choice["text"] for choice in by_index]
    if len(texts) != 4 or not all(t.startswith(("Apples", "Bread")) for t in texts):
        raise Absent("4 choices that begin with their prompts")
    first = ["Apples" if text.startswith("Apples") else "Bread" for text in texts]
    if first != ["Apples", "Apples", "Bread", "Bread"]:
        yield f"the choices belonged to {first}"


@check("completions.usage-prompts")
def usage_prompts(target: "Target") -> Findings:
    usage = ask(target, [[1212, 318, 257], [1332, 257]], n=2, max_tokens=1).json()[
        "usage"
    ]
    if usage["prompt_tokens"] != 5:
        yield f"prompts of 3 and 2 tokens counted as {usage['prompt_tokens']}"


@check("completions.logprobs-absent")
def logprobs_absent(target: "Target") -> Findings:
    for choice in choices(target):
        if choice.get("logprobs") is not None:
            yield "a choice had logprobs that were not asked for"


@check("completions.logprobs-count")
def logprobs_count(target: "Target") -> Findings:
    choice = choices(target, logprobs=3)[0]
    listed = (choice.get("logprobs") or {}).get("top_logprobs") or []
    if not listed:
        yield "logprobs were asked for, and none were given"
    for place, row in enumerate(listed):
        if len(row) < 3:
            yield f"position {place} listed {len(row)} tokens"


@check("completions.logprobs-at-most")
def logprobs_at_most(target: "Target") -> Findings:
    for place, row in enumerate(_rows(target, logprobs=2, temperature=1)):
        if len(row) > 3:
            yield f"position {place} listed {len(row)} tokens for logprobs=2"


@check("completions.logprobs-sampled")
def logprobs_sampled(target: "Target") -> Findings:
    found = scores(target, logprobs=1, temperature=2, max_tokens=12)
    for place, (token, value, row) in enumerate(
        zip(found["tokens"], found["token_logprobs"], _lists(found), strict=False)
    ):
        if token not in row:
            yield f"position {place} sampled {token!r} and listed {sorted(row)}"
        elif abs(row[token] - value) > CLOSE:
            yield f"position {place} gave {token!r} {value} and {row[token]}"


@check("completions.logprobs-lengths")
def logprobs_lengths(target: "Target") -> Findings:
    found = scores(target, logprobs=2)
    names = ("tokens", "token_logprobs", "top_logprobs", "text_offset")
    lengths = {name: len(found[name]) for name in names}
    if len(set(lengths.values())) > 1 or not lengths["tokens"]:
        yield f"the arrays had the lengths {lengths}"


@check("completions.logprobs-negative")
def logprobs_negative(target: "Target") -> Findings:
    found = scores(target, logprobs=5, max_tokens=8)
    values = [
        *found["token_logprobs"],
        *(v for row in _lists(found) for v in row.values()),
    ]
    for value in values:
        if not isinstance(value, int | float) or value > 0 or not math.isfinite(value):
            yield f"a log probability was {value!r}"


@check("completions.logprobs-mass")
def logprobs_mass(target: "Target") -> Findings:
    for place, row in enumerate(_rows(target, logprobs=5, max_tokens=8)):
        mass = sum(math.exp(value) for value in row.values())
        if mass > 1.001:
            yield f"the probabilities of position {place} summed to {mass:.4f}"


@check("completions.logprobs-greedy")
def logprobs_greedy(target: "Target") -> Findings:
    found = scores(target, logprobs=5, max_tokens=8)
    for place, (value, row) in enumerate(
        zip(found["token_logprobs"], _lists(found), strict=False)
    ):
        if value < max(row.values()) - CLOSE:
            yield f"position {place} took {value:.3f} before {max(row.values()):.3f}"


@check("completions.logprobs-text")
def logprobs_text(target: "Target") -> Findings:
    choice = choices(target, logprobs=1, max_tokens=8, temperature=1.5)[0]
    if choice["logprobs"] is None:
        raise Absent("choices[0].logprobs")
    joined = b"".join(_bytes(token) for token in choice["logprobs"]["tokens"])
    if joined.decode("utf-8", "replace") != choice["text"]:
        yield f"the tokens read {joined!r}, the text {choice['text']!r}"


@check("completions.logprobs-offset")
def logprobs_offset(target: "Target") -> Findings:
    found = scores(target, logprobs=1, max_tokens=6)
    expected, place = [], len(STORY)
    for token in found["tokens"]:
        expected.append(place)
        place += len(_bytes(token).decode("utf-8", "ignore"))
    if list(found["text_offset"]) != expected:
        yield f"expected the offsets {expected}, saw {list(found['text_offset'])}"


@check("completions.logprobs-zero")
def logprobs_zero(target: "Target") -> Findings:
    found = choices(target, logprobs=0)[0].get("logprobs")
    if found is None or not found.get("token_logprobs"):
        yield "logprobs=0 gave no log probabilities"


@check("completions.logprobs-streamed", requires=("deterministic",))
def logprobs_streamed(target: "Target") -> Findings:
    whole = scores(target, logprobs=2, max_tokens=8)
    streamed = COMPLETIONS.stream(target, logprobs=2, max_tokens=8)
    operation = target.spec.operations["createCompletion"]
    assert operation.stream is not None
    folded = fold(streamed.chunks, operation.stream.fold)["choices"][0]
    parts = folded.get("logprobs")
    if not parts:
        yield "the chunks had no logprobs"
        return
    if list(parts.get("tokens") or []) != list(whole["tokens"]):
        yield f"streamed tokens were {parts.get('tokens')}, whole {whole['tokens']}"
        return
    for name in ("token_logprobs", "top_logprobs"):
        rows = list(zip(parts.get(name) or [], whole[name], strict=False))
        if len(rows) != len(whole[name]) or any(_far(a, b) for a, b in rows):
            yield f"streamed {name} differed from the whole answer's"


@check("completions.echo-default")
def echo_default(target: "Target") -> Findings:
    text = say(target)
    if text.startswith(STORY):
        yield f"the text began with the prompt: {text!r}"


@check("completions.echo")
def echo(target: "Target") -> Findings:
    text = say(target, echo=True)
    if not text.startswith(STORY):
        yield f"the text began {text[:60]!r}"


@check("completions.echo-completes", requires=("deterministic",))
def echo_completes(target: "Target") -> Findings:
    plain, echoed = say(target), say(target, echo=True)
    if not echoed.startswith(STORY):
        raise Absent("echo of the prompt")
    if echoed != STORY + plain:
        yield f"without echo {plain!r} followed, with echo {echoed[len(STORY) :]!r}"


@check("completions.echo-scoring")
def echo_scoring(target: "Target") -> Findings:
    answer = ask(target, echo=True, max_tokens=0, logprobs=1)
    if answer.status != 200:
        yield f"echo with max_tokens 0 was answered {answer.status}"
        return
    text = answer.json()["choices"][0]["text"]
    if text != STORY:
        yield f"the text was {text!r}"


@check("completions.echo-logprobs")
def echo_logprobs(target: "Target") -> Findings:
    found = scores(target, echo=True, max_tokens=0, logprobs=1)
    read = b"".join(_bytes(token) for token in found["tokens"])
    if read != STORY.encode():
        yield f"the tokens read {read!r}"


@check("completions.echo-first-null")
def echo_first_null(target: "Target") -> Findings:
    found = scores(target, echo=True, max_tokens=0, logprobs=1)
    if found["token_logprobs"][0] is not None:
        yield f"the first log probability was {found['token_logprobs'][0]!r}"


@check("completions.echo-equals-generation")
def echo_equals_generation(target: "Target") -> Findings:
    made = choices(target, logprobs=1, max_tokens=8)[0]
    if made["logprobs"] is None:
        raise Absent("choices[0].logprobs")
    scored = scores(target, STORY + made["text"], echo=True, max_tokens=0, logprobs=1)
    count = len(made["logprobs"]["tokens"])
    if list(scored["tokens"])[-count:] != list(made["logprobs"]["tokens"]):
        raise Absent("same split of the generated text into tokens")
    for token, first, second in zip(
        made["logprobs"]["tokens"],
        made["logprobs"]["token_logprobs"],
        list(scored["token_logprobs"])[-count:],
        strict=True,
    ):
        if second is None or abs(first - second) > NEAR:
            yield f"{token!r} was generated with {first} and scored with {second}"


@check("completions.stop-null", requires=("deterministic",))
def stop_null(target: "Target") -> Findings:
    without, null = say(target, stop=...), say(target, stop=None)
    if without != null:
        yield f"without stop the text was {without!r}, with null {null!r}"


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


@check("completions.logit-bias-scale")
def logit_bias_scale(target: "Target") -> Findings:
    chosen = pair(target)
    low = chosen.gaps(target, count=1)[0]
    bias = {str(chosen.first.id): FORCE, str(chosen.second.id): SECOND - 5}
    moved = chosen.gaps(target, count=1, logit_bias=bias)[0] - low
    if abs(moved) < CLOSE:
        raise Absent("log probabilities that follow the bias")
    if abs(moved - 5) > CLOSE:
        yield f"a bias lower by 5 moved the log odds by {moved:.3f}"


@check("completions.logit-bias-end")
def logit_bias_end(target: "Target") -> Findings:
    forced = choices(target, logit_bias={"50256": 100}, max_tokens=8)[0]
    if forced["text"].strip() or forced["finish_reason"] != "stop":
        raise Absent("end of text behind the token id 50256")
    for prompt in ("Say this is a test", "Hello", STORY):
        if choices(target, prompt, max_tokens=48)[0]["finish_reason"] == "stop":
            break
    else:
        raise Absent("completion that ends by itself")
    banned = choices(target, prompt, max_tokens=48, logit_bias={"50256": -100})[0]
    if banned["finish_reason"] != "length":
        yield f"the finish_reason was {banned['finish_reason']!r}"


@check("completions.frequency-penalty-formula")
def frequency_penalty_formula(target: "Target") -> Findings:
    for penalty in (0.5, 2.0):
        yield from _shifts(
            target,
            {"frequency_penalty": penalty},
            [-penalty * count for count in range(5)],
        )


@check("completions.presence-penalty-formula")
def presence_penalty_formula(target: "Target") -> Findings:
    for penalty in (0.5, 1.5):
        yield from _shifts(
            target,
            {"presence_penalty": penalty},
            [-penalty * (count > 0) for count in range(5)],
        )


@check("completions.penalties-negative")
def penalties_negative(target: "Target") -> Findings:
    yield from _shifts(
        target,
        {"frequency_penalty": -0.5, "presence_penalty": -1.5},
        [0.5 * count + 1.5 * (count > 0) for count in range(5)],
    )


@check("completions.penalties-sampled-only")
def penalties_sampled_only(target: "Target") -> Findings:
    chosen = pair(target)
    prompt = [chosen.first.id] * 4
    before = chosen.gaps(target, 1, prompt=prompt)[0]
    after = chosen.gaps(
        target, 1, prompt=prompt, frequency_penalty=1.0, presence_penalty=1.0
    )[0]
    if abs(after - before) > CLOSE:
        yield (
            f"a token that stood 4 times in the prompt lost {before - after:.3f} "
            "at the first position"
        )


@check("completions.penalties-whole-text")
def penalties_whole_text(target: "Target") -> Findings:
    chosen, count, penalty = pair(target), 80, 0.1
    before = chosen.gaps(target, count)
    after = chosen.gaps(target, count, frequency_penalty=penalty)
    for place in (25, count - 1):
        lost = before[place] - after[place]
        if abs(lost - place * penalty) > CLOSE:
            yield (
                f"a token sampled {place} times lost {lost:.3f} instead of "
                f"{place * penalty:.3f}"
            )


@check("completions.penalties-default")
def penalties_default(target: "Target") -> Findings:
    chosen, count = pair(target), 5
    sampled = chosen.gaps(target, count)
    for place in (1, count - 1):
        told = [*[1212, 318, 257], *[chosen.first.id] * place]
        fresh = chosen.gaps(target, 1, prompt=told)[0]
        kept = chosen.gaps(target, place + 1, prompt=told[:3])[place]
        if abs(fresh - kept) > NEAR:
            yield (
                f"a token sampled {place} times had the log odds {kept:.3f}, in the "
                f"prompt {fresh:.3f}"
            )
    asked = chosen.gaps(target, count, frequency_penalty=0, presence_penalty=0)
    if any(abs(a - b) > NEAR for a, b in zip(sampled, asked, strict=True)):
        yield "penalties of 0 gave other log odds than no penalties"


@check("completions.penalties-suppress")
def penalties_suppress(target: "Target") -> Findings:
    found = tokens(target, COMPLETIONS, 3)
    closed = {str(token.id): FORCE for token in found}

    def most(penalty: float) -> int:
        text = say(
            target,
            logit_bias=closed,
            max_tokens=24,
            temperature=0,
            frequency_penalty=penalty,
        )
        return max(text.count(token.text) for token in found)

    loose, strict = most(0), most(2)
    if loose < 16:
        raise Absent("repetition without a penalty")
    if strict >= loose:
        yield f"one token of 3 came {loose} times of 24 at 0 and {strict} times at 2"


def _shifts(
    target: "Target", penalties: dict[str, float], expected: list[float]
) -> Findings:
    """How far the penalties move the log odds of a repeated token, and should."""
    chosen: Pair = pair(target)
    before = chosen.gaps(target, len(expected))
    after = chosen.gaps(target, len(expected), **penalties)
    moved = [b - a + 0.0 for a, b in zip(before, after, strict=True)]
    if any(abs(m - e) > CLOSE for m, e in zip(moved, expected, strict=True)):
        yield (
            f"with {penalties} a token sampled 0 to {len(expected) - 1} times moved "
            f"by {[round(m, 3) for m in moved]} instead of {expected}"
        )


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


def _rows(target: "Target", **changes: Any) -> list[Any]:
    return _lists(scores(target, **changes))


def _lists(found: Any) -> list[Any]:
    """top_logprobs, a row for each position."""
    rows = list(found["top_logprobs"] or [])
    if not rows:
        raise Absent("top_logprobs")
    return rows


def _bytes(token: str) -> bytes:
    r"""A token's bytes; the API shows those that are no text as ``bytes:\xe2\x80``."""
    if not token.startswith("bytes:"):
        return token.encode()
    return bytes(int(pair, 16) for pair in re.findall(r"\\x([0-9a-f]{2})", token))


def _far(first: Any, second: Any) -> bool:
    """Whether two log probabilities, or two lists of them, differ."""
    if isinstance(first, dict) and isinstance(second, dict):
        return set(first) != set(second) or any(
            _far(first[key], second[key]) for key in first
        )
    if first is None or second is None:
        return first is not second
    return bool(abs(first - second) > NEAR)
