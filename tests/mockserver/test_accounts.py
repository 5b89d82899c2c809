"""Keys, organisations, limits and faults."""

import json
from types import SimpleNamespace

import pytest
from asking import Mock

from mockserver.accounts import masked
from mockserver.app import house
from mockserver.records import WINDOW

INVALID = "invalid_request_error"
MISSING_KEY = (401, INVALID, None, None)
WRONG_KEY = (401, INVALID, None, "invalid_api_key")
GOOD = {"authorization": "Bearer sk-good"}


@pytest.fixture
def guarded(spec, mind):
    return Mock(house(spec, mind=mind, keys=("sk-good",)))


def test_every_operation_needs_a_key(mock, spec):
    for operation in spec.operations:
        answer = mock.ask(operation, b"{", {"authorization": None}, model="ada")
        assert answer.error == MISSING_KEY, operation


@pytest.mark.parametrize(
    ("authorization", "error"),
    [
        ("Bearer sk-good", None),
        ("bearer sk-good", None),
        ("Bearer  sk-good ", None),
        (None, MISSING_KEY),
        ("", MISSING_KEY),
        ("Bearer", MISSING_KEY),
        ("Bearer ", MISSING_KEY),
        ("sk-good", MISSING_KEY),
        ("Token sk-good", MISSING_KEY),
        ("Basic c2stZ29vZA==", MISSING_KEY),
        ("Bearer sk-wrong", WRONG_KEY),
        ("Bearer SK-GOOD", WRONG_KEY),
        ("Bearer sk-good,sk-good", WRONG_KEY),
        ("Bearer é", WRONG_KEY),
    ],
)
def test_a_key_is_known_or_refused(guarded, authorization, error):
    answer = guarded.ask("listModels", headers={"authorization": authorization})

    assert answer.status == 200 if error is None else answer.error == error


def test_any_key_will_do_where_none_was_named(mock):
    headers = {"authorization": "Bearer anything"}

    assert mock.ask("listModels", headers=headers).status == 200


@pytest.mark.parametrize("key", ["sk-wrong-key-that-is-long", "sk-wrong", "s"])
def test_a_wrong_key_never_comes_back(guarded, key):
    answer = guarded.ask("listModels", headers={"authorization": f"Bearer {key}"})

    told = answer.raw.decode() + str(answer.headers)
    assert masked(key) in told
    assert f"{key}." not in told


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("sk-VKMI0123456789abwjh3", "sk-VKMI0***********wjh3"),
        ("0123456789abc", "01234567*9abc"),
        ("0123456789ab", "************"),
        ("", ""),
    ],
)
def test_a_key_is_shown_with_stars_in_its_middle(key, shown):
    assert masked(key) == shown


def add_key(guarded, *organizations, role="owner"):
    body = {"organizations": list(organizations), "role": role}
    return guarded.ask("controlAddKey", body, GOOD).json["key"]


def usage(guarded, key, organization):
    sent = {"authorization": f"Bearer {key}", "openai-organization": organization}
    return guarded.ask("controlCounters", headers=sent).json["usage"]["prompt_tokens"]


def test_usage_counts_against_the_organization_that_is_named(guarded):
    key = add_key(guarded, "org-a", "org-b")
    headers = {"authorization": f"Bearer {key}", "openai-organization": "org-b"}
    body = {"model": "ada", "prompt": [1, 2, 3], "max_tokens": 0}

    answer = guarded.ask("createCompletion", body, headers)

    assert answer.headers["openai-organization"] == "org-b"
    assert (usage(guarded, key, "org-a"), usage(guarded, key, "org-b")) == (0, 3)


def test_without_a_name_the_first_organization_of_the_key_counts(guarded):
    key = add_key(guarded, "org-a", "org-b")
    headers = {"authorization": f"Bearer {key}"}

    answer = guarded.ask("listModels", headers=headers)

    assert answer.headers["openai-organization"] == "org-a"


