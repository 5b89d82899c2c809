"""What completions and chat promise in the same words."""

from typing import TYPE_CHECKING

from conformance.dialect import BRIEF, STORY, Dialect, both, several
from conformance.registry import Findings
from conformance.tokens import CANDIDATES, FORCE, forced, id_of
from conformance.view import Absent

if TYPE_CHECKING:
    from conformance.target import Target

REASONS = ("stop", "length", "content_filter")
YEAR_2001, YEAR_2100 = 1_000_000_000, 4_102_444_800


def greedy(target: "Target", dialect: Dialect, count: int = 24) -> str:
    """A text at temperature 0 that is long enough to be cut."""
    text = dialect.say(target, max_tokens=count)
    if len(text) < 8:
        raise Absent(f"text of at least 8 characters: it was {text!r}")
    return text


@both("created-seconds")
def created_seconds(target: "Target", dialect: Dialect) -> Findings:
    created = dialect.ask(target).json()["created"]
    if not (isinstance(created, int) and YEAR_2001 < created < YEAR_2100):
        yield f"the time of creation was {created!r}"


@both("model-unknown")
def model_unknown(target: "Target", dialect: Dialect) -> Findings:
    answer = dialect.ask(target, model="assay-no-such-model")
    if answer.status != 404:
        yield f"an unknown model was answered {answer.status}"


@both("model-unknown-code")
def model_unknown_code(target: "Target", dialect: Dialect) -> Findings:
    code = dialect.ask(target, model="assay-no-such-model").error["code"]
    if code != target.spec.refusals["model-not-found"].code:
        yield f"the code was {code!r}"


@both("usage-sum")
def usage_sum(target: "Target", dialect: Dialect) -> Findings:
    usage = dialect.ask(target).json()["usage"]
    parts = usage["prompt_tokens"] + usage["completion_tokens"]
    if usage["total_tokens"] != parts:
        yield f"the total was {usage['total_tokens']}, its parts summed to {parts}"


@both("usage-not-zero")
def usage_not_zero(target: "Target", dialect: Dialect) -> Findings:
    reply = dialect.ask(target, max_tokens=8).json()
    if not dialect.text(reply["choices"][0]):
        raise Absent("text in the choice")
    for name in ("prompt_tokens", "completion_tokens"):
        if reply["usage"][name] < 1:
            yield f"{name} was {reply['usage'][name]}"


@both("usage-all-choices")
def usage_all_choices(target: "Target", dialect: Dialect) -> Findings:
    reply = dialect.ask(target, **several(3), max_tokens=2).json()
    usage = reply["usage"]
    if [choice["finish_reason"] for choice in reply["choices"]] != 3 * ["length"]:
        raise Absent("3 choices that were cut at 2 tokens")
    if usage["completion_tokens"] != 6:
        yield (
            f"3 choices of 2 tokens counted as {usage['completion_tokens']} "
            "completion tokens"
        )


@both("temperature-zero")
def temperature_zero(target: "Target", dialect: Dialect) -> Findings:
    texts = {dialect.say(target, max_tokens=12, temperature=0) for _ in range(3)}
    if len(texts) > 1:
        yield f"the same request gave {len(texts)} texts: {sorted(texts)}"


@both("temperature-random")
def temperature_random(target: "Target", dialect: Dialect) -> Findings:
    """A server that ignores n is asked again."""
    drawn: list[str] = []
    while len(drawn) < 6:
        found = dialect.choices(target, temperature=2, n=6, max_tokens=12)
        drawn += [dialect.text(choice) for choice in found]
        if not found:
            raise Absent("choices[0]")
    if len(set(drawn)) == 1:
        yield f"{len(drawn)} texts at temperature 2 were all {drawn[0]!r}"


@both("top-p-mass", requires=("deterministic",))
def top_p_mass(target: "Target", dialect: Dialect) -> Findings:
    likeliest = dialect.say(target, max_tokens=8, temperature=0)
    drawn = {
        dialect.text(choice)
        for choice in dialect.choices(
            target, max_tokens=8, temperature=2, top_p=0.000001, n=3
        )
    }
    if drawn != {likeliest}:
        yield f"expected only {likeliest!r} of a top_p near 0, saw {sorted(drawn)}"


@both("temperature-and-top-p")
def temperature_and_top_p(target: "Target", dialect: Dialect) -> Findings:
    answer = dialect.ask(target, temperature=0.5, top_p=0.5)
    if answer.status != 200:
        yield f"both set were answered {answer.status}"


