import pytest

from conformance.fields import lawful, unlawful, with_value
from spec import load
from spec.schema import Schema


@pytest.mark.parametrize(
    ("node", "strangers"),
    [
        ({"type": "number", "maximum": 2}, ["1", True, []]),
        ({"type": ["integer", "null"], "maximum": 5}, ["1", True, 1.5]),
        (
            {"anyOf": [{"type": "string"}, {"type": "array", "maxItems": 4}]},
            [True, 7, 1.5],
        ),
    ],
    ids=["number", "integer", "union"],
)
def test_a_number_beyond_its_bounds_is_of_its_type(node, strangers):
    assert list(unlawful(node, "type")) == strangers


def test_a_null_among_the_names_of_a_field_is_lawful():
    assert list(lawful({"enum": ["a", None], "default": "a"}, "accept")) == ["a", None]


METADATA = {
    "type": "object",
    "maxProperties": 2,
    "propertyNames": {"maxLength": 3},
    "additionalProperties": {"type": "string", "maxLength": 4},
}
BIAS = {
    "type": "object",
    "propertyNames": {"pattern": "^[0-9]+$"},
    "additionalProperties": {"type": "number", "minimum": -1, "maximum": 1},
}


@pytest.mark.parametrize("node", [METADATA, BIAS], ids=["metadata", "bias"])
@pytest.mark.parametrize("keyword", ["propertyNames", "values", "maxProperties"])
def test_a_map_is_tried_on_both_sides_of_a_keyword(node, keyword):
    if keyword == "maxProperties" and keyword not in node:
        return
    inside, outside = list(lawful(node, keyword)), list(unlawful(node, keyword))

    assert inside
    assert outside
    assert all(Schema(node).valid(value) for value in inside)
    assert not any(Schema(node).valid(value) for value in outside)


def test_what_holds_a_field_is_put_there_first():
    operation = load("2023-12").operations["createChatCompletion"]
    pointer = ("tools", "[]", "function", "name")

    body = with_value(operation, operation.sample, pointer, "look_up")

    assert body["tools"][0]["function"]["name"] == "look_up"
    assert operation.request.valid(body)
    assert "tools" not in operation.sample
