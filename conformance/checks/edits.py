"""What is said of edits: a text and an instruction in, changed texts out."""

from typing import Any

from conformance.checks.generation import YEAR_2001, YEAR_2100
from conformance.control import apart, counters
from conformance.probe import NOBODY
from conformance.registry import Findings, check
from conformance.target import Target
from conformance.view import Absent

LONG = "The cat sat on the mat and looked at the dog, who did not look back at all."
EXAMPLE = "What day of the week is it?"
FAULTS = ({"temperature": 3}, {"n": 0}, {"instruction": ...}, {"model": NOBODY})


def ask(target: Target, **changes: Any) -> Any:
    """The body of a served edit."""
    return target.call("createEdit", **changes).json()


def tokens(target: Target, **changes: Any) -> Any:
    """How many prompt tokens an edit counts."""
    return ask(target, **changes)["usage"]["prompt_tokens"]


@check("edits.example")
def example(target: Target) -> Findings:
    answer = target.call("createEdit", temperature=...)
    if answer.status != 200:
        yield f"the documented example was answered {answer.status}"


@check("edits.example-text")
def example_text(target: Target) -> Findings:
    text = ask(target)["choices"][0]["text"]
    if text.strip() != EXAMPLE:
        yield f"the documented example came back as {text!r}"


@check("edits.choice-fields")
def choice_fields(target: Target) -> Findings:
    choice = ask(target)["choices"][0]
    for name in ("text", "index"):
        if name not in choice:
            yield f"the choice had no {name}"


@check("edits.no-id")
def no_id(target: Target) -> Findings:
    for name in {"id", "model"} & {*ask(target)}:
        yield f"the answer had the field {name}"


@check("edits.created-seconds")
def created_seconds(target: Target) -> Findings:
    created = ask(target)["created"]
    if not (isinstance(created, int) and YEAR_2001 < created < YEAR_2100):
        yield f"the time of creation was {created!r}"


@check("edits.models")
def models(target: Target) -> Findings:
    for model in target.spec.served("edits"):
        answer = target.call("createEdit", model=model.id)
        if answer.status != 200:
            yield f"{model.id} was answered {answer.status}"


@check("edits.model-endpoint")
def model_endpoint(target: Target) -> Findings:
    model = target.model("completions")
    if model == target.model("edits"):
        raise Absent("model of another endpoint")
    answer = target.call("createEdit", model=model)
    if not answer.refused:
        yield f"{model} was answered {answer.status}"


@check("edits.model-unknown")
def model_unknown(target: Target) -> Findings:
    answer = target.call("createEdit", model=NOBODY)
    if answer.status != 404:
        yield f"an unknown model was answered {answer.status}"


@check("edits.input-absent")
def input_absent(target: Target) -> Findings:
    answer = target.call("createEdit", input=..., instruction="Write a greeting.")
    if answer.status != 200:
        yield f"a request without an input was answered {answer.status}"


@check("edits.input-default")
def input_default(target: Target) -> Findings:
    absent, empty = tokens(target, input=...), tokens(target, input="")
    if absent != empty:
        yield f"no input counted as {absent} tokens, an empty one as {empty}"


@check("edits.input-counted")
def input_counted(target: Target) -> Findings:
    short, long = tokens(target, input="cat"), tokens(target, input=LONG)
    if long <= short:
        yield f"an input of 18 words counted as {long} tokens, one word as {short}"


@check("edits.instruction-counted")
def instruction_counted(target: Target) -> Findings:
    short = tokens(target, instruction="Repeat")
    long = tokens(target, instruction=f"Repeat all but this: {LONG}")
    if long <= short:
        yield f"an instruction of 22 words counted as {long} tokens, a word as {short}"


@check("edits.reaches-model")
def reaches_model(target: Target) -> Findings:
    own = apart(target)

    def seen(**changes: str) -> Any:
        ask(own, **changes)
        return counters(own)["prompt"]["tokens"]

    plain = seen()
    for name in ("input", "instruction"):
        if seen(**{name: LONG}) == plain:
            yield f"another {name} showed the model the same tokens"


@check("edits.n-default")
def n_default(target: Target) -> Findings:
    count = len(ask(target, n=...)["choices"])
    if count != 1:
        yield f"an answer had {count} choices"


@check("edits.n-choices")
def n_choices(target: Target) -> Findings:
    for n in (2, 3):
        indexes = [choice["index"] for choice in ask(target, n=n)["choices"]]
        if indexes != [*range(n)]:
            yield f"asked for n={n}, saw the indexes {indexes}"


@check("edits.temperature-zero")
def temperature_zero(target: Target) -> Findings:
    texts = {ask(target, input=LONG)["choices"][0]["text"] for _ in range(3)}
    if len(texts) > 1:
        yield f"the same request gave {len(texts)} texts: {sorted(texts)}"


@check("edits.temperature-and-top-p")
def temperature_and_top_p(target: Target) -> Findings:
    answer = target.call("createEdit", temperature=0.5, top_p=0.5)
    if answer.status != 200:
        yield f"both set were answered {answer.status}"


@check("edits.not-streamed")
def not_streamed(target: Target) -> Findings:
    """To refuse the parameter is as well as to leave it alone."""
    answer = target.call("createEdit", stream=True)
    sent_as = answer.headers.get("content-type", "")
    if not answer.refused and "event-stream" in sent_as:
        yield f"an edit came as {sent_as}"


@check("edits.usage-sum")
def usage_sum(target: Target) -> Findings:
    usage = ask(target)["usage"]
    parts = usage["prompt_tokens"] + usage["completion_tokens"]
    if usage["total_tokens"] != parts:
        yield f"the total was {usage['total_tokens']}, its parts summed to {parts}"


@check("edits.usage-not-zero")
def usage_not_zero(target: Target) -> Findings:
    count = tokens(target, input="")
    if count < 1:
        yield f"an instruction counted as {count} tokens"


@check("edits.usage-all-choices", requires=("deterministic",))
def usage_all_choices(target: Target) -> Findings:
    """At temperature 0 all choices are as long as one."""
    one, three = (ask(target, n=n)["usage"]["completion_tokens"] for n in (1, 3))
    if three != 3 * one:
        yield f"3 choices of {one} tokens counted as {three} completion tokens"


@check("edits.context-exceeded")
def context_exceeded(target: Target) -> Findings:
    known = target.spec.models.get(target.model("edits"))
    if known is None or known.accepts is None:
        raise Absent(f"context in the registry of {target.model('edits')!r}")
    answer = target.call("createEdit", input="word " * 2 * known.accepts)
    if answer.status != 400:
        yield f"an input beyond the context was answered {answer.status}"


@check("edits.never-conflict")
def never_conflict(target: Target) -> Findings:
    for fault in FAULTS:
        if target.call("createEdit", **fault).status == 409:
            yield f"a faulty {', '.join(fault)} was answered 409"