@both("n-choices")
def n_choices(target: "Target", dialect: Dialect) -> Findings:
    for n in (2, 3):
        found = dialect.choices(target, **several(n))
        indexes = [choice["index"] for choice in found]
        if sorted(indexes) != list(range(n)):
            yield f"asked for n={n}, saw the indexes {indexes}"


@both("finish-known")
def finish_known(target: "Target", dialect: Dialect) -> Findings:
    for prompt, count in ((STORY, 2), (STORY, 64), (BRIEF, 64)):
        found = dialect.choices(target, prompt, max_tokens=count)
        reason = found[0]["finish_reason"]
        if reason not in REASONS:
            yield f"the finish_reason was {reason!r}"


@both("finish-length", requires=("deterministic",))
def finish_length(target: "Target", dialect: Dialect) -> Findings:
    """A text was cut where more room gives a longer one."""
    longer = dialect.say(target, max_tokens=24)
    choice = dialect.choices(target, max_tokens=2)[0]
    text = dialect.text(choice)
    if text == longer or not longer.startswith(text):
        raise Absent("text that goes on behind 2 tokens")
    if choice["finish_reason"] != "length":
        yield f"the finish_reason was {choice['finish_reason']!r}"


@both("max-tokens-bound")
def max_tokens_bound(target: "Target", dialect: Dialect) -> Findings:
    for count in (1, 3):
        reply = dialect.ask(target, max_tokens=count).json()
        used = reply["usage"]["completion_tokens"]
        if used > count:
            yield f"max_tokens was {count}, the completion had {used} tokens"


@both("stop-text", requires=("deterministic",))
def stop_text(target: "Target", dialect: Dialect) -> Findings:
    text = greedy(target, dialect)
    stop = text[5:8]
    seen = dialect.say(target, max_tokens=24, stop=stop)
    if seen.rstrip() != text[: text.index(stop)].rstrip():
        yield f"stop was {stop!r}, {text!r} became {seen!r}"


@both("stop-array", requires=("deterministic",))
def stop_array(target: "Target", dialect: Dialect) -> Findings:
    text = greedy(target, dialect)
    stops = ["zqxj", text[6:8], text[3:6]]
    first = min(text.index(stop) for stop in stops[1:])
    seen = dialect.say(target, max_tokens=24, stop=stops)
    if seen.rstrip() != text[:first].rstrip():
        yield f"stop was {stops}, {text!r} became {seen!r}"


@both("stop-finish", requires=("deterministic",))
def stop_finish(target: "Target", dialect: Dialect) -> Findings:
    stop = greedy(target, dialect)[5:8]
    choice = dialect.choices(target, max_tokens=24, stop=stop)[0]
    if choice["finish_reason"] != "stop":
        yield f"the finish_reason was {choice['finish_reason']!r}"


@both("stop-across-tokens", requires=("deterministic",))
def stop_across_tokens(target: "Target", dialect: Dialect) -> Findings:
    pieces = dialect.pieces(dialect.stream(target, max_tokens=16))
    if len(pieces) < 4:
        raise Absent("stream of at least 4 pieces")
    text = "".join(pieces)
    stop = pieces[1][-1:] + pieces[2] + pieces[3][:1]
    seen = "".join(dialect.pieces(dialect.stream(target, max_tokens=16, stop=stop)))
    if seen != text[: text.index(stop)]:
        yield f"stop was {stop!r}, the stream {text!r} became {seen!r}"


@both("logit-bias-ban", requires=("deterministic",))
def logit_bias_ban(target: "Target", dialect: Dialect) -> Findings:
    first = dialect.say(target, max_tokens=1)
    banned = id_of(target, first)
    seen = dialect.say(target, max_tokens=1, logit_bias={str(banned): -100})
    if seen == first:
        yield f"the banned token {first!r} was sampled"


@both("logit-bias-force")
def logit_bias_force(target: "Target", dialect: Dialect) -> Findings:
    """White space does not count: some tokenizers drop it before a first token."""
    seen = []
    for id in CANDIDATES[:4]:
        once = "".join(forced(target, dialect, id, 1).split())
        bias = {str(id): FORCE}
        four = dialect.say(target, max_tokens=4, temperature=1, logit_bias=bias)
        if once and "".join(four.split()) == 4 * once:
            return
        seen.append(four)
    yield f"of single tokens that were to be sampled alone came {seen}"
