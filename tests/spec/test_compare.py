"""What changed between two editions."""

from copy import deepcopy

import pytest

from spec import load
from spec.compare import compare, told
from spec.load import read
from spec.pages import editions, pages

MIRROR = {
    "added": "removed",
    "removed": "added",
    "tightened": "loosened",
    "loosened": "tightened",
    "changed": "changed",
}


@pytest.mark.parametrize("edition", editions())
def test_an_edition_does_not_differ_from_itself(edition):
    assert list(compare(load(edition), load(edition))) == []


def test_the_way_back_is_the_mirror_of_the_way_there():
    first, last = load(editions()[0]), load(editions()[-1])

    there = [(c.place, c.kind) for c in compare(first, last)]
    back = [(c.place, MIRROR[c.kind]) for c in compare(last, first)]

    assert there
    assert sorted(there) == sorted(back)


@pytest.mark.parametrize(
    ("change", "kind", "what"),
    [
        ({"maximum": 1}, "tightened", "request temperature: maximum was 2, is 1"),
        ({"maximum": 3}, "loosened", "request temperature: maximum was 2, is 3"),
        ({"minimum": 1}, "tightened", "request temperature: minimum was 0, is 1"),
        ({"type": "number"}, "tightened", "request temperature: may not be null"),
        ({"enum": [1, 2]}, "tightened", "request temperature: one of 1, 2"),
        ({"default": 2}, "changed", "request temperature: default was 1, is 2"),
    ],
)
def test_a_changed_keyword_is_told_as_what_it_means_for_a_client(change, kind, what):
    assert ("POST /chat/completions", kind, what) in changes(
        lambda api: api["Temperature"].update(change)
    )


def test_a_field_that_comes_is_told_without_all_that_is_inside():
    def add(schemas):
        schemas["Usage"]["properties"]["cost"] = {
            "type": "object",
            "properties": {"cents": {"type": "integer"}},
        }

    assert changes(add) >= {("POST /chat/completions", "added", "answer usage.cost")}
    assert not any("cents" in what for _, _, what in changes(add))


def changes(change):
    """What a change of the shared schemas does, beside what the editions differ in."""
    two = deepcopy(dict(pages()))
    change(two["api"]["components"]["schemas"])
    found = compare(load("2023-04"), read(two, "2023-04"))
    return {(one.place, one.kind, one.what) for one in found}


def test_the_page_names_each_operation_once():
    page = told(load("2023-04"), load("2023-12")).splitlines()

    heads = [line for line in page if line.startswith(("GET ", "POST ", "DELETE "))]
    assert len(heads) == len(set(heads)) > 0
    assert page[0] == "2023-04 to 2023-12"
