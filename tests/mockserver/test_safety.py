"""What an operator may set: blocked terms, caps, limits of one user, revoked keys."""

from types import SimpleNamespace

import pytest
from asking import Mock
from hypothesis import given
from hypothesis import strategies as st

from mockserver.app import house
from mockserver.generation import lowered, pieces
from mockserver.records import WINDOW
from reference_model.job import Step

LETTERS = st.sampled_from([*"abAB", "é", "É", "İ", "ß"])
TEXTS = st.lists(st.text(LETTERS, max_size=4))
TERMS = st.lists(st.text(LETTERS, min_size=1, max_size=4), max_size=3)
BEFORE, TERM, AFTER = "The fisherman sold a ", "swordfish", " at noon."
CATCH = BEFORE + TERM + AFTER


class Spelling:
    """A tokenizer whose token ``n`` is the n-th of some texts."""

    def __init__(self, texts):
        self.token_bytes = [text.encode() for text in texts].__getitem__


def cut(texts, blocked, stops=()):
    steps = [Step(place, -1.0) for place in range(len(texts))]
    return list(pieces(steps, Spelling(texts), stops, 1000, blocked=blocked))


def before_the_first_term(text, terms):
    """``text`` up to the term that is complete first, read letter by letter."""
    small = lowered(text)
    for end in range(1, len(text) + 1):
        met = [len(t) for t in terms if small[:end].endswith(lowered(t))]
        if met:
            return text[: end - max(met)], "content_filter"
    return text, "stop"


@given(TEXTS, TERMS)
def test_a_text_ends_before_a_blocked_term_however_it_is_cut_into_tokens(texts, terms):
    parts = cut(texts, terms)

    text, finish = before_the_first_term("".join(texts), terms)
    assert "".join(part.text for part in parts) == text
    assert [part.finish for part in parts[:-1]] == [None] * (len(parts) - 1)
    assert parts[-1].finish == finish


@given(st.text())
def test_small_letters_stand_where_the_others_stood(text):
    small = lowered(text)

    assert len(small) == len(text)
    assert lowered(small) == small


@pytest.mark.parametrize(
    ("stop", "blocked", "text", "finish"),
    [
        ("b", "cd", "a", "stop"),
        ("d", "bc", "a", "content_filter"),
        ("bc", "bc", "a", "content_filter"),
        ("bcd", "cd", "a", "stop"),
        ("cd", "bcd", "a", "content_filter"),
    ],
)
def test_of_a_stop_and_a_term_the_first_to_be_complete_ends_the_text(
    stop, blocked, text, finish
):
    parts = cut([*"abcd"], [blocked], [stop])

    assert "".join(part.text for part in parts) == text
    assert parts[-1].finish == finish


def said(answer):
    choice = answer.json["choices"][0]
    text = choice["text"] if "text" in choice else choice["message"]["content"]
    return text, choice["finish_reason"]


def streamed(answer):
    choices = [chunk["choices"][0] for chunk in answer.chunks]
    texts = [c["text"] if "text" in c else c["delta"].get("content") for c in choices]
    return [text for text in texts if text], choices[-1]["finish_reason"]


@pytest.fixture(params=["complete", "chat"])
def ask(mock, request):
    """Asks for a text of either operation."""
    return getattr(mock, request.param)


@pytest.mark.parametrize("term", [TERM, "SwordFish", "ordf", f"a {TERM}"])
def test_a_blocked_term_does_not_come_out(mock, ask, term):
    assert mock.ask("controlPolicy", {"blocked": ["none", term]}).status == 200
    mock.script(CATCH)

    text, finish = said(ask(max_tokens=64))

    assert text == CATCH[: CATCH.index(term.lower())]
    assert finish == "content_filter"


def test_no_chunk_holds_a_part_of_a_blocked_term(mock, ask):
    assert len(mock.tokens(TERM)) > 2
    mock.ask("controlPolicy", {"blocked": [TERM]})
    mock.script(CATCH)

    texts, finish = streamed(ask(max_tokens=64, stream=True))

    assert len(texts) > 2
    assert "".join(texts) == BEFORE
    assert finish == "content_filter"


def test_what_only_begins_like_a_blocked_term_comes_out(mock, ask):
    mock.ask("controlPolicy", {"blocked": ["swordfishes"]})
    mock.script(CATCH)

    assert said(ask(max_tokens=64)) == (CATCH, "stop")


@pytest.mark.parametrize("policy", [{}, {"blocked": []}, {"blocked": None}])
def test_a_term_that_is_no_longer_blocked_comes_out(mock, ask, policy):
    mock.ask("controlPolicy", {"blocked": [TERM]})
    mock.ask("controlPolicy", policy)
    mock.script(CATCH)

    assert said(ask(max_tokens=64)) == (CATCH, "stop")


def test_each_choice_ends_at_its_own_term(mock, ask):
    mock.ask("controlPolicy", {"blocked": [TERM]})
    mock.script(CATCH, "Nothing to hide.")

    choices = ask(max_tokens=64, n=2).json["choices"]

    assert [one["finish_reason"] for one in choices] == ["content_filter", "stop"]


def test_the_log_probabilities_hold_no_token_of_a_blocked_term(mock):
    mock.ask("controlPolicy", {"blocked": [TERM]})
    mock.script(CATCH)

    choice = mock.complete(max_tokens=64, logprobs=0).json["choices"][0]

    assert "".join(choice["logprobs"]["tokens"]) == BEFORE.rstrip()


@pytest.mark.parametrize("terms", [[""], [5], "bomb", {}])
def test_a_list_of_anything_but_terms_is_refused(mock, terms):
    assert mock.ask("controlPolicy", {"blocked": terms}).status == 400


