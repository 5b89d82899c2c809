"""What answers to a conversation are made of."""

import pytest


def contents(answer):
    return [one["message"]["content"] for one in answer.json["choices"]]


def test_the_first_delta_of_a_choice_names_the_role_and_the_last_is_empty(mock):
    mock.script("one two", "three")

    chunks = mock.chat(n=2, stream=True).chunks

    for index in (0, 1):
        parts = [c["choices"][0] for c in chunks if c["choices"][0]["index"] == index]
        first, *between, last = [part["delta"] for part in parts]
        assert first == {"role": "assistant", "content": ""}
        assert all(set(delta) == {"content"} for delta in between)
        assert last == {}
        assert parts[-1]["finish_reason"] == "stop"


def test_the_choices_of_a_stream_come_in_turn(mock):
    mock.script("a b c d", "e f g h")

    chunks = mock.chat(n=2, stream=True).chunks

    order = [chunk["choices"][0]["index"] for chunk in chunks]
    assert order == [0, 1] * (len(order) // 2)


def test_a_stream_has_no_usage(mock):
    assert not any("usage" in chunk for chunk in mock.chat(stream=True).chunks)


@pytest.mark.parametrize("n", [None, 1, 3])
def test_there_are_n_answers_of_the_assistant(mock, n):
    answer = mock.chat(n=n, max_tokens=3)

    choices = answer.json["choices"]
    assert [one["index"] for one in choices] == list(range(n or 1))
    assert {one["message"]["role"] for one in choices} == {"assistant"}


def test_usage_counts_the_messages_once_and_every_answer(mock):
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello", "name": "eve"},
    ]
    mock.script("one two", "three")

    answer = mock.chat(messages=messages, n=2)

    prompt = len(mock.rooms.mind.tokenizer.chat(messages))
    completion = len(mock.tokens("one two")) + len(mock.tokens("three"))
    assert answer.json["usage"] == {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


@pytest.mark.parametrize(
    ("model", "named"),
    [
        ("gpt-3.5-turbo", "gpt-3.5-turbo-0301"),
        ("gpt-3.5-turbo-0301", "gpt-3.5-turbo-0301"),
        ("gpt-4", "gpt-4-0314"),
        ("gpt-4-32k", "gpt-4-32k-0314"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_an_alias_answers_with_its_snapshot(mock, model, named, stream):
    answer = mock.chat(model=model, max_tokens=1, stream=stream)

    bodies = answer.chunks if stream else [answer.json]
    assert {body["model"] for body in bodies} == {named}
    assert answer.headers["openai-model"] == named


def filled(mock, count):
    """Messages of ``count`` tokens."""
    frame = len(mock.rooms.mind.tokenizer.chat([{"role": "user", "content": ""}]))
    (word,) = mock.tokens(" the")
    assert word
    return [{"role": "user", "content": " the" * (count - frame)}]


def test_a_context_may_be_filled_and_no_more(mock, spec):
    limit = spec.models["gpt-3.5-turbo"].accepts
    messages = filled(mock, limit - 1)

    full = mock.chat(messages=messages, max_tokens=1)
    over = mock.chat(messages=messages, max_tokens=2)

    assert full.json["usage"]["total_tokens"] == limit
    assert over.error == (
        400,
        "invalid_request_error",
        "messages",
        "context_length_exceeded",
    )


def test_without_max_tokens_an_answer_ends_where_the_context_does(mock, spec):
    limit = spec.models["gpt-3.5-turbo"].accepts
    messages = filled(mock, limit - 2)

    answer = mock.chat(messages=messages, logit_bias={"50256": -100})

    assert answer.json["usage"]["total_tokens"] == limit
    assert answer.json["choices"][0]["finish_reason"] == "length"


def test_messages_that_leave_no_room_are_refused(mock, spec):
    messages = filled(mock, spec.models["gpt-3.5-turbo"].accepts)

    assert mock.chat(messages=messages).error[2:] == (
        "messages",
        "context_length_exceeded",
    )


@pytest.mark.parametrize("stop", ["two", ["three", "two"]])
def test_an_answer_ends_before_a_stop(mock, stop):
    mock.script("one two three")

    assert contents(mock.chat(stop=stop)) == ["one "]


def test_the_messages_decide_the_answer(mock):
    said = {contents(mock.chat(text, temperature=0))[0] for text in ("Hello", "Why?")}

    assert len(said) == 2


def test_the_conversation_is_what_the_model_sees(mock):
    messages = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": "three", "name": "eve"},
    ]
    mock.chat(messages=messages, max_tokens=1)

    seen = mock.ask("controlCounters").json["prompt"]["tokens"]

    assert seen == mock.rooms.mind.tokenizer.chat(messages)


def test_fields_of_later_editions_are_not_read(mock):
    told = {"role": "user", "content": "Hello", "tool_calls": [{"function": []}]}
    mock.chat(messages=[told], max_tokens=1)

    seen = mock.ask("controlCounters").json["prompt"]["tokens"]

    plain = {"role": "user", "content": "Hello"}
    assert seen == mock.rooms.mind.tokenizer.chat([plain])


def test_max_tokens_cuts_an_answer(mock):
    mock.script("one two three four")

    answer = mock.chat(max_tokens=2)

    assert answer.json["choices"][0]["finish_reason"] == "length"
    assert answer.json["usage"]["completion_tokens"] == 2
