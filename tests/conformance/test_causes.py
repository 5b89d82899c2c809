"""The catalogue of causes names what it was shown."""

import pytest

from conformance import causes
from conformance.notebook import Span

FREQUENCY, PRESENCE = "frequency_penalty", "presence_penalty"


def near(value):
    return Span(value - 0.01, value + 0.01)


@pytest.mark.parametrize(
    ("name", "figures", "word"),
    [
        (FREQUENCY, {1: 0, 2: 0}, "ignored"),
        (FREQUENCY, {1: -1, 2: -2}, "opposite sign"),
        (FREQUENCY, {1: 1, 3: 1}, "once"),
        (FREQUENCY, {1: 0.5, 2: 1}, "scaled by 0.50, or the bias by 2.00"),
        (PRESENCE, {1: 1, 4: 4}, "grows with the count"),
        (PRESENCE, {1: 2, 4: 2}, "scaled by 2.00"),
        (PRESENCE, {1: 1, 4: 2.5}, None),
    ],
)
def test_what_a_unit_takes_off_has_a_cause(name, figures, word):
    shown = [(count, near(value)) for count, value in figures.items()]

    found = next(causes.of_penalty(name, shown), None)

    assert (found is None) == (word is None)
    assert word is None or word in found


def test_tokens_of_the_prompt_are_counted():
    assert "4 of the token" in causes.of_prompt(near(5), 1, 1)
    assert "in part" in causes.of_prompt(near(2.5), 1, 1)


def test_the_factor_of_a_repeat_penalty_is_told():
    assert "by about 1.10" in causes.of_level(near(40 * (1 - 1 / 1.1)), 40)


@pytest.mark.parametrize(
    ("seen", "above", "heat", "word"),
    [
        (Span(0.97, 1.0), 4, 2, "cut off"),
        (near(0.982), 4, 2, "ignored"),
        (near(0.731), 4, 2, "squared"),
        (near(0.881), 4, 2, None),
    ],
)
def test_a_share_has_a_cause(seen, above, heat, word):
    found = next(causes.of_share(seen, above, heat), None)

    assert (found is None) == (word is None)
    assert word is None or word in found
