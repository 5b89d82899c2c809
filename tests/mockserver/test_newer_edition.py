"""What is other in the edition 2023-12."""

import re

import pytest
from asking import Mock

from mockserver.app import house
from spec import load

SEVEN = {
    "hate",
    "hate/threatening",
    "self-harm",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
}


@pytest.fixture
def newer(mind):
    return Mock(house(load("2023-12"), mind=mind, seed=1, keys=("sk-test",)))


def texts(answer):
    return [choice["text"] for choice in answer.json["choices"]]


@pytest.mark.parametrize("seed", [0, 42, -1, -(2**63), 2**63 - 1])
def test_a_seed_gives_the_same_texts_again(newer, seed):
    asked = {"seed": seed, "temperature": 2, "max_tokens": 8, "n": 2}

    first, second = (texts(newer.complete(**asked)) for _ in range(2))

    assert first == second
    assert len(set(first)) == 2


def test_seeds_differ_and_none_is_chance(newer):
    said = {
        texts(newer.complete(temperature=2, max_tokens=12, seed=seed))[0]
        for seed in (1, 2, 3, None, None, None)
    }

    assert len(said) == 6


def test_a_stream_follows_the_seed(newer):
    asked = {"seed": 7, "temperature": 2, "max_tokens": 8}

    chunks = newer.complete(**asked, stream=True).chunks

    streamed = "".join(chunk["choices"][0]["text"] for chunk in chunks)
    assert [streamed] == texts(newer.complete(**asked))


def test_every_answer_of_a_server_has_its_fingerprint(newer):
    chunks = newer.complete(max_tokens=2, stream=True).chunks
    whole = newer.complete(max_tokens=2).json

    found = {one["system_fingerprint"] for one in (whole, *chunks)}

    assert len(found) == 1
    assert re.fullmatch(r"fp_[0-9a-f]{10}", found.pop())


def test_an_older_edition_has_no_seed_and_no_fingerprint(mock):
    assert mock.complete(seed=1).status == 400
    assert "system_fingerprint" not in mock.complete(max_tokens=1).json


def test_a_prompt_has_to_be_sent_and_may_be_null(newer):
    body = {"model": "davinci-002", "max_tokens": 1}

    assert newer.ask("createCompletion", body).status == 400
    assert newer.ask("createCompletion", {**body, "prompt": None}).status == 200


def test_a_moderation_has_the_categories_of_its_edition(mock, newer):
    old, new = (
        one.sample("createModeration").json["results"][0] for one in (mock, newer)
    )

    for row in (old, new):
        assert row["categories"].keys() == row["category_scores"].keys()
    assert old["categories"].keys() == SEVEN
    assert new["categories"].keys() - SEVEN == {
        "harassment",
        "harassment/threatening",
        "self-harm/intent",
        "self-harm/instructions",
    }
    assert new["categories"]["harassment/threatening"]


def test_what_an_edition_does_not_name_is_not_flagged(mock, newer):
    insult = {"input": "You are a pathetic loser."}

    flagged = [
        one.sample("createModeration", **insult).json["results"][0]["flagged"]
        for one in (mock, newer)
    ]

    assert flagged == [False, True]


def test_a_model_is_shown_with_the_fields_of_its_edition(mock, newer):
    shown = [one.ask("retrieveModel", model="ada").json.keys() for one in (mock, newer)]

    assert shown[1] == {"id", "object", "created", "owned_by"}
    assert shown[0] - shown[1] == {"permission", "root", "parent"}


def test_gpt_4_is_for_keys_that_pay(newer):
    free, paying = (
        newer.ask("controlAddKey", {"organizations": ["org-a"], "tier": tier}).json
        for tier in ("free", "paying")
    )

    told = [
        newer.ask(
            "retrieveModel",
            None,
            {"authorization": f"Bearer {made['key']}"},
            model="gpt-4",
        ).status
        for made in (free, paying)
    ]

    assert told == [404, 200]
    assert newer.ask("retrieveModel", model="gpt-4").status == 200


def test_an_older_edition_knows_no_tiers(mock):
    body = {"organizations": ["org-a"], "tier": "free"}

    assert mock.ask("controlAddKey", body).status == 400
