"""Ids of tokens from the user, and from servers that tell them."""

from pathlib import Path

import pytest
from tiny_server import reply, serving

import reference_model
from conformance.dialect import COMPLETIONS
from conformance.vocabulary import WORDS, suggested, tokenizer
from reference_model.tokenizer import load_tokenizer

FILE = Path(reference_model.__file__).parent / "weights" / "tokenizer.json"


def single(encode):
    return [ids[0] for ids in map(encode, WORDS) if len(ids) == 1]


def test_a_tokenizer_that_the_user_names_is_asked_first(target_at):
    target = target_at("http://127.0.0.1:9/v1", tokenizer=str(FILE))

    assert list(suggested(target, COMPLETIONS)) == single(load_tokenizer().encode)


@pytest.mark.parametrize("key", ["prompt", "content"])
def test_a_server_that_tokenizes_is_asked(target_at, key):
    def answering(asked):
        assert asked.path == "/tokenize"
        return reply({"tokens": load_tokenizer().encode(asked.json[key])})

    with serving(answering) as url:
        told = list(suggested(target_at(url), COMPLETIONS))

    assert told == single(load_tokenizer().encode)


@pytest.mark.parametrize(
    "answer", [{"tokens": "no"}, {"tokens": [{"id": 1}]}, {}, [], {"tokens": [None]}]
)
def test_what_is_no_list_of_ids_is_nothing(target_at, answer):
    with serving(lambda asked: reply(answer)) as url:
        assert list(suggested(target_at(url), COMPLETIONS)) == []


@pytest.mark.parametrize("name", [__file__, "no-such-encoding"])
def test_what_cannot_be_read_is_told(name):
    with pytest.raises(ValueError, match="expected"):
        tokenizer(name)
