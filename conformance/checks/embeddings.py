"""What is said of embeddings."""

import base64
import binascii
import math
import struct
from collections.abc import Sequence
from typing import Any

from conformance.probe import NOBODY
from conformance.registry import Findings, check
from conformance.target import Target
from conformance.view import Absent, View, plain

TOKENS = [11, 22, 33, 44, 55]
SHORT = "A robin sings."
ADA = "text-embedding-ada-002"
TEXTS = [
    "The harbour is full of small wooden boats this morning.",
    "Bread rises slowly in a cold kitchen.",
    SHORT,
]
KINDRED = (
    ("The cat sat on the mat.", "A cat sat on a mat.", "Interest rates rose again."),
    ("I lost my password.", "My password is lost.", "Volcanoes erupt molten rock."),
    ("Apples grow in the orchard.", "The orchard grows apples.", "Buses were late."),
)
"""Two texts that share words, and one that shares none with them."""
ALIKE = 0.999  # cosine; the live API's answers to one request differ a little
CLOSE = 1e-3  # of one number
HUGE = 1e6  # no embedding has such a number; one whose bytes are swapped does


@check("embeddings.example")
def example(target: Target) -> Findings:
    """The text is the documented one, with its dots."""
    text = "The food was delicious and the waiter..."
    if not reply(target, text)["data"]:
        yield "the documented example was answered without a vector"


@check("embeddings.model-unknown")
def model_unknown(target: Target) -> Findings:
    answer = target.call("createEmbedding", model=NOBODY)
    if answer.status != 404:
        yield f"an unknown model was answered {answer.status}"


@check("embeddings.model-endpoint")
def model_endpoint(target: Target) -> Findings:
    model = target.model("completions")
    if model == target.model("embeddings"):
        raise Absent("model of another endpoint")
    answer = target.call("createEmbedding", model=model)
    if not answer.refused:
        yield f"{model} was answered {answer.status}"


@check("embeddings.single")
def single(target: Target) -> Findings:
    rows = reply(target, SHORT)["data"]
    if len(rows) != 1:
        yield f"one text gave {len(rows)} vectors"
    if rows[0]["index"] != 0:
        yield f"the vector of one text had the index {rows[0]['index']!r}"


@check("embeddings.tokens")
def tokens(target: Target) -> Findings:
    rows = reply(target, TOKENS)["data"]
    if len(rows) != 1:
        yield f"an array of {len(TOKENS)} token ids gave {len(rows)} vectors"


@check("embeddings.tokens-usage")
def tokens_usage(target: Target) -> Findings:
    counted = reply(target, TOKENS)["usage"]["prompt_tokens"]
    if counted != len(TOKENS):
        yield f"{len(TOKENS)} token ids were counted as {counted!r}"


@check("embeddings.texts")
def texts(target: Target) -> Findings:
    rows = reply(target, TEXTS)["data"]
    if len(rows) != len(TEXTS):
        yield f"{len(TEXTS)} texts gave {len(rows)} vectors"
    for place, row in enumerate(rows):
        if not row["embedding"]:
            yield f"vector {place} was empty"


@check("embeddings.texts-order")
def texts_order(target: Target) -> Findings:
    place = nearest(target, SHORT, rows_of(target, TEXTS))
    if place != TEXTS.index(SHORT):
        yield f"the vector of text {TEXTS.index(SHORT)} stood in place {place}"


@check("embeddings.texts-index")
def texts_index(target: Target) -> Findings:
    rows = rows_of(target, TEXTS)
    indexes = [row["index"] for row in rows]
    if sorted(indexes) != list(range(len(TEXTS))):
        yield f"{len(TEXTS)} texts gave the indexes {indexes}"
        return
    index = indexes[nearest(target, SHORT, rows)]
    if index != TEXTS.index(SHORT):
        yield f"the vector of text {TEXTS.index(SHORT)} had the index {index}"


@check("embeddings.token-arrays")
def token_arrays(target: Target) -> Findings:
    rows = reply(target, [TOKENS, TOKENS[:2]])["data"]
    if len(rows) != 2:
        yield f"two token arrays gave {len(rows)} vectors"


@check("embeddings.input-limit")
def input_limit(target: Target) -> Findings:
    """The tokens are an array in an array, whose length has a limit of its own."""
    model = target.spec.models.get(target.model("embeddings"))
    if model is None or model.context is None:
        raise Absent("known context of the model")
    answer = target.call("createEmbedding", input=[[11] * (model.context + 1)])
    if answer.status != 400:
        yield f"{model.context + 1} tokens were answered {answer.status}"


@check("embeddings.batch-alike")
def batch_alike(target: Target) -> Findings:
    alone, batch = vector(target, SHORT), vectors(target, TEXTS)
    closest = max(cosine(alone, one) for one in batch)
    if closest < ALIKE:
        yield f"the nearest vector of the batch had the cosine {closest:.4f}"


@check("embeddings.deterministic")
def deterministic(target: Target) -> Findings:
    likeness = cosine(vector(target, SHORT), vector(target, SHORT))
    if likeness < ALIKE:
        yield f"two vectors of one text had the cosine {likeness:.4f}"


@check("embeddings.width")
def width(target: Target) -> Findings:
    model = target.spec.models.get(target.model("embeddings"))
    if model is None or model.width is None:
        raise Absent("known width of the model")
    count = len(vector(target, SHORT))
    if count != model.width:
        yield f"a vector of {model.id} had {count} numbers"


