"""What completions are made of, seen through the real edge and the real model."""

import json
import math
from itertools import groupby, permutations
from statistics import fmean

import pytest

SMILE = "\N{SLIGHTLY SMILING FACE}"


def choice(answer):
    (only,) = answer.json["choices"]
    return only


def texts(answer):
    return [one["text"] for one in answer.json["choices"]]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("said", "stop", "kept"),
    [
        ("one two three", "two", "one "),
        ("one two three", ["three", "two"], "one "),
        ("one two three", ["two three", "two"], "one "),
        ("one two three", "o t", "one tw"),
        ("one two three", "wo thr", "one t"),
        ("one two three", "THREE", "one two three"),
        ("one two three", "one", ""),
        ("one two three", "", "one two three"),
        (f"one {SMILE} two", SMILE, "one "),
        (f"one {SMILE} two", "\ufffd", f"one {SMILE} two"),
        ("anananas", "nanas", "ana"),
    ],
)
def test_a_text_ends_before_a_stop_wherever_tokens_end(mock, said, stop, kept, stream):
    mock.script(said)

    answer = mock.complete(max_tokens=40, stop=stop, stream=stream)

    chunks = answer.chunks if stream else [answer.json]
    parts = [chunk["choices"][0] for chunk in chunks]
    assert "".join(part["text"] for part in parts) == kept
    assert parts[-1]["finish_reason"] == "stop"


def test_a_stream_never_sends_what_may_begin_a_stop(mock):
    mock.script("count to ten, then stop. Never seen.")

    chunks = mock.complete(max_tokens=40, stop="then stop.", stream=True).chunks

    sent = [chunk["choices"][0]["text"] for chunk in chunks]
    assert len(sent) > 3
    assert "".join(sent) == "count to ten, "


def test_no_character_is_split_between_chunks(mock):
    mock.script(f"a{SMILE}b\u20acc{SMILE * 3}")

    chunks = mock.complete(max_tokens=40, stream=True).chunks

    sent = [chunk["choices"][0]["text"] for chunk in chunks]
    assert len(sent) < len(mock.tokens(f"a{SMILE}b\u20acc{SMILE * 3}"))
    assert "".join(sent) == f"a{SMILE}b\u20acc{SMILE * 3}"
    assert not any("\ufffd" in text for text in sent)


def test_an_unfinished_character_is_told_at_the_end(mock):
    first, *_ = mock.tokens(SMILE)
    mock.ask("controlScript", {"tokens": [[first]]})

    assert choice(mock.complete(max_tokens=4))["text"] == "\ufffd"


