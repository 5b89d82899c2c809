"""Editions: what a page says on a given date."""

from copy import deepcopy

import pytest

from spec import load
from spec.editions import EDITION_KEYS, at, in_force
from spec.load import read
from spec.pages import editions, pages

PAGE = {
    "always": 1,
    "late": {"x-since": "2023-12", "type": "string"},
    "early": {"x-until": "2023-06", "type": "integer"},
    "between": {"x-since": "2023-05", "x-until": "2023-12"},
    "list": [{"x-since": "2023-12", "id": "new"}, {"id": "old"}, "word"],
    "name": {
        "maxLength": 64,
        "x-editions": {"2023-12": {"maxLength": 256}, "2023-06": {"maxLength": 128}},
    },
}


@pytest.mark.parametrize(
    ("edition", "kept"),
    [
        ("2023-04", {"always", "early", "list", "name"}),
        ("2023-05", {"always", "early", "between", "list", "name"}),
        ("2023-06", {"always", "between", "list", "name"}),
        ("2023-12", {"always", "late", "list", "name"}),
    ],
)
def test_a_node_is_in_force_from_its_first_edition_up_to_its_last(edition, kept):
    assert set(at(PAGE, edition)) == kept


@pytest.mark.parametrize(
    ("edition", "ids"), [("2023-04", ["old"]), ("2023-12", ["new", "old"])]
)
def test_an_item_of_a_list_comes_and_goes_too(edition, ids):
    *items, word = at(PAGE, edition)["list"]

    assert ([item["id"] for item in items], word) == (ids, "word")


@pytest.mark.parametrize(
    ("edition", "longest"),
    [("2023-04", 64), ("2023-06", 128), ("2023-11", 128), ("2024-01", 256)],
)
def test_the_newest_change_before_an_edition_counts(edition, longest):
    assert at(PAGE, edition)["name"] == {"maxLength": longest}


def test_a_change_may_itself_be_dated():
    node = {"x-editions": {"2023-06": {"role": {"x-since": "2023-12", "enum": [1]}}}}

    assert [at(node, edition) for edition in ("2023-06", "2023-12")] == [
        {},
        {"role": {"enum": [1]}},
    ]


def test_a_page_is_not_changed_by_reading_it():
    before = deepcopy(PAGE)

    at(PAGE, "2023-12")

    assert before == PAGE


@pytest.mark.parametrize("value", [None, 1, "text", ["x-since"]])
def test_what_is_no_mapping_is_always_in_force(value):
    assert in_force(value, "2023-04")
    assert at(value, "2023-04") == value


@pytest.mark.parametrize("edition", editions())
def test_no_edition_key_is_left_in_a_loaded_document(edition):
    spec = load(edition)

    assert spec.edition == edition
    assert not {*EDITION_KEYS} & {*keys(spec.document)}


def keys(node):
    if isinstance(node, dict):
        yield from node
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from keys(item)


def test_the_default_edition_is_that_of_spring_2023():
    assert load().edition == "2023-04"


def test_pages_are_read_as_of_the_edition_that_is_asked_for():
    two = deepcopy(dict(pages()))
    two["models"]["paths"]["/models"]["get"]["x-until"] = "2023-12"

    spring, winter = read(two, "2023-04"), read(two, "2023-12")

    assert "listModels" in spring.operations
    assert "listModels" not in winter.operations
    assert read(two).edition == "2023-04"


@pytest.mark.parametrize("edition", ["2022-01", "2023-4", "newest", "~"])
def test_an_unknown_edition_is_told_with_those_that_are_known(edition):
    with pytest.raises(ValueError, match=rf"2023-04.*'{edition}'"):
        load(edition)


def test_models_come_with_their_edition(spec):
    assert "gpt-3.5-turbo-0301" in spec.models
    assert "gpt-3.5-turbo-instruct" not in spec.models
