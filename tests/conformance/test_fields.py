import pytest

from conformance.fields import unlawful


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
