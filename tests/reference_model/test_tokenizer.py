import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

import reference_model
from reference_model.checksum import WEIGHTS
from reference_model.tokenizer import SPECIAL, Call, calls, load_tokenizer

TOKENIZER = load_tokenizer()
TEMPLATE = Path(reference_model.__file__).parent / "chat_template.jinja"
TEXTS = st.text() | st.lists(st.sampled_from(SPECIAL)).map(" ".join)


def has_capitals(word):
    """JSON has a token of its own, and the last merge found no room for a second."""
    return "js" not in word and "zz" not in word


@given(TEXTS)
def test_any_text_comes_back(text):
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


@given(TEXTS)
def test_no_text_encodes_to_a_special_token(text):
    assert all(id < TOKENIZER.ordinary for id in TOKENIZER.encode(text))


@given(st.from_regex(r"[^\W\d_]{1,12}", fullmatch=True))
def test_a_word_has_the_same_tokens_behind_a_space(word):
    """So that a copy in quotation marks, or without them, is a copy of tokens."""
    alone, spaced = (
        [TOKENIZER.token_bytes(id) for id in TOKENIZER.encode(text)]
        for text in (word, f" {word}")
    )

    assert alone == [part for part in (one.lstrip(b" ") for one in spaced) if part]


@given(st.from_regex(r"[a-z]{1,12}", fullmatch=True).filter(has_capitals))
def test_a_word_has_the_same_tokens_in_capitals(word):
    small, capital = (
        [TOKENIZER.decode([id]) for id in TOKENIZER.encode(text)]
        for text in (word, word.upper())
    )

    assert [piece.upper() for piece in small] == capital


@given(st.text())
def test_bytes_of_tokens_join_to_the_text(text):
    pieces = map(TOKENIZER.token_bytes, TOKENIZER.encode(text))

    assert b"".join(pieces) == text.encode()


def test_every_byte_is_a_token():
    spelled = {TOKENIZER.token_bytes(id) for id in range(TOKENIZER.ordinary)}

    assert {bytes([byte]) for byte in range(256)} <= spelled


def test_a_lone_surrogate_becomes_a_question_mark():
    assert TOKENIZER.decode(TOKENIZER.encode("a\ud800b")) == "a?b"


def test_half_a_letter_decodes_to_a_replacement_sign():
    half = next(id for id in range(256) if TOKENIZER.token_bytes(id) == b"\xc3")

    assert TOKENIZER.decode([half]) == "\ufffd"


def test_special_tokens_add_nothing_to_the_text():
    special = range(TOKENIZER.ordinary, TOKENIZER.vocabulary_size)

    assert [TOKENIZER.token_bytes(id) for id in special] == [b""] * len(SPECIAL)


@pytest.mark.parametrize("id", [50256, 100257])
def test_published_ends_fold_to_ours(id):
    assert TOKENIZER.fold(id) == TOKENIZER.end_of_text


@given(st.integers(0, TOKENIZER.vocabulary_size - 1))
def test_our_ids_fold_to_themselves(id):
    assert TOKENIZER.fold(id) == id


@given(st.integers(TOKENIZER.vocabulary_size, 300_000))
def test_foreign_ids_fold_to_ordinary_tokens(id):
    if id not in (50256, 100257):
        assert 0 <= TOKENIZER.fold(id) < TOKENIZER.ordinary


def test_a_chat_is_its_messages_and_an_opening():
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi", "name": "Anna"},
    ]

    ids = TOKENIZER.chat(messages)

    first, second = map(TOKENIZER.message, messages)
    assert ids[:-1] == first + second
    assert first[-1] == second[-1] == TOKENIZER.end_of_text
    assert TOKENIZER.decode(second) == "AnnaHi"


def test_roles_and_names_change_the_chat():
    spoken = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hi"},
        {"role": "user", "content": "Hi", "name": "Anna"},
        {"role": "user", "content": "AnnaHi"},
    ]

    chats = {tuple(TOKENIZER.chat([message])) for message in spoken}

    assert len(chats) == len(spoken)


def test_infill_tells_before_from_after():
    before, after = TOKENIZER.encode("one"), TOKENIZER.encode("two")

    assert TOKENIZER.infill(before, after) != TOKENIZER.infill(after, before)
    assert TOKENIZER.decode(TOKENIZER.infill(before, after)) == "onetwo"


