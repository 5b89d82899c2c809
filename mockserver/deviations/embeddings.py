"""Faults of embeddings."""

import base64
import hashlib
import math
import random
import struct
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from mockserver.deviation import Body, Deviation
from mockserver.deviations.models import known
from mockserver.faults import body_of, forgiven, refused_if, told
from mockserver.reply import Refuse, Reply
from spec import Operation

LIMIT = 8191  # tokens that a silent server keeps
BATCH = 2048  # inputs of one request
SAMPLE = "text-embedding-ada-002"
Vector = list[float]

fault = partial(Deviation, operations=("createEmbedding",))


# What is made of a request


def is_tokens(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], int)


def is_batch(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], list)


def taking(change: Callable[[Any], Any]) -> Callable[[Operation, Body], Body]:
    """Reads the input as ``change`` makes of it."""

    def take(operation: Operation, body: Body) -> Body:
        return {**body, "input": change(body["input"])} if "input" in body else body

    return take


def refusing(unwanted: Callable[[Any], bool]) -> Callable[[Operation, Body], Body]:
    """Refuses inputs that are ``unwanted``."""
    return refused_if(lambda body: unwanted(body.get("input")))


def any_model(operation: Operation, body: Body) -> Body:
    """Whatever is asked for, the model that is loaded answers."""
    unknown = isinstance(body.get("model"), str) and body["model"] not in known()
    return {**body, "model": SAMPLE} if unknown else body


def without_ada(operation: Operation, body: Body) -> Body:
    """The model has another name here."""
    if body.get("model") == SAMPLE:
        raise Refuse(operation.refusals["model-not-found"].worded(model=SAMPLE))
    return body


def always_base64(operation: Operation, body: Body) -> Body:
    """Whoever names a format wants the one that is asked for most."""
    named = body.get("encoding_format") == "float"
    return {**body, "encoding_format": "base64"} if named else body


def words(value: Any) -> Any:
    """A text is iterated where a list was meant."""
    return value.split() if isinstance(value, str) else value


def small(value: Any) -> Any:
    """Texts are made small first, as many encoders want them."""
    if isinstance(value, list):
        return [small(one) for one in value]
    return value.lower() if isinstance(value, str) else value


def one_by_one(value: Any) -> Any:
    """A flat list is a list of inputs, thinks the server, while it has so many."""
    batch = is_tokens(value) and len(value) <= BATCH
    return [[token] for token in value] if batch else value


def flattened(value: Any) -> Any:
    return [token for one in value for token in one] if is_batch(value) else value


def cut(value: Any) -> Any:
    """No input is longer than the context: what is too much is dropped."""
    if is_batch(value):
        return [one[:LIMIT] for one in value]
    return value[:LIMIT] if is_tokens(value) else value


def by_length(value: Any) -> Any:
    """A batch is sorted to be padded little, and is not put back."""
    texts = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return sorted(value, key=len) if texts else value


def empty_sentence(value: Any) -> bool:
    """The text is split at its full stops, and an empty sentence is refused."""
    return isinstance(value, str) and ".." in value


def hashed(request: Any) -> Any:
    """A stand-in for a model: each text has a vector, and no two are related."""

    def digest(one: Any) -> Any:
        text = isinstance(one, str)
        return hashlib.sha256(one.encode()).hexdigest() if text else one

    texts = request.input
    if isinstance(texts, list):
        return replace(request, input=[digest(one) for one in texts])
    return replace(request, input=digest(texts))


# What is made of a reply


def printed(row: Body) -> list[str]:
    return [f"{x:.6f}" for x in row["embedding"]]


def written_out(asked: Body, reply: Reply) -> Reply:
    """Whoever names floats gets them as they are printed."""
    if asked.get("encoding_format") != "float":
        return reply
    return rows(lambda data: [{**row, "embedding": printed(row)} for row in data])(
        reply
    )


def rows(change: Callable[[list[Body]], list[Body]]) -> Callable[[Reply], Reply]:
    return body_of(lambda body: {**body, "data": change(body["data"])})


def many(change: Callable[[list[Body]], list[Body]]) -> Callable[[Reply], Reply]:
    """Changes the rows of a batch of several."""
    return rows(lambda data: change(data) if len(data) > 1 else data)


