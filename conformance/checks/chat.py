"""Chat: messages in, an assistant's message out."""

from collections.abc import Callable
from functools import partial
from itertools import permutations, product
from typing import TYPE_CHECKING, Any

from conformance.dialect import BRIEF, CHAT, PROMPTS, STORY, several
from conformance.registry import Findings, check
from conformance.tokens import FORCE, Token, tokens
from conformance.view import Absent

if TYPE_CHECKING:
    from conformance.target import Target

LONG = ("Count from 1 to 30.", STORY, "Tell me a story.")
"""What is rarely answered in 16 tokens."""
ask, say = CHAT.ask, CHAT.say


def choice(target: "Target", *prompt: Any, **changes: Any) -> Any:
    return ask(target, *prompt, **changes).json()["choices"][0]


@check("chat.first-request")
def first_request(target: "Target") -> Findings:
    answer = ask(target, "Say this is a test!", temperature=0.7, max_tokens=...)
    if answer.status != 200:
        yield f"the documented first request was answered {answer.status}"


@check("chat.example")
def example(target: "Target") -> Findings:
    answer = ask(target, "Hello!", temperature=..., max_tokens=...)
    if answer.status != 200:
        yield f"the documented example was answered {answer.status}"


@check("chat.choice-fields")
def choice_fields(target: "Target") -> Findings:
    found = choice(target)
    for name in ("index", "message", "finish_reason"):
        if name not in found:
            yield f"the choice had no {name}"


@check("chat.message-role")
def message_role(target: "Target") -> Findings:
    message = choice(target)["message"]
    if message.get("role") != "assistant":
        yield f"the answer's role was {message.get('role')!r}"
    if not isinstance(message.get("content"), str):
        yield f"the answer's content was {message.get('content')!r}"


@check("chat.usage-present")
def usage_present(target: "Target") -> Findings:
    if "usage" not in ask(target).json():
        yield "the answer had no usage"


@check("chat.completion-model-refused")
def completion_model_refused(target: "Target") -> Findings:
    ids = {model["id"] for model in target.get("/models").json()["data"]}
    for model in target.spec.served("completions"):
        if model.id in ids and model.id != target.model("chat"):
            answer = ask(target, model=model.id)
            if answer.status != 404:
                yield f"{model.id} was answered {answer.status}"
            return
    raise Absent("model of completions in the list")


@check("chat.alias-snapshot")
def alias_snapshot(target: "Target") -> Findings:
    asked = target.model("chat")
    known = target.spec.models.get(asked)
    if known is None or not known.aliases:
        raise Absent(f"alias in the registry behind {asked!r}")
    named = ask(target).json()["model"]
    if named == asked or not str(named).startswith(asked + "-"):
        yield f"asked {asked!r}, the answer named {named!r}"


@check("chat.messages-reach-model")
def messages_reach_model(target: "Target") -> Findings:
    prompts = ("Hello!", "Say this is a test", "Count to 5")
    texts = {say(target, prompt, max_tokens=12) for prompt in prompts}
    if len(texts) == 1:
        yield f"3 conversations were all answered {texts.pop()!r}"


@check("chat.roles")
def roles(target: "Target") -> Findings:
    talk = [
        ("system", "Be brief."),
        ("user", "Hello!"),
        ("assistant", "Hello."),
        ("user", "Say this is a test"),
    ]
    messages = [{"role": role, "content": text} for role, text in talk]
    answer = ask(target, messages=messages)
    if answer.status != 200:
        yield f"a conversation of all roles was answered {answer.status}"


@check("chat.single-choice")
def single_choice(target: "Target") -> Findings:
    found = ask(target, n=...).json()["choices"]
    if len(found) != 1:
        yield f"a request without n had {len(found)} choices"


@check("chat.finish-stop")
def finish_stop(target: "Target") -> Findings:
    reply = ask(target, BRIEF, max_tokens=256).json()
    reason = reply["choices"][0]["finish_reason"]
    if reason == "length" and reply["usage"]["completion_tokens"] >= 256:
        raise Absent("answer that ends by itself within 256 tokens")
    if reason != "stop":
        yield f"the finish_reason was {reason!r}"


@check("chat.max-tokens-default")
def max_tokens_default(target: "Target") -> Findings:
    """A short answer that ended by itself tells nothing."""
    for prompt in LONG:
        reply = ask(target, prompt, max_tokens=...).json()
        count = reply["usage"]["completion_tokens"]
        if count > 16:
            return
        if reply["choices"][0]["finish_reason"] == "length":
            yield f"an answer without max_tokens was cut at {count} tokens"
            return
    raise Absent("answer of more than 16 tokens")


@check("chat.context-exceeded")
def context_exceeded(target: "Target") -> Findings:
    answer = ask(target, "word " * _beyond(target), max_tokens=1)
    if answer.status != 400:
        yield f"messages beyond the context were answered {answer.status}"