def test_the_choices_of_a_stream_come_in_turn(mock):
    mock.script("a b c d", "e f g h", "i j k l")

    chunks = mock.complete(n=3, max_tokens=4, stream=True).chunks

    order = [chunk["choices"][0]["index"] for chunk in chunks]
    assert order == [0, 1, 2] * (len(order) // 3)
    assert len(order) >= 12


def test_choices_of_several_prompts_stand_together(mock):
    mock.script("a1", "a2", "b1", "b2")

    answer = mock.complete(["a", "b"], n=2, max_tokens=9)

    assert texts(answer) == ["a1", "a2", "b1", "b2"]
    assert [one["index"] for one in answer.json["choices"]] == [0, 1, 2, 3]


CANDIDATES = ("The old man", "qzx vvv", " upon a time there was a", "Anna")


def scored(mock, text):
    """The log probabilities of the tokens of ``text`` as a completion."""
    mock.script(text)
    scores = choice(mock.complete(max_tokens=30, logprobs=0))["logprobs"]
    assert "".join(scores["tokens"]) == text
    return scores["token_logprobs"]


@pytest.mark.parametrize("n", [1, 2, 4])
def test_the_best_of_several_have_the_highest_mean_log_probability(mock, n):
    means = {text: fmean(scored(mock, text)) for text in CANDIDATES}
    ranked = sorted(CANDIDATES, key=means.__getitem__, reverse=True)
    mock.script(*CANDIDATES)

    answer = mock.complete(n=n, best_of=4, max_tokens=30)

    expected = ranked[:n] if n < 4 else list(CANDIDATES)
    assert texts(answer) == expected
    assert [one["index"] for one in answer.json["choices"]] == list(range(n))


def test_the_sum_of_log_probabilities_does_not_rank(mock):
    said = (" in", ", one day", ", there was a man.", ", there was a little girl")
    scores = {text: scored(mock, text) for text in said}
    worse, better = next(
        (one, other)
        for one, other in permutations(said, 2)
        if sum(scores[one]) > sum(scores[other])
        and fmean(scores[one]) < fmean(scores[other])
    )
    mock.script(worse, better)

    answer = mock.complete(best_of=2, max_tokens=30)

    assert texts(answer) == [better]


def test_usage_counts_every_token_once(mock):
    prompts, said = (
        ["Once upon a time", "Hello"],
        ["one two", "three", "four five", "x"],
    )
    mock.script(*said)

    usage = mock.complete(prompts, best_of=2, max_tokens=30).json["usage"]

    prompt = sum(len(mock.tokens(text)) for text in prompts)
    completion = sum(len(mock.tokens(text)) for text in said)
    assert usage == {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def test_usage_counts_tokens_as_they_were_sent(mock):
    usage = mock.complete([1212, 318, 257, 1332], max_tokens=0).json["usage"]

    assert usage["prompt_tokens"] == 4


@pytest.mark.parametrize("stream", [False, True])
def test_what_was_used_is_counted_for_the_organization_and_the_user(mock, stream):
    mock.script("one two three")
    mock.complete("Hello", max_tokens=30, user="eve", stream=stream)

    counters = mock.ask("controlCounters").json

    prompt, completion = len(mock.tokens("Hello")), len(mock.tokens("one two three"))
    assert counters["organization"] == "org-assay"
    assert counters["usage"] == {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
    }
    assert counters["users"] == {"eve": prompt + completion}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("top", [0, 3])
def test_echo_scores_a_prompt_without_going_on(mock, top, stream):
    prompt = "Once upon a time"

    answer = mock.complete(prompt, max_tokens=0, echo=True, logprobs=top, stream=stream)

    first = (answer.chunks if stream else [answer.json])[0]["choices"][0]
    scores = first["logprobs"]
    assert first["text"] == prompt
    assert "".join(scores["tokens"]) == prompt
    assert scores["token_logprobs"][0] is None
    assert all(value <= 0 for value in scores["token_logprobs"][1:])
    assert len(scores["tokens"]) == len(scores["token_logprobs"])
    if top:
        assert scores["top_logprobs"][0] is None
        assert all(top <= len(one) <= top + 1 for one in scores["top_logprobs"][1:])
    else:
        assert scores["top_logprobs"] is None
    if not stream:
        assert answer.json["usage"]["completion_tokens"] == 0
        assert first["finish_reason"] == "length"


def test_echo_scores_a_text_as_it_was_when_it_was_generated(mock):
    prompt = "Once upon a time"
    made = choice(mock.complete(prompt, max_tokens=8, temperature=0, logprobs=2))

    scored = choice(
        mock.complete(prompt + made["text"], max_tokens=0, echo=True, logprobs=2)
    )

    later = len(made["logprobs"]["tokens"]) - 1  # at first an end is held back
    for key, values in made["logprobs"].items():
        assert scored["logprobs"][key][-later:] == values[-later:]


@pytest.mark.parametrize("echo", [False, True])
def test_echo_changes_nothing_but_the_beginning(mock, echo):
    prompt = f"A {SMILE} here"
    plain = choice(mock.complete(prompt, max_tokens=5, temperature=0))

    answer = mock.complete(prompt, max_tokens=5, temperature=0, echo=echo)

    assert choice(answer)["text"] == (prompt if echo else "") + plain["text"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("echo", [False, True])
def test_text_offset_counts_characters_from_the_start_of_the_prompt(mock, echo, stream):
    prompt, said = f"{SMILE}\u20ac!", f" a{SMILE} b"
    mock.script(said)

    answer = mock.complete(
        prompt, max_tokens=30, logprobs=0, echo=echo, stop=f"{SMILE} c", stream=stream
    )

    parts = [one["choices"][0] for one in (answer.chunks if stream else [answer.json])]
    offsets = [at for part in parts for at in part["logprobs"]["text_offset"]]
    tokens = [token for part in parts for token in part["logprobs"]["tokens"]]
    whole = prompt + said
    ids = [*mock.tokens(prompt), *mock.tokens(said)]
    assert offsets == begins(mock, ids)[-len(offsets) :]
    assert len(offsets) == len(ids if echo else mock.tokens(said))
    for token, at in zip(tokens, offsets, strict=True):
        assert token.startswith("bytes:") or whole[at:].startswith(token)


def begins(mock, ids):
    """How many whole characters come before each token."""
    spell = mock.rooms.mind.tokenizer.token_bytes
    before = [b"".join(map(spell, ids[:place])) for place in range(len(ids))]
    return [len(raw.decode(errors="ignore")) for raw in before]


def test_logprobs_lists_the_likeliest_and_the_sampled(mock):
    mock.script(" zebra quiz")

    scores = choice(mock.complete(max_tokens=30, logprobs=2))["logprobs"]

    for token, logprob, listed in zip(
        scores["tokens"], scores["token_logprobs"], scores["top_logprobs"], strict=True
    ):
        assert listed[token] == logprob
        assert len(listed) in (2, 3)
        assert sum(math.exp(value) for value in listed.values()) <= 1 + 1e-6


def test_a_token_that_is_no_text_is_shown_as_bytes(mock):
    mock.script(SMILE)

    scores = choice(mock.complete(max_tokens=30, logprobs=0))["logprobs"]

    assert all(token.startswith("bytes:\\x") for token in scores["tokens"])
    raw = "".join(token.removeprefix("bytes:") for token in scores["tokens"])
    assert bytes.fromhex(raw.replace("\\x", "")).decode() == SMILE


def test_the_model_sees_the_suffix_and_does_not_repeat_it(mock):
    prompt, suffix = "The cat sat on the", " and then it slept."
    before, after = mock.tokens(prompt), mock.tokens(suffix)

    answer = mock.complete(prompt, suffix=suffix, max_tokens=6, temperature=0)

    seen = mock.ask("controlCounters").json["prompt"]
    assert (seen["tokens"], seen["suffix"]) == (before, after)
    assert answer.json["usage"]["prompt_tokens"] == len(before) + len(after)
    assert suffix not in choice(answer)["text"]
    other = mock.complete(prompt, max_tokens=6, temperature=0)
    assert texts(answer) != texts(other)


@pytest.mark.parametrize("suffix", [None, ""])
def test_an_empty_suffix_is_none(mock, suffix):
    with_suffix = mock.complete(suffix=suffix, temperature=0)

    assert texts(with_suffix) == texts(mock.complete(temperature=0))


def test_without_a_prompt_the_model_starts_from_the_end_of_text(mock):
    answer = mock.ask("createCompletion", {"model": "ada", "max_tokens": 1})

    seen = mock.ask("controlCounters").json["prompt"]
    assert seen["tokens"] == [seen["end_of_text"]]
    assert answer.json["usage"]["prompt_tokens"] == 1


@pytest.mark.parametrize("model", ["text-davinci-003", "ada"])
def test_a_context_may_be_filled_and_no_more(mock, spec, model):
    limit = spec.models[model].accepts
    prompt = [100] * (limit - 1)

    full = mock.complete(prompt, model=model, max_tokens=1)
    over = mock.complete(prompt, model=model, max_tokens=2)

    assert (full.status, over.status) == (200, 400)
    assert full.json["usage"]["total_tokens"] == limit
    assert over.error == (400, "invalid_request_error", None, None)
    assert f"{limit + 1} tokens" in over.json["error"]["message"]


def test_a_suffix_counts_for_the_context(mock, spec):
    prompt = [100] * (spec.models["ada"].accepts - 1)

    answer = mock.complete(prompt, model="ada", max_tokens=1, suffix="!")

    assert answer.status == 400


def test_one_long_prompt_of_several_is_refused(mock, spec):
    prompts = [[100], [100] * spec.models["ada"].accepts]

    assert mock.complete(prompts, model="ada", max_tokens=1).status == 400


def test_a_bias_of_100_is_exclusive_and_one_of_minus_100_a_ban(mock):
    (token,) = mock.tokens(" the")

    forced = mock.complete(max_tokens=3, logit_bias={str(token): 100})
    banned = mock.complete(temperature=0, max_tokens=1)
    (first,) = mock.tokens(texts(banned)[0])
    without = mock.complete(temperature=0, max_tokens=1, logit_bias={str(first): -100})

    assert texts(forced) == [" the the the"]
    assert texts(without) != texts(banned)


def test_a_ban_of_the_published_end_of_text_makes_a_text_run_on(mock):
    answer = mock.complete(max_tokens=60, temperature=0, logit_bias={"50256": -100})

    assert answer.json["usage"]["completion_tokens"] == 60
    assert choice(answer)["finish_reason"] == "length"


def test_every_chunk_but_the_last_of_a_choice_has_no_reason_to_finish(mock):
    chunks = mock.complete(n=2, max_tokens=4, stream=True).chunks

    choices = sorted((c["choices"][0] for c in chunks), key=lambda one: one["index"])
    for _, parts in groupby(choices, key=lambda one: one["index"]):
        *before, last = [part["finish_reason"] for part in parts]
        assert before == [None] * len(before)
        assert last in ("stop", "length")


def test_a_fault_under_way_is_told_in_the_last_event(mock, monkeypatch):
    class Broken:
        def __next__(self):
            raise ArithmeticError("broken")

        def __iter__(self):
            return self

    monkeypatch.setattr(mock.rooms.mind, "submit", lambda job: Broken())

    answer = mock.complete(stream=True)

    (event,) = answer.events
    assert answer.status == 200
    assert json.loads(event)["error"]["type"] == "server_error"