@pytest.mark.parametrize("asked", [None, 1, 3, 50])
def test_a_cap_bounds_what_max_tokens_asks_for(mock, ask, asked):
    mock.ask("controlPolicy", {"completion_tokens": 3})
    mock.script("one two three four five six")

    answer = ask(max_tokens=asked)

    assert answer.json["usage"]["completion_tokens"] == min(3, asked or 3)
    assert said(answer)[1] == "length"


def test_a_cap_bounds_a_stream(mock, ask):
    mock.ask("controlPolicy", {"completion_tokens": 3})
    mock.script("one two three four five six")

    texts, finish = streamed(ask(max_tokens=50, stream=True))

    assert ("".join(texts), finish) == ("one two three", "length")


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_longer_than_the_operator_allows_is_refused(mock, ask, stream):
    most = ask("one two", max_tokens=1).json["usage"]["prompt_tokens"]
    mock.ask("controlPolicy", {"prompt_tokens": most})

    answer = ask("one two three", max_tokens=1, stream=stream)

    assert ask("one two", max_tokens=1, stream=stream).status == 200
    assert answer.error[0::3] == (400, "context_length_exceeded")


def test_each_of_several_prompts_has_its_own_length(mock):
    mock.ask("controlPolicy", {"prompt_tokens": 2})

    assert mock.complete([[1, 2], [3, 4]], max_tokens=1).status == 200
    assert mock.complete([[1, 2], [3, 4, 5]], max_tokens=1).status == 400


def test_the_suffix_is_part_of_the_prompt(mock):
    mock.ask("controlPolicy", {"prompt_tokens": len(mock.tokens("one two"))})

    assert mock.complete("one", suffix=" two", max_tokens=1).status == 200
    assert mock.complete("one two", suffix=" two", max_tokens=1).status == 400


@pytest.fixture
def guarded(spec, mind):
    return Mock(house(spec, mind=mind, keys=("sk-good",)))


GOOD = {"authorization": "Bearer sk-good"}


def test_a_policy_is_that_of_one_organization(guarded):
    key = guarded.ask("controlAddKey", {"organizations": ["org-b"]}, GOOD).json["key"]
    body = {"model": "ada", "prompt": [1, 2, 3], "max_tokens": 1}
    guarded.ask("controlPolicy", {"prompt_tokens": 2}, GOOD)

    other = {"authorization": f"Bearer {key}"}
    answers = [guarded.ask("createCompletion", body, who) for who in (GOOD, other)]

    assert [answer.status for answer in answers] == [400, 200]


def asked_by(mock, user, operation="createCompletion"):
    return mock.sample(operation, user=user)


@pytest.mark.parametrize(
    "operation", ["createCompletion", "createChatCompletion", "createEmbedding"]
)
def test_an_end_user_above_the_limit_is_refused_and_another_served(mock, operation):
    mock.ask("controlLimits", {"user_requests": 2})

    answers = [asked_by(mock, user, operation) for user in ("a", "a", "a", "b")]

    assert [answer.status for answer in answers] == [200, 200, 429, 200]
    assert answers[2].error == (429, "requests", None, None)
    assert mock.sample(operation).status == 200


def test_the_limit_of_a_user_is_counted_over_the_last_minute(mock, monkeypatch):
    now = [1000.0]
    clock = SimpleNamespace(time=lambda: now[0])
    monkeypatch.setattr("mockserver.accounts.time", clock)
    mock.ask("controlLimits", {"user_requests": 1})
    asked_by(mock, "a")

    now[0] += WINDOW - 1
    soon = asked_by(mock, "a").status
    now[0] += 2
    later = asked_by(mock, "a").status

    assert (soon, later) == (429, 200)


def test_the_counters_tell_users_and_snapshots_apart(mock):
    used = {
        user: sum(mock.chat(user=user).json["usage"]["total_tokens"] for _ in times)
        for user, times in (("a", range(1)), ("b", range(3)))
    }
    plain = mock.complete().json["usage"]["total_tokens"]

    counters = mock.ask("controlCounters").json

    assert counters["users"] == used
    assert counters["user_requests"] == {"a": 1, "b": 3}
    assert counters["models"] == {
        "gpt-3.5-turbo-0301": sum(used.values()),
        "text-davinci-003": plain,
    }


def test_a_request_that_was_refused_is_no_request_of_its_user(mock):
    mock.ask("controlLimits", {"user_requests": 1})

    for _ in range(3):
        asked_by(mock, "a")

    assert mock.ask("controlCounters").json["user_requests"] == {"a": 1}


def test_a_moderation_is_free(mock):
    mock.ask("controlLimits", {"quota": 0})

    assert mock.sample("createModeration").status == 200
    assert mock.sample("createCompletion").status == 429
    assert mock.ask("controlCounters").json["usage"] == {
        "prompt_tokens": 0,
        "completion_tokens": 0,
    }


def revoke(mock, key):
    return mock.ask("controlRevokeKey", {"key": key}, GOOD)


def test_a_revoked_key_is_refused_and_another_served(guarded):
    key = guarded.ask("controlAddKey", {"organizations": ["org-b"]}, GOOD).json["key"]
    held = {"authorization": f"Bearer {key}"}
    before = guarded.ask("listModels", headers=held)

    assert revoke(guarded, key).status == 200

    after = guarded.ask("listModels", headers=held)
    assert before.status == 200
    assert after.error == (401, "invalid_request_error", None, "invalid_api_key")
    assert guarded.ask("listModels", headers=GOOD).status == 200


def test_a_key_is_revoked_where_any_other_will_do(mock):
    revoke(mock, "sk-other")

    other = mock.ask("listModels", headers={"authorization": "Bearer sk-other"})

    assert other.status == 401
    assert mock.ask("listModels").status == 200
