"""Every bad request has its answer, and the next request is served."""

import re

import pytest

INVALID = "invalid_request_error"
FAULTY = (400, INVALID, None, None)
UNKNOWN_MODEL = (404, INVALID, None, "model_not_found")
MISFIT = (404, INVALID, "model", None)
UNSUPPORTED = (415, INVALID, None, None)

COMPLETION, CHAT = "createCompletion", "createChatCompletion"
EMBEDDING, MODERATION = "createEmbedding", "createModeration"
OPERATIONS = (COMPLETION, CHAT, EMBEDDING, MODERATION)
WITH_MODEL = (COMPLETION, CHAT, EMBEDDING)

RAW = {
    "no body": b"",
    "not JSON": b"{model: ada}",
    "half of it": b'{"model": "ada',
    "two objects": b"{}{}",
    "a list": b"[]",
    "a word": b'"model"',
    "a number": b"5",
    "null": b"null",
    "NaN": b'{"model": NaN}',
    "Infinity": b'{"model": -Infinity}',
    "1e400": b'{"model": 1e400}',
    "5000 digits": b'{"model": %s}' % (b"9" * 5000),
    "NUL": b'{"model": "\0"}',
    "NUL behind it": b"{}\0",
    "invalid UTF-8": b'{"model": "\xff"}',
    "UTF-16": '{"model": "ada"}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "half a surrogate pair": rb'{"model": "\ud83d"}',
    "surrogates in a name": rb'{"\udc00\ud83d": 1}',
    "100,000 lists": b'{"model": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "100,000 objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "100,000 open lists": b"[" * 100_000,
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("raw", RAW.values(), ids=RAW)
def test_what_is_not_one_json_object_is_refused(mock, operation, raw):
    answer = mock.ask(operation, raw)

    assert answer.error == FAULTY
    assert mock.sample(operation).status == 200


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("depth", [200, 260, 400, 700, 900, 950, 980])
@pytest.mark.parametrize("field", ["model", "input", "prompt", "messages", "user"])
def test_nesting_of_any_depth_is_refused_and_never_a_fault_of_ours(
    mock, operation, depth, field
):
    nested = b"[" * depth + b"]" * depth

    answer = mock.ask(
        operation, b'{"model": "ada", "%s": %s}' % (field.encode(), nested)
    )

    assert answer.status in (400, 404)
    assert mock.sample(operation).status == 200


def test_nesting_where_nobody_looks_is_no_fault(mock):
    nested = b"[" * 400 + b"]" * 400
    message = b'{"role": "user", "content": "hi", "more": %s}' % nested

    answer = mock.ask(CHAT, b'{"model": "gpt-4", "messages": [%s]}' % message)

    assert answer.status == 200


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "media_type",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "text/json", "\xff"],
)
def test_another_media_type_is_refused(mock, operation, media_type):
    answer = mock.ask(operation, {}, {"content-type": media_type})

    assert answer.error == UNSUPPORTED
    assert mock.sample(operation).status == 200


@pytest.mark.parametrize(
    "media_type",
    ["application/json; charset=utf-8", "Application/JSON", " application/json ;a=b"],
)
def test_parameters_of_the_media_type_are_passed_over(mock, media_type):
    body = {"input": "hello"}

    assert mock.ask(MODERATION, body, {"content-type": media_type}).status == 200


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("model", ["nope", "", "ADA", "ada ", "\0", "é" * 500])
def test_an_unknown_model_is_refused(mock, operation, model):
    answer = mock.sample(operation, model=model)

    assert answer.error == UNKNOWN_MODEL
    assert mock.sample(operation).status == 200


@pytest.mark.parametrize(
    ("operation", "model"),
    [
        (COMPLETION, "gpt-3.5-turbo"),
        (COMPLETION, "text-embedding-ada-002"),
        (COMPLETION, "whisper-1"),
        (CHAT, "text-davinci-003"),
        (CHAT, "text-moderation-latest"),
        (EMBEDDING, "gpt-4"),
        (EMBEDDING, "ada"),
        (MODERATION, "gpt-4"),
    ],
)
def test_a_model_of_another_endpoint_is_refused(mock, operation, model):
    answer = mock.sample(operation, model=model)

    assert answer.error == MISFIT
    assert mock.sample(operation).status == 200


@pytest.mark.parametrize(
    ("operation", "missing"),
    [
        (COMPLETION, "model"),
        (CHAT, "model"),
        (CHAT, "messages"),
        (EMBEDDING, "model"),
        (EMBEDDING, "input"),
        (MODERATION, "input"),
    ],
)
@pytest.mark.parametrize("how", ["absent", "null"])
def test_what_is_required_must_be_there(mock, operation, missing, how):
    body = dict(mock.rooms.spec.operations[operation].sample)
    del body[missing]

    answer = mock.ask(operation, body if how == "absent" else {**body, missing: None})

    assert answer.error == FAULTY
    assert mock.sample(operation).status == 200