@check("embeddings.same-width")
def same_width(target: Target) -> Findings:
    counts = [len(one) for one in vectors(target, TEXTS)]
    if len(set(counts)) != 1:
        yield f"the vectors had {counts} numbers"


@check("embeddings.unit-norm")
def unit_norm(target: Target) -> Findings:
    length = norm(vector(target, SHORT))
    if abs(length - 1) > CLOSE:
        yield f"a vector had the length {length:.4f}"


@check("embeddings.near")
def near(target: Target) -> Findings:
    found = vectors(target, [text for kin in KINDRED for text in kin])
    for place, (one, _, stranger) in enumerate(KINDRED):
        first, second, third = found[3 * place : 3 * place + 3]
        apart = max(cosine(first, third), cosine(second, third))
        if cosine(first, second) <= apart:
            yield f"{one!r} was as near to {stranger!r} as to its like"


@check("embeddings.usage")
def usage(target: Target) -> Findings:
    counted = reply(target, TEXTS)["usage"]
    if counted["total_tokens"] != counted["prompt_tokens"]:
        yield f"the usage was {counted.plain}"


@check("embeddings.usage-no-completion")
def usage_no_completion(target: Target) -> Findings:
    counted = reply(target, SHORT)["usage"]
    if "completion_tokens" in counted:
        yield f"the usage had {counted['completion_tokens']!r} completion_tokens"


@check("embeddings.model-named")
def model_named(target: Target) -> Findings:
    named = reply(target, SHORT)["model"]
    if not str(named).startswith(target.model("embeddings")):
        yield f"the answer named the model {named!r}"


@check("embeddings.ada-002")
def ada_002(target: Target) -> Findings:
    answer = target.call("createEmbedding", model=ADA)
    if answer.status != 200:
        yield f"{ADA} was answered {answer.status}"


@check("embeddings.float")
def float_list(target: Target) -> Findings:
    sent = plain(reply(target, SHORT, encoding_format="float")["data"][0]["embedding"])
    if not isinstance(sent, list):
        yield f"the vector was {sent!r:.40}"
    elif strange := [x for x in sent if type(x) not in (int, float)]:
        yield f"{len(strange)} of {len(sent)} numbers were like {strange[0]!r}"


@check("embeddings.base64")
def base64_text(target: Target) -> Findings:
    coded = coded_vector(target)
    if not isinstance(coded, str):
        yield f"the vector was a {type(plain(coded)).__name__}"
        return
    numbers = decoded(coded)
    if not numbers:
        yield f"the vector was no base64 of whole float32 numbers: {coded[:40]!r}"
    elif wild := [x for x in numbers if not abs(x) < HUGE]:
        yield f"{len(wild)} of {len(numbers)} numbers were like {wild[0]:g}"


@check("embeddings.base64-equal")
def base64_equal(target: Target) -> Findings:
    coded = coded_vector(target)
    numbers = decoded(coded) if isinstance(coded, str) else []
    if not numbers:
        raise Absent("vector in base64")
    listed = vector(target, SHORT)
    if len(numbers) != len(listed):
        yield f"base64 held {len(numbers)} numbers, the list {len(listed)}"
        return
    apart = max(abs(a - b) for a, b in zip(numbers, listed, strict=True))
    if not apart <= CLOSE:
        yield f"a number in base64 differed by {apart:g} from the list's"


def reply(target: Target, input: Any, **more: Any) -> View:
    return target.call("createEmbedding", input=input, **more).json()


def rows_of(target: Target, texts: Sequence[str]) -> list[Any]:
    """The entries of an answer; raises Absent where there are fewer than texts."""
    rows = reply(target, list(texts))["data"]
    if len(rows) < len(texts):
        raise Absent(f"data[{len(texts) - 1}]")
    return list(rows)


def vectors(target: Target, texts: Sequence[str]) -> list[list[float]]:
    return [numbers_of(row) for row in rows_of(target, texts)]


def vector(target: Target, text: str) -> list[float]:
    """The vector of ``text`` alone."""
    return numbers_of(reply(target, text)["data"][0])


def numbers_of(row: Any) -> list[float]:
    """The numbers of an entry; raises Absent where it is no list of them."""
    found = plain(row["embedding"])
    if not isinstance(found, list) or not found:
        raise Absent("embedding with numbers")
    return found


def coded_vector(target: Target) -> Any:
    """The vector of the short text as it comes in base64."""
    rows = reply(target, SHORT, encoding_format="base64")["data"]
    return rows[0]["embedding"]


def decoded(text: str) -> list[float]:
    """The little-endian float32 numbers in base64; none where it is something else."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return []
    if len(raw) % 4:
        return []
    return list(struct.unpack(f"<{len(raw) // 4}f", raw))


def nearest(target: Target, text: str, rows: Sequence[Any]) -> int:
    """The place of the entry that is most like ``text`` alone."""
    alone = vector(target, text)
    likeness = [cosine(alone, numbers_of(row)) for row in rows]
    return likeness.index(max(likeness))


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    """How alike two vectors are; 0 where one has no length."""
    lengths = norm(a) * norm(b)
    return sum(x * y for x, y in zip(a, b, strict=False)) / lengths if lengths else 0.0


def direction(vector: Sequence[float]) -> list[float]:
    """The vector with length one; raises Absent where it has none."""
    length = norm(vector)
    if not length:
        raise Absent("vector with a length")
    return [x / length for x in vector]


def norm(vector: Sequence[float]) -> float:
    return math.sqrt(sum(x * x for x in vector))