def vectors(change: Callable[[Vector], Vector]) -> Callable[[Reply], Reply]:
    """Changes every vector, in whichever form it is sent."""

    def changed(row: Body) -> Body:
        sent = row["embedding"]
        if isinstance(sent, str):
            return {**row, "embedding": coded(change(decoded(sent)))}
        return {**row, "embedding": change(sent)}

    return rows(lambda data: [changed(row) for row in data])


def texts_in_base64(change: Callable[[Vector], str]) -> Callable[[Reply], Reply]:
    """Changes how vectors are put into base64."""

    def changed(row: Body) -> Body:
        sent = row["embedding"]
        if isinstance(sent, str):
            return {**row, "embedding": change(decoded(sent))}
        return row

    return rows(lambda data: [changed(row) for row in data])


def coded(vector: Vector, form: str = "<f") -> str:
    raw = struct.pack(f"{form[0]}{len(vector)}{form[1]}", *vector)
    return base64.b64encode(raw).decode()


def decoded(text: str) -> Vector:
    raw = base64.b64decode(text)
    return list(struct.unpack(f"<{len(raw) // 4}f", raw))


def unit(vector: Vector) -> Vector:
    length = math.sqrt(sum(x * x for x in vector))
    return [x / length for x in vector]


def noisy(vector: Vector) -> Vector:
    return unit([x + random.gauss(0, 0.01) for x in vector])


def padded(data: list[Body]) -> list[Body]:
    """The padding of a batch is averaged into each vector."""

    def shifted(vector: Vector) -> Vector:
        return unit([vector[0] + 0.25, *vector[1:]])

    return [{**row, "embedding": shifted(row["embedding"])} for row in data]


def emptied(data: list[Body]) -> list[Body]:
    return [{**row, "embedding": []} for row in data]


def last_short(data: list[Body]) -> list[Body]:
    last = data[-1]
    return [*data[:-1], {**last, "embedding": last["embedding"][:-1]}]


def counted(**more: int) -> Callable[[Reply], Reply]:
    """Adds to what the usage counts."""

    def count(body: Body) -> Body:
        usage = body["usage"]
        sums = {key: usage.get(key, 0) + extra for key, extra in more.items()}
        return {**body, "usage": {**usage, **sums}}

    return body_of(count)


def file_named(reply: Reply) -> Reply:
    if reply.status != 200:
        return reply
    name = "/models/embedding.gguf"
    return replace(reply, body={**reply.body, "model": name}, model=name)