HUGE = 10**400
NUMBERS = ("temperature", "top_p", "presence_penalty", "frequency_penalty")
COUNTS = ("n", "max_tokens", "best_of", "logprobs")
OUT_OF_RANGE = {
    **{name: (-3, 2.5, HUGE, -HUGE, "1", [], True, "NaN") for name in NUMBERS},
    **{name: (-1, 1.5, -HUGE, "2", {}, False) for name in COUNTS},
    "n": (0, -1, 1.5, 129, HUGE, "2"),
    "best_of": (21, HUGE, "2"),
    "logprobs": (6, HUGE, "2"),
    "stream": ("yes", 1, []),
    "echo": ("yes", 0),
    "stop": (5, [], [1], list("abcde"), {}, [None], HUGE),
    "user": (5, ["a"], None, HUGE),
    "suffix": (5, ["a"], HUGE),
    "logit_bias": (
        [],
        "a",
        {"a": 1},
        {"-1": 1},
        {"1\n": 1},
        {"\u0661": 1},
        {"1": 101},
        {"1": -HUGE},
        {"1": None},
    ),
    "encoding_format": ("hex", 5, []),
    "prompt": (5, {}, [], [[]], [1.5], [-1], ["a", 1], [None], [[1], "a"], HUGE),
    "input": (5, {}, [["a", 1]], [1.5], [-1], [True], [None], None, HUGE, [[]]),
    "messages": (
        "hi",
        [],
        ["hi"],
        [{}],
        [{"role": "user"}],
        [{"content": "a"}],
        [{"role": "robot", "content": "a"}],
        [{"role": "user", "content": 5}],
        [{"role": "user", "content": None}],
        [{"role": "user", "content": "a", "name": "a b"}],
        [{"role": "user", "content": "a", "name": "a" * 65}],
        [{"role": "user", "content": "a", "name": "a\n"}],
        [{"role": "user", "content": "a", "name": ""}],
        HUGE,
    ),
}
NOT_MODERATION = {"input": ("", [], [""], ["a", ""], [[]])}


def out_of_range(spec):
    for operation in OPERATIONS:
        for name in spec.operations[operation].fields:
            more = NOT_MODERATION if operation == EMBEDDING else {}
            for value in (*OUT_OF_RANGE.get(name, ()), *more.get(name, ())):
                if value is not None or name not in ("stop", "logprobs"):
                    yield operation, name, value


def test_a_value_out_of_its_range_is_refused(mock, spec):
    seen = set()

    for operation, name, value in out_of_range(spec):
        answer = mock.sample(operation, **{name: value})
        seen.add(name)
        assert answer.error == FAULTY, (operation, name, str(value)[:50], answer.raw)
        assert mock.sample(operation).status == 200

    assert seen == set(OUT_OF_RANGE)


@pytest.mark.parametrize("asked", [10**6, HUGE, 1e300])
def test_max_tokens_of_any_size_is_counted_against_the_context(mock, asked):
    completion = mock.sample(COMPLETION, max_tokens=asked)
    chat = mock.sample(CHAT, max_tokens=asked)

    assert completion.error == FAULTY
    assert chat.error == (400, INVALID, "messages", "context_length_exceeded")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_unknown_parameter_is_refused_and_named(mock, operation):
    answer = mock.sample(operation, top_k=1, seed=HUGE)

    assert answer.error == FAULTY
    assert re.search("seed'?, '?top_k", answer.json["error"]["message"])


@pytest.mark.parametrize(
    ("changes", "served"),
    [
        ({"n": 3, "best_of": 2}, False),
        ({"best_of": 2, "stream": True}, False),
        ({"n": 3, "best_of": None}, True),
        ({"n": 2.0, "best_of": 2.0, "max_tokens": 1e0}, True),
        ({"n": 2, "best_of": 2, "stream": True}, True),
        ({"best_of": 0}, True),
    ],
    ids=str,
)
def test_best_of_covers_n(mock, changes, served):
    answer = mock.sample(COMPLETION, **changes)

    assert answer.status == (200 if served else 400)


@pytest.mark.parametrize("operation", [COMPLETION, EMBEDDING])
@pytest.mark.parametrize("tokens", [[HUGE], [[1, HUGE]], [2**63], [1e300], [50256.0]])
def test_token_ids_of_any_size_are_taken(mock, operation, tokens):
    field = "prompt" if operation == COMPLETION else "input"

    assert mock.sample(operation, **{field: tokens}).status == 200


def test_of_keys_that_come_twice_the_last_counts(mock):
    twice = b'{"model": "nope", "model": "ada", "max_tokens": 1, "max_tokens": 0}'

    answer = mock.ask(COMPLETION, twice)

    assert answer.status == 200
    assert answer.json["usage"]["completion_tokens"] == 0


def test_a_surrogate_pair_is_a_character(mock):
    answer = mock.ask(
        COMPLETION, rb'{"model": "ada", "prompt": "\ud83d\ude42", "echo": true}'
    )

    assert answer.json["choices"][0]["text"].startswith("\N{SLIGHTLY SMILING FACE}")


def test_text_may_hold_a_nul(mock):
    assert mock.complete("a\0b", max_tokens=1).status == 200


@pytest.mark.parametrize("operation", [COMPLETION, CHAT])
def test_a_faulty_request_for_a_stream_is_refused_in_json(mock, operation):
    answer = mock.sample(operation, stream=True, temperature=3)

    assert answer.error == FAULTY
    assert answer.headers["content-type"] == "application/json"


def test_faults_are_told_in_order(mock):
    """Key, JSON, model named, model known, model fits, schema, context."""
    keyless = {"authorization": None}
    long = [{"role": "user", "content": "word " * 5000}]

    told = [
        mock.ask(CHAT, b"{", keyless).status,
        mock.ask(CHAT, b"{").json["error"]["message"][:18],
        mock.ask(CHAT, {"n": 0}).json["error"]["message"],
        mock.ask(CHAT, {"model": "nope", "n": 0}).error,
        mock.ask(CHAT, {"model": "ada", "n": 0}).error,
        mock.ask(CHAT, {"model": "gpt-4", "messages": long, "n": 0}).error,
        mock.ask(CHAT, {"model": "gpt-3.5-turbo", "messages": long}).error[3],
    ]

    assert told == [
        401,
        "We could not parse",
        "you must provide a model parameter",
        UNKNOWN_MODEL,
        MISFIT,
        FAULTY,
        "context_length_exceeded",
    ]
