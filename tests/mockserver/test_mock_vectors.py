"""Embeddings and moderations through the real edge."""

import base64
import math
import struct

import pytest


def vectors(answer):
    return [one["embedding"] for one in answer.json["data"]]


def test_a_vector_is_the_same_in_base64_and_as_a_list(mock):
    (listed,) = vectors(mock.sample("createEmbedding"))
    (coded,) = vectors(mock.sample("createEmbedding", encoding_format="base64"))

    raw = base64.b64decode(coded, validate=True)
    assert list(struct.unpack("<1536f", raw)) == listed
    assert math.isclose(math.hypot(*listed), 1, abs_tol=1e-5)


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ("hello", 1),
        (["hello", "a longer text", "x"], 3),
        ([1212, 318, 257], 1),
        ([[1212], [318, 257]], 2),
        ([1212.0], 1),
    ],
    ids=["text", "texts", "tokens", "lists of tokens", "floats that are whole"],
)
def test_each_input_has_a_vector_with_its_place(mock, value, count):
    answer = mock.sample("createEmbedding", input=value)

    assert [one["index"] for one in answer.json["data"]] == list(range(count))
    assert {len(vector) for vector in vectors(answer)} == {1536}


def test_a_text_has_the_same_vector_alone_and_in_a_batch(mock):
    alone = mock.sample("createEmbedding", input="hello")
    batch = mock.sample("createEmbedding", input=["a longer text", "hello"])

    assert vectors(alone)[0] == vectors(batch)[1]


def test_usage_counts_the_tokens_of_all_inputs(mock):
    texts = ["hello", "a longer text"]

    usage = mock.sample("createEmbedding", input=texts).json["usage"]

    count = sum(len(mock.tokens(text)) for text in texts)
    assert usage == {"prompt_tokens": count, "total_tokens": count}


def test_an_input_may_fill_the_context_and_no_more(mock, spec):
    limit = spec.models["text-embedding-ada-002"].accepts

    full = mock.sample("createEmbedding", input=[5] * limit)
    over = mock.sample("createEmbedding", input=[[5], [5] * (limit + 1)])

    assert full.json["usage"]["total_tokens"] == limit
    assert over.error == (400, "invalid_request_error", None, None)


@pytest.mark.parametrize("value", ["one", ["one"], ["one", "two", "three"], []])
def test_each_text_is_judged(mock, value):
    answer = mock.sample("createModeration", input=value)

    count = 1 if isinstance(value, str) else len(value)
    assert len(answer.json["results"]) == count


def test_the_results_stand_in_the_order_of_the_texts(mock):
    texts = ["A calm lake.", "I want to kill them.", "Bread and butter."]

    answer = mock.sample("createModeration", input=texts)

    flagged = [one["flagged"] for one in answer.json["results"]]
    assert flagged == [False, True, False]


@pytest.mark.parametrize(
    "model", [None, "text-moderation-latest", "text-moderation-stable"]
)
def test_a_moderation_names_a_numbered_model(mock, model):
    named = {} if model is None else {"model": model}

    answer = mock.sample("createModeration", **named)

    assert answer.json["model"] == "text-moderation-001"
    assert answer.headers["openai-model"] == "text-moderation-001"