REQUESTS = (
    fault(
        "embeddings.ada-unknown",
        "embeddings.ada-002",
        also=("embeddings.*", "api.*"),
        on_body=without_ada,
    ),
    fault("embeddings.float-as-base64", "embeddings.float", on_body=always_base64),
    fault("embeddings.float-as-texts", "embeddings.float", on_answer=written_out),
    fault(
        "embeddings.lower-cased",
        "embeddings.weights-vectors",
        on_body=taking(small),
    ),
    fault(
        "embeddings.dots-refused",
        "embeddings.example",
        on_body=refusing(empty_sentence),
    ),
    fault(
        "embeddings.unknown-as-loaded",
        "embeddings.model-unknown",
        on_body=any_model,
    ),
    fault(
        "embeddings.unknown-400",
        "embeddings.model-unknown",
        on_refusal=told("model-not-found", status=400),
    ),
    fault(
        "embeddings.any-endpoint",
        "embeddings.model-endpoint",
        on_refusal=forgiven("wrong-endpoint"),
    ),
    fault(
        "embeddings.text-iterated",
        "embeddings.single",
        also=("embeddings.batch-alike",),
        on_body=taking(words),
    ),
    fault(
        "embeddings.tokens-refused",
        "embeddings.tokens",
        also=(
            "embeddings.tokens-usage",
            "embeddings.token-arrays",
            "embeddings.fuzz-valid",
        ),
        on_body=refusing(lambda value: is_tokens(value) or is_batch(value)),
    ),
    fault("embeddings.tokens-apart", "embeddings.tokens", on_body=taking(one_by_one)),
    fault(
        "embeddings.token-arrays-joined",
        "embeddings.token-arrays",
        on_body=taking(flattened),
    ),
    fault("embeddings.input-cut", "embeddings.input-limit", on_body=taking(cut)),
    fault(
        "embeddings.sorted",
        "embeddings.texts-order",
        also=("embeddings.texts-index", "embeddings.near"),
        on_body=taking(by_length),
    ),
    fault("embeddings.hashed", "embeddings.near", on_request=hashed),
    fault(
        "embeddings.base64-ignored",
        "embeddings.base64",
        on_request=lambda request: replace(request, encoding_format="float"),
    ),
)
REPLIES = (
    fault(
        "embeddings.index-from-one",
        "embeddings.single",
        also=("embeddings.texts-index",),
        on_reply=rows(
            lambda data: [{**row, "index": row["index"] + 1} for row in data]
        ),
    ),
    fault(
        "embeddings.batch-first-only",
        "embeddings.texts",
        also=("embeddings.token-arrays",),
        on_reply=rows(lambda data: data[:1]),
    ),
    fault("embeddings.batch-empty", "embeddings.texts", on_reply=many(emptied)),
    fault(
        "embeddings.as-completed",  # each index is right, and the order is another
        "embeddings.texts-order",
        also=("embeddings.near",),
        on_reply=rows(lambda data: data[::-1]),
    ),
    fault(
        "embeddings.index-zero",
        "embeddings.texts-index",
        on_reply=rows(lambda data: [{**row, "index": 0} for row in data]),
    ),
    fault(
        "embeddings.index-reversed",
        "embeddings.texts-index",
        on_reply=rows(
            lambda data: [
                {**row, "index": len(data) - 1 - row["index"]} for row in data
            ]
        ),
    ),
    fault(
        "embeddings.tokens-recounted",  # decoded and encoded again, with a first token
        "embeddings.tokens-usage",
        on_reply=counted(prompt_tokens=1, total_tokens=1),
    ),
    fault(
        "embeddings.usage-zero",
        "embeddings.tokens-usage",
        on_reply=body_of(
            lambda body: {**body, "usage": dict.fromkeys(body["usage"], 0)}
        ),
    ),
    fault(
        "embeddings.usage-total",
        "embeddings.usage",
        on_reply=counted(total_tokens=1),
    ),
    fault(
        "embeddings.usage-completion",
        "embeddings.usage-no-completion",
        on_reply=counted(completion_tokens=0),
    ),
    fault("embeddings.model-file", "embeddings.model-named", on_reply=file_named),
)
VECTORS = (
    fault("embeddings.batch-padded", "embeddings.batch-alike", on_reply=many(padded)),
    fault(
        "embeddings.noisy",
        "embeddings.deterministic",
        also=("embeddings.batch-alike", "embeddings.base64-equal"),
        on_reply=vectors(noisy),
    ),
    fault(
        "embeddings.narrow",
        "embeddings.width",
        on_reply=vectors(lambda vector: unit(vector[:768])),
    ),
    fault(
        "embeddings.other-vectors",
        "embeddings.weights-vectors",
        on_reply=vectors(lambda vector: unit([x + 0.001 for x in vector])),
    ),
    fault("embeddings.last-short", "embeddings.same-width", on_reply=many(last_short)),
    fault(
        "embeddings.not-normalised",
        "embeddings.unit-norm",
        on_reply=vectors(lambda vector: [3 * x for x in vector]),
    ),
    fault(
        "embeddings.base64-big-endian",
        "embeddings.base64",
        also=("embeddings.base64-equal",),
        on_reply=texts_in_base64(lambda vector: coded(vector, ">f")),
    ),
    fault(
        "embeddings.base64-float64",
        "embeddings.base64",
        also=("embeddings.base64-equal",),
        on_reply=texts_in_base64(lambda vector: coded(vector, "<d")),
    ),
    fault(
        "embeddings.base64-quantised",  # eight bits, and the scale is not given back
        "embeddings.base64-equal",
        on_reply=texts_in_base64(
            lambda vector: coded([round(127 * x) for x in vector])
        ),
    ),
)
DEVIATIONS = (*REQUESTS, *REPLIES, *VECTORS)
