"""Sampled tokens to text: stop texts, whole characters, places of tokens."""

from codecs import getincrementaldecoder
from itertools import accumulate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mockserver.generation import END_OF_TEXT, logprobs, pieces, places, spelled, whole
from reference_model.job import Step
from reference_model.tokenizer import load_tokenizer

LETTERS = st.sampled_from([*"abc", "é", "€", "\ufffd", "🙂"])
TOKENS = st.lists(
    st.sampled_from([b"", b"\xe2", b"\x82", b"\xac", b"\xf0\x9f", b"\x99\x82"])
    | LETTERS.map(str.encode)
    | st.text(LETTERS, max_size=4).map(str.encode)
)
STOPS = st.lists(st.text(LETTERS, max_size=4), max_size=4)


class Spelling:
    """A tokenizer whose token ``n`` is the n-th of some byte strings."""

    def __init__(self, tokens):
        self.token_bytes = list(tokens).__getitem__


def cut(tokens, stops, max_tokens=1000):
    steps = [Step(place, -1.0) for place in range(len(tokens))]
    return list(pieces(steps, Spelling(tokens), stops, max_tokens))


def before_the_first_stop(text, stops):
    """``text`` up to the stop text that is complete first, read letter by letter."""
    for end in range(1, len(text) + 1):
        met = [len(stop) for stop in stops if stop and text[:end].endswith(stop)]
        if met:
            return text[: end - max(met)], "stop"
    return text, None


@given(TOKENS, STOPS)
@example([b"ab", b"cd"], ["abcd", "bc"])
@example([b"abcd"], ["abcd", "bc"])
@example([b"a\xe2"], ["\ufffd"])
def test_a_text_ends_before_its_first_stop_however_it_is_cut_into_tokens(tokens, stops):
    parts = cut(tokens, stops)

    text, finish = before_the_first_stop(
        b"".join(tokens).decode(errors="replace"), stops
    )
    assert "".join(part.text for part in parts) == text
    assert [part.finish for part in parts[:-1]] == [None] * (len(parts) - 1)
    assert parts[-1].finish == (finish or "stop")
    assert not any(stop in text for stop in stops if stop)


@given(TOKENS, STOPS)
def test_each_token_that_ends_before_the_cut_is_handed_out_once(tokens, stops):
    together = whole(cut(tokens, stops))

    decoder = getincrementaldecoder("utf-8")("replace")
    ends = list(accumulate(len(decoder.decode(token)) for token in tokens))
    _, stopped = before_the_first_stop(b"".join(tokens).decode(errors="replace"), stops)
    kept = [end for end in ends if end <= len(together.text)] if stopped else ends
    assert [step.token for step in together.steps] == list(range(len(kept)))
    assert list(together.places) == [0, *ends][: len(kept)]


@given(TOKENS)
def test_without_a_stop_text_is_sent_as_soon_as_its_characters_are_whole(tokens):
    decoder = getincrementaldecoder("utf-8")("replace")
    certain = [decoder.decode(token) for token in tokens]

    sent = [part.text for part in cut(tokens, []) if part.text]

    rest = decoder.decode(b"", final=True)
    assert sent == [text for text in (*certain, rest) if text]


@pytest.mark.parametrize(
    ("stop", "sent"),
    [
        ("none of it", ["a", "b", " EN", "D."]),
        ("ENDE", ["a", "b", " ", "END."]),
        ("b ENDE", ["a", "b END."]),
        ("END", ["a", "b", " "]),
        ("b END", ["a"]),
    ],
)
def test_only_what_may_begin_a_stop_is_held_back(stop, sent):
    parts = cut([b"a", b"b", b" EN", b"D."], [stop])

    assert [part.text for part in parts if part.text] == sent


@given(TOKENS.filter(any), st.integers(1, 5))
def test_a_text_of_max_tokens_has_the_length_for_its_reason(tokens, more):
    assert cut(tokens, [], len(tokens))[-1].finish == "length"
    assert cut(tokens, [], len(tokens) + more)[-1].finish == "stop"


def test_a_stop_at_the_last_token_is_still_a_stop():
    assert cut([b"a", b"b."], ["."], 2)[-1].finish == "stop"


def test_no_token_is_asked_for_after_the_stop():
    steps = iter([Step(place, -1.0) for place in range(3)])

    list(pieces(steps, Spelling([b"a", b".", b"b"]), ["."], 9))

    assert next(steps).token == 2


@given(TOKENS)
def test_a_token_stands_where_the_characters_before_it_end(tokens):
    found = places(Spelling(tokens), range(len(tokens)))

    assert tuple(found) == whole(cut(tokens, [])).places


def test_a_token_is_shown_as_its_text_or_its_bytes():
    tokenizer = Spelling([b" a", b"\xe2\x82", b""])

    shown = [spelled(tokenizer, token) for token in range(3)]

    assert shown == [" a", "bytes:\\xe2\\x82", END_OF_TEXT]


@pytest.mark.parametrize("top", [0, 2])
def test_a_token_that_nothing_came_before_has_no_log_probability(top):
    step = Step(1, -0.5, ((0, -0.25), (1, -0.5)))

    told = logprobs(Spelling([b"a", b"b"]), [(0, None, 0), (1, step, 1)], top)

    assert told == {
        "tokens": ["a", "b"],
        "token_logprobs": [None, -0.5],
        "top_logprobs": [None, {"a": -0.25, "b": -0.5}] if top else None,
        "text_offset": [0, 1],
    }


def test_the_sampled_token_is_listed_beside_the_likeliest():
    step = Step(1, -3.0, ((0, -0.25),))

    (listed,) = logprobs(Spelling([b"a", b"b"]), [(1, step, 0)], 1)["top_logprobs"]

    assert listed == {"a": -0.25, "b": -3.0}


def test_a_character_of_several_tokens_of_the_house_is_sent_whole():
    tokenizer = load_tokenizer()
    tokens = tokenizer.encode("Hello \N{SLIGHTLY SMILING FACE}!")
    steps = [Step(token, -1.0) for token in tokens]

    parts = [part.text for part in pieces(steps, tokenizer, (), 99) if part.text]

    assert len(parts) < len(tokens)
    assert "".join(parts) == "Hello \N{SLIGHTLY SMILING FACE}!"
