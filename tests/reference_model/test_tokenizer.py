import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_model.tokenizer import SPECIAL, load_tokenizer

TOKENIZER = load_tokenizer()
TEXTS = st.text() | st.lists(st.sampled_from(SPECIAL)).map(" ".join)


@given(TEXTS)
def test_any_text_comes_back(text):
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


@given(TEXTS)
def test_no_text_encodes_to_a_special_token(text):
    assert all(id < TOKENIZER.ordinary for id in TOKENIZER.encode(text))


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


@pytest.mark.parametrize("module", ["tokenizer", "embed", "moderate"])
def test_no_torch_is_imported_by(module):
    code = f"import sys, reference_model.{module}; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