@check("chat.context-code")
def context_code(target: "Target") -> Findings:
    error = ask(target, "Hello", max_tokens=5_000_000).error
    if error["code"] != target.spec.refusals["chat-context"].code:
        yield f"the code was {error['code']!r}"


@check("chat.context-max-tokens")
def context_max_tokens(target: "Target") -> Findings:
    model = target.spec.models.get(target.model("chat"))
    for count in (model.accepts if model and model.accepts else 5_000_000, 5_000_000):
        answer = ask(target, "Hello", max_tokens=count, stop=["e", " "])
        if answer.status != 400:
            yield f"max_tokens {count} with a message was answered {answer.status}"


@check("chat.stream-deltas")
def stream_deltas(target: "Target") -> Findings:
    for chunk in CHAT.stream(target).chunks:
        for found in chunk["choices"]:
            if "delta" not in found:
                yield "a chunk's choice had no delta"
                return
            if "message" in found:
                yield "a chunk's choice had a message"
                return


@check("chat.stream-role-first")
def stream_role_first(target: "Target") -> Findings:
    for index, deltas in sorted(_deltas(target).items()):
        if deltas[0].get("role") != "assistant":
            yield f"the first delta of choice {index} was {deltas[0].plain}"


@check("chat.stream-role-once")
def stream_role_once(target: "Target") -> Findings:
    for index, deltas in sorted(_deltas(target).items()):
        named = sum("role" in delta for delta in deltas)
        if named > 1:
            yield f"{named} of {len(deltas)} deltas of choice {index} named the role"


@check("chat.stream-finish-delta")
def stream_finish_delta(target: "Target") -> Findings:
    for chunk in CHAT.stream(target).chunks:
        for found in chunk["choices"]:
            if found.get("finish_reason") in ("stop", "length") and found["delta"]:
                yield f"the delta at the end was {found['delta'].plain}"


@check("chat.stream-one-choice-each")
def stream_one_choice_each(target: "Target") -> Findings:
    for chunk in CHAT.stream(target, **several(2)).chunks:
        if len(chunk["choices"]) != 1:
            yield f"a chunk had {len(chunk['choices'])} choices"
            return


@check("chat.frequency-penalty-effect", requires=("deterministic",))
def frequency_penalty_effect(target: "Target") -> Findings:
    pair = tokens(target, CHAT, 2)
    closed = {str(token.id): FORCE for token in pair}

    def rarer(penalty: float) -> int:
        text = say(target, logit_bias=closed, max_tokens=40, frequency_penalty=penalty)
        return min(text.count(token.text) for token in pair)

    loose, strict = rarer(0), rarer(2)
    if loose > 12:
        raise Absent("preference for one of two tokens")
    if strict <= loose:
        yield f"the rarer of two tokens came {loose} times at 0 and {strict} at 2"


@check("chat.presence-penalty-effect", requires=("deterministic",))
def presence_penalty_effect(target: "Target") -> Findings:
    """Narrows the bias of the second token until the first barely wins throughout."""
    pairs = permutations(tokens(target, CHAT, 4), 2)
    for prompt, pair in product(PROMPTS, pairs):
        said = partial(_said, target, prompt, *pair)
        edge = _edge(said, pair[0])
        if edge is None:
            continue
        loose, strict = said(edge), said(edge, presence_penalty=2)
        if strict == loose:
            yield f"8 tokens were {loose!r} at 0 and at 2"
        return
    raise Absent("pair of tokens that flips after the first position")


def _edge(said: Callable[[int], str], first: Token) -> int | None:
    """The largest bias of the second token at which ``first`` comes 8 times in a row.

    None where one step further it is the very first token that changes: a penalty
    can only act behind it.
    """
    low, high = 60, FORCE
    always = 8 * first.text
    if said(low) != always or said(high) == always:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if said(middle) == always:
            low = middle
        else:
            high = middle
    return low if said(high).startswith(first.text) else None


def _said(
    target: "Target",
    prompt: str,
    first: Token,
    second: Token,
    bias: int,
    **changes: Any,
) -> str:
    both = {str(first.id): FORCE, str(second.id): bias}
    return say(target, prompt, logit_bias=both, max_tokens=8, **changes)


def _deltas(target: "Target") -> dict[int, list[Any]]:
    """The deltas of two choices, by index."""
    found: dict[int, list[Any]] = {}
    for chunk in CHAT.stream(target, STORY, **several(2), max_tokens=6).chunks:
        for one in chunk["choices"]:
            found.setdefault(one["index"], []).append(one["delta"])
    if not found:
        raise Absent("delta")
    return found


def _beyond(target: "Target") -> int:
    """More words than the model's context has tokens."""
    model = target.spec.models.get(target.model("chat"))
    if model is None or model.accepts is None:
        raise Absent("context of the model in the registry")
    return model.accepts + 1
