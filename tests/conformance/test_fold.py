import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.fold import fold
from conformance.view import Absent, View
from spec import load

TEXT = {
    "object": "text_completion",
    "join": ["text"],
    "extend": ["logprobs.tokens", "logprobs.top_logprobs"],
    "last": ["finish_reason"],
}
CHAT = {
    "object": "chat.completion",
    "from": "delta",
    "to": "message",
    "join": ["content"],
    "first": ["role"],
    "last": ["finish_reason"],
}


@given(st.lists(st.tuples(st.integers(0, 2), st.text()), min_size=1))
def test_texts_are_joined_by_choice(pieces):
    chunks = [
        {"id": "a", "object": "c", "choices": [{"index": n, "text": t}]}
        for n, t in pieces
    ]

    whole = fold(chunks, TEXT)

    indexes = sorted({n for n, _ in pieces})
    assert [choice["index"] for choice in whole["choices"]] == indexes
    for choice in whole["choices"]:
        said = [t for n, t in pieces if n == choice["index"]]
        assert choice["text"] == "".join(said)


def test_a_conversation_is_folded():
    deltas = [
        {"role": "assistant", "content": None},
        {"content": "a"},
        {"content": "b"},
        {},
    ]
    ends = [None, None, None, "stop"]
    chunks = [
        View(
            {
                "id": "x",
                "object": "chunk",
                "model": "m",
                "choices": [{"index": 0, "delta": delta, "finish_reason": end}],
            }
        )
        for delta, end in zip(deltas, ends, strict=True)
    ]

    assert fold(chunks, CHAT) == {
        "id": "x",
        "object": "chat.completion",
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"content": "ab", "role": "assistant"},
                "finish_reason": "stop",
            }
        ],
    }


def test_lists_are_extended_under_their_object():
    parts = [
        {"tokens": ["a"], "top_logprobs": None},
        None,
        {"tokens": ["b"], "top_logprobs": None},
    ]
    chunks = [
        {"choices": [{"index": 0, "text": "", "logprobs": part}]} for part in parts
    ]

    (choice,) = fold(chunks, TEXT)["choices"]

    assert choice["logprobs"] == {"tokens": ["a", "b"], "top_logprobs": None}


def test_an_object_that_is_always_null_stays_null():
    chunks = [{"choices": [{"index": 0, "text": "a", "logprobs": None}]}] * 2

    assert fold(chunks, TEXT)["choices"] == [
        {"index": 0, "text": "aa", "logprobs": None}
    ]


@pytest.mark.parametrize(
    "chunks", [[], [{}], [{"choices": [{"text": "a"}]}]], ids=["none", "bare", "index"]
)
def test_what_is_no_chunk_is_absent(chunks):
    with pytest.raises(Absent):
        fold(chunks, TEXT)


def call(index, **parts):
    delta = {"tool_calls": [{"index": index, **parts}]}
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return {"object": "chat.completion.chunk", "choices": [choice]}


def test_the_pieces_of_tool_calls_are_put_together_by_index():
    recipe = load("2023-12").operations["createChatCompletion"].stream.fold
    chunks = [
        call(0, id="call_1", type="function", function={"name": "a", "arguments": ""}),
        call(0, function={"arguments": '{"x"'}),
        call(1, id="call_2", type="function", function={"name": "b", "arguments": ""}),
        call(0, function={"arguments": ": 1}"}),
        call(1, function={"arguments": "{}"}),
    ]

    message = fold(chunks, recipe)["choices"][0]["message"]

    assert message["tool_calls"] == [
        {
            "id": "call_1",
            "type": "function",
            "function": {"name": "a", "arguments": '{"x": 1}'},
        },
        {
            "id": "call_2",
            "type": "function",
            "function": {"name": "b", "arguments": "{}"},
        },
    ]