@pytest.mark.parametrize("organization", ["org-other", "org-assay ", "é" * 300])
def test_a_foreign_organization_is_refused(guarded, organization):
    headers = {**GOOD, "openai-organization": organization}

    answer = guarded.ask("listModels", headers=headers)

    assert answer.error == (401, INVALID, None, "invalid_organization")


@pytest.mark.parametrize(
    ("limit", "error"),
    [
        ({"requests": 1}, (429, "requests", None, None)),
        ({"tokens": 1}, (429, "tokens", None, "rate_limit_exceeded")),
        ({"quota": 1}, (429, "insufficient_quota", None, None)),
    ],
    ids=["requests", "tokens", "quota"],
)
def test_a_limit_that_is_reached_refuses_until_it_is_lifted(mock, limit, error):
    assert mock.ask("controlLimits", limit).status == 200

    first, second = mock.sample("createEmbedding"), mock.sample("createEmbedding")
    mock.ask("controlLimits", {})
    third = mock.sample("createEmbedding")

    assert (first.status, second.error, third.status) == (200, error, 200)


@pytest.mark.parametrize("limit", ["requests", "tokens", "quota"])
def test_a_limit_of_nothing_refuses_at_once(mock, limit):
    mock.ask("controlLimits", {limit: 0})

    assert mock.sample("createEmbedding").status == 429
    assert mock.ask("controlCounters").status == 200


@pytest.mark.parametrize("limit", ["requests", "tokens"])
def test_a_rate_is_counted_over_the_last_minute(mock, monkeypatch, limit):
    now = [1000.0]
    clock = SimpleNamespace(time=lambda: now[0])
    monkeypatch.setattr("mockserver.accounts.time", clock)
    mock.ask("controlLimits", {limit: 1})
    mock.sample("createEmbedding")

    now[0] += WINDOW - 1
    soon = mock.sample("createEmbedding").status
    now[0] += 2
    later = mock.sample("createEmbedding").status

    assert (soon, later) == (429, 200)


def test_limits_are_those_of_one_organization(guarded):
    other = {"authorization": f"Bearer {add_key(guarded, 'org-b')}"}
    guarded.ask("controlLimits", {"requests": 0}, GOOD)

    answers = [guarded.ask("listModels", headers=who).status for who in (GOOD, other)]

    assert answers == [429, 200]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("server-fault", (500, "server_error", None, None)),
        ("overloaded", (503, "server_error", None, None)),
        ("no-organization", (401, INVALID, None, "no_organization")),
    ],
)
def test_a_fault_that_is_asked_for_meets_the_next_request_alone(mock, fault, error):
    mock.ask("controlFault", {"refusal": fault})

    first, second = mock.sample("createEmbedding"), mock.sample("createEmbedding")

    assert (first.error, second.status) == (error, 200)


def test_a_fault_meets_the_key_that_asked_for_it(mock):
    mock.ask("controlFault", {"refusal": "server-fault"})

    other = mock.ask("listModels", headers={"authorization": "Bearer sk-other"})

    assert other.status == 200
    assert mock.ask("listModels").status == 500


def test_a_fault_of_ours_is_told_and_the_next_request_is_served(mock, monkeypatch):
    def broken(*_):
        raise ArithmeticError("secret detail")

    with monkeypatch.context() as patch:
        patch.setattr(mock.rooms.accounts, "admit", broken)
        answer = mock.sample("createEmbedding")

    assert answer.error == (500, "server_error", None, None)
    assert b"secret" not in answer.raw
    assert mock.sample("createEmbedding").status == 200


def test_a_stream_meets_a_fault_on_the_way(mock):
    mock.ask("controlFault", {"refusal": "overloaded", "after": 2})

    whole = mock.complete(max_tokens=3)
    *first, last = mock.complete(max_tokens=9, stream=True).events
    next_one = mock.complete(max_tokens=2, stream=True).events

    assert whole.status == 200
    assert len(first) == 2
    assert json.loads(last)["error"]["type"] == "server_error"
    assert next_one[-1] == "[DONE]"
