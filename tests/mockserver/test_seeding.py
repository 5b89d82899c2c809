"""A seed of the server makes its replies repeatable."""

import pytest
from asking import Mock

from mockserver.app import house


@pytest.fixture
def seeded(spec, mind):
    return lambda seed: Mock(house(spec, mind=mind, seed=seed))


def replies(mock):
    answers = [
        mock.complete(max_tokens=12),
        mock.complete(max_tokens=12),
        mock.complete(max_tokens=6, n=3, temperature=2),
        mock.chat(max_tokens=12),
    ]
    return [
        {key: answer.json[key] for key in ("id", "choices", "usage")}
        for answer in answers
    ]


def test_two_servers_of_one_seed_say_the_same(seeded):
    assert replies(seeded(7)) == replies(seeded(7))


def test_servers_of_other_seeds_say_other_things(seeded):
    first, second = replies(seeded(7)), replies(seeded(8))

    assert not {one["id"] for one in first} & {one["id"] for one in second}
    assert [one["choices"] for one in first] != [one["choices"] for one in second]


def test_without_a_seed_ids_are_new_each_time(seeded):
    ids = {one["id"] for _ in range(2) for one in replies(seeded(None))}

    assert len(ids) == 8


def test_draws_do_not_depend_on_what_else_was_asked(seeded):
    plain, busy = seeded(7), seeded(7)
    for _ in range(5):
        busy.ask("listModels")

    assert (
        plain.complete(max_tokens=12).json["choices"]
        == busy.complete(max_tokens=12).json["choices"]
    )


def test_a_seeded_server_still_draws_anew_for_each_choice(seeded):
    answer = seeded(7).complete(n=4, max_tokens=12, temperature=2)

    assert len({choice["text"] for choice in answer.json["choices"]}) == 4


def test_a_greedy_reply_needs_no_seed(seeded):
    said = {
        seeded(seed).complete(temperature=0).json["choices"][0]["text"]
        for seed in (1, 2, None)
    }

    assert len(said) == 1


@pytest.mark.parametrize(
    ("operation", "prefix"),
    [
        ("createCompletion", "cmpl-"),
        ("createChatCompletion", "chatcmpl-"),
        ("createModeration", "modr-"),
    ],
)
def test_an_id_is_29_letters_and_digits_behind_its_prefix(mock, operation, prefix):
    name = mock.sample(operation).json["id"]

    rest = name.removeprefix(prefix)
    assert name.startswith(prefix)
    assert len(rest) == 29
    assert rest.isalnum()
