"""Faults of moderations."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import cycle
from typing import Any

from mockserver.deviation import Body, Deviation
from mockserver.deviations.models import known
from mockserver.faults import body_of, forgiven
from mockserver.reply import Refuse, Reply
from spec import Operation

LATEST, STABLE = "text-moderation-latest", "text-moderation-stable"
LONG = 15_000  # characters of about one chunk
LONGER = 50_000  # characters of several
LONGEST = 120_000  # characters of more than is looked at
BODY = 160_000  # characters
SHIFTS = cycle((0.0, 0.5))  # of scores, one after the other

fault = partial(Deviation, operations=("createModeration",))


def sentences(operation: Operation, body: Body) -> Body:
    """A text is split into sentences, and nothing puts their results together."""
    text = body.get("input")
    if not isinstance(text, str):
        return body
    return {**body, "input": re.split(r"(?<=[.!?]) +", text)}


def joined(operation: Operation, body: Body) -> Body:
    texts = body.get("input")
    strings = isinstance(texts, list) and all(isinstance(one, str) for one in texts)
    return {**body, "input": " ".join(texts)} if strings and texts else body


def stable_unknown(operation: Operation, body: Body) -> Body:
    if body.get("model") == STABLE:
        raise Refuse(operation.refusals["model-not-found"].worded(model=STABLE))
    return body


def any_model(operation: Operation, body: Body) -> Body:
    """Whatever is asked for, the model that is loaded answers."""
    unknown = isinstance(body.get("model"), str) and body["model"] not in known()
    return {**body, "model": LATEST} if unknown else body


def small_only(operation: Operation, body: Body) -> Body:
    """A proxy before the server has a limit of its own."""
    if len(json.dumps(body)) > BODY:
        raise Refuse(operation.refusals["too-large"].worded(limit=BODY))
    return body


def texts(change: Callable[[str], str]) -> Callable[[Any], Any]:
    """Looks at what ``change`` makes of each text."""

    def changed(request: Any) -> Any:
        if isinstance(request.input, str):
            return replace(request, input=change(request.input))
        return replace(request, input=[change(one) for one in request.input])

    return changed


def by_keyword(text: str) -> str:
    """A list of bad words: each counts as if it were said of someone."""
    bad = len(text) < LONG and "kill" in text
    return f"{text} Kill them." if bad else text


def averaged(text: str) -> str:
    """The mean over the chunks, of which most are harmless: a weaker text's score."""
    return "bombs" if len(text) > LONGER else text


def to_the_end(text: str) -> str:
    """Nothing is cut: what stands at the end counts as well."""
    return text[-LONG:] if len(text) > LONGEST else text


def rows(change: Callable[[Body], Body]) -> Callable[[Reply], Reply]:
    """Changes each result."""
    return body_of(
        lambda body: {**body, "results": [change(row) for row in body["results"]]}
    )


def scores(change: Callable[[str, float], float]) -> Callable[[Reply], Reply]:
    def changed(row: Body) -> Body:
        found = {name: change(name, x) for name, x in row["category_scores"].items()}
        return {**row, "category_scores": found}

    return rows(changed)


def categories(change: Callable[[Body], Body]) -> Callable[[Reply], Reply]:
    """Changes the categories, and what is flagged with them."""

    def changed(row: Body) -> Body:
        found = change(row["categories"])
        return {**row, "categories": found, "flagged": any(found.values())}

    return rows(changed)


def foreign(row: Body) -> Body:
    """Another maker's taxonomy is passed on."""
    names = {"S1": "violence", "S10": "hate", "S11": "self-harm", "S12": "sexual"}
    parts = ("categories", "category_scores")
    return {**row, **{p: {n: row[p][old] for n, old in names.items()} for p in parts}}


def renamed(row: Body) -> Body:
    """One category has the name that a later taxonomy gave it."""

    def part(found: Body) -> Body:
        return {name.replace("/minors", "/children"): x for name, x in found.items()}

    changed = {name: part(row[name]) for name in ("categories", "category_scores")}
    return {**row, **changed}


def as_numbers(found: Body) -> Body:
    return {name: int(value) for name, value in found.items()}


def flagged_by_some(row: Body) -> Body:
    """What is flagged was written before some of the categories were."""
    found = row["categories"]
    return {**row, "flagged": found["hate"] or found["violence"]}


def jittered(name: str, score: float) -> float:
    return (score + next(SHIFTS)) % 1 if name == "sexual" else score


DEVIATIONS = (
    fault("moderations.sentences", "moderations.single", on_body=sentences),
    fault("moderations.joined", "moderations.array", on_body=joined),
    fault(
        "moderations.first-only",
        "moderations.array",
        on_reply=body_of(lambda body: {**body, "results": body["results"][:1]}),
    ),
    fault(
        "moderations.reversed",
        "moderations.array-order",
        also=("moderations.truncation",),
        on_reply=body_of(lambda body: {**body, "results": body["results"][::-1]}),
    ),
    fault("moderations.stable-unknown", "moderations.models", on_body=stable_unknown),
    fault("moderations.any-model", "moderations.model-unknown", on_body=any_model),
    fault(
        "moderations.model-alias",
        "moderations.model-version",
        on_reply=body_of(lambda body: {**body, "model": LATEST}),
    ),
    fault(
        "moderations.any-endpoint",
        "moderations.model-endpoint",
        on_refusal=forgiven("wrong-endpoint"),
    ),
    fault(
        "moderations.category-renamed",
        "moderations.categories-seven",
        also=("moderations.reply-schema", "moderations.categories"),
        on_reply=rows(renamed),
    ),
    fault(
        "moderations.foreign-categories",
        "moderations.categories",
        also=("moderations.reply-schema", "moderations.categories-seven"),
        on_reply=rows(foreign),
    ),
    fault(
        "moderations.categories-as-numbers",
        "moderations.categories",
        also=("moderations.reply-schema", "moderations.example"),
        on_reply=categories(as_numbers),
    ),
    fault(
        "moderations.category-unscored",  # a category was added, its score was not
        "moderations.scores-keys",
        on_reply=categories(lambda found: {**found, "illicit": False}),
    ),
    fault(
        "moderations.scores-percent",
        "moderations.scores-range",
        on_reply=scores(lambda name, score: 100 * score),
    ),
    fault(
        "moderations.flagged-by-some",
        "moderations.flagged",
        on_reply=rows(flagged_by_some),
    ),
    fault(
        "moderations.never-flagged",
        "moderations.flagged",
        also=("moderations.example",),
        on_reply=rows(lambda row: {**row, "flagged": False}),
    ),
    fault(
        "moderations.lenient",  # the threshold of one category is too high
        "moderations.example",
        on_reply=categories(lambda found: {**found, "violence": False}),
    ),
    fault(
        "moderations.keywords",
        "moderations.benign",
        on_request=texts(by_keyword),
    ),
    fault(
        "moderations.random",
        "moderations.deterministic",
        on_reply=scores(jittered),
    ),
    fault(
        "moderations.small-only",
        "moderations.large-input",
        on_body=small_only,
    ),
    fault(
        "moderations.first-chunk-only",
        "moderations.chunks",
        also=("moderations.chunk-maximum",),
        on_request=texts(lambda text: text[:LONG]),
    ),
    fault(
        "moderations.chunk-average",
        "moderations.chunk-maximum",
        on_request=texts(averaged),
    ),
    fault(
        "moderations.untruncated",
        "moderations.truncation",
        on_request=texts(to_the_end),
    ),
)