WEATHER = {
    "name": "get_weather",
    "description": "Get the\n weather",
    "parameters": {
        "type": "object",
        "properties": {
            "location": {"type": "string"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            "days": {"type": ["integer", "null"]},
            "any": {},
        },
        "required": ["location"],
    },
}


def test_functions_are_told_in_a_line_each():
    ids = TOKENIZER.chat([], [WEATHER, {"name": "stop"}])

    assert TOKENIZER.decode(ids) == (
        "functions"
        'get_weather {"location": "string", "unit": "celsius|fahrenheit?",'
        ' "days": "integer|null?", "any": "any?"} Get the weather\n'
        "stop {}"
    )


def test_json_is_demanded_before_the_chat():
    asked = [{"role": "user", "content": "Hi"}]

    ids = TOKENIZER.chat(asked, json_object=True)

    assert TOKENIZER.decode(ids) == "formatJSONHi"
    assert ids[-len(TOKENIZER.chat(asked)) :] == TOKENIZER.chat(asked)


@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers())), st.text())
def test_calls_come_back_as_they_were_told(values, content):
    arguments = [json.dumps(value) for value in values]
    functions = [{"name": "act", "arguments": said} for said in arguments]
    message = {"role": "assistant", "content": content}
    message["tool_calls"] = [{"function": function} for function in functions]

    told = TOKENIZER.decode(TOKENIZER.message(message))

    found = tuple(Call("act", one) for one in arguments)
    assert calls(told, {"act"}) == (content, found)
    assert calls(told, set())[1] == ()


def test_both_ways_to_tell_of_a_call_are_one():
    function = {"name": "act", "arguments": "{}"}

    old = {"role": "assistant", "content": None, "function_call": function}
    new = {"role": "assistant", "content": None, "tool_calls": [{"function": function}]}

    assert TOKENIZER.message(old) == TOKENIZER.message(new)
    assert TOKENIZER.decode(TOKENIZER.message(old)) == "<call>act {}"


def test_a_call_that_is_demanded_begins_as_any_other():
    whole = {"role": "assistant", "function_call": {"name": "act", "arguments": "{}"}}

    begun = TOKENIZER.call("act")

    assert TOKENIZER.message(whole)[1 : 1 + len(begun)] == begun


def test_an_edit_is_an_instruction_and_a_text():
    ids = TOKENIZER.edit("Fix it", "a tset")

    assert TOKENIZER.decode(ids) == "editFix ita tset"


@pytest.mark.parametrize("module", ["tokenizer", "embed", "moderate"])
def test_no_torch_is_imported_by(module):
    code = f"import sys, reference_model.{module}; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def rendered(messages, functions, json_object):
    """Ids by the template, as programs that load the weights would have them."""
    environment = Environment()
    environment.filters["tojson"] = partial(json.dumps, ensure_ascii=False)
    text = environment.from_string(TEMPLATE.read_text()).render(
        messages=messages,
        tools=[{"type": "function", "function": one} for one in functions],
        json_object=json_object,
        add_generation_prompt=True,
    )
    plain = tokenizers.Tokenizer.from_file(str(WEIGHTS / "tokenizer.json"))
    return plain.encode(text, add_special_tokens=False).ids


@pytest.mark.parametrize("json_object", [False, True])
@pytest.mark.parametrize("functions", [[], [WEATHER], [WEATHER, {"name": "stop"}]])
def test_the_chat_template_renders_the_same_ids(functions, json_object):
    function = {"name": "act", "arguments": '{"word": "né"}'}
    called = {"type": "function", "function": function}
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "critic", "content": " two\n\nlines "},
        {"role": "user", "content": "Hi", "name": "Anna"},
        {"role": "assistant", "content": None, "function_call": function},
        {"role": "function", "name": "act", "content": "{}"},
        {
            "role": "assistant",
            "content": "So",
            "tool_calls": [called] * 2,
        },
        {"role": "tool", "content": "done", "tool_call_id": "call_1"},
    ]

    ids = TOKENIZER.chat(messages, functions, json_object=json_object)

    assert rendered(messages, functions, json_object) == ids
