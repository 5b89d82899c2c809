"""Titration against a server of a few lines, whose formula is known."""

import random
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.notebook import Span
from conformance.slopes import slope
from conformance.titration import Balance, Missed
from conformance.tokens import Token
from conformance.view import Absent

A, B = Token(7, "ah"), Token(9, "oh")
FACTORS = st.floats(-2, 2).map(lambda factor: round(factor, 3))


@dataclass(frozen=True)
class Toy:
    """At each position the first token's logit is ``lead`` of it above the second's."""

    lead: tuple[float, ...] = (3.0, 0.5, 0.4)
    frequency: float = 1.0
    presence: float = 1.0
    window: int = 10_000
    noise: float = 0.0
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def say(self, target: Any, prompt: str, **asked: Any) -> str:
        target.tape.exchanges.append(asked)
        bias, text = asked["logit_bias"], []
        for place in range(asked["max_tokens"]):
            seen = min(text.count(A.text), self.window)
            owed = seen * self.frequency * asked.get("frequency_penalty", 0)
            owed += (seen > 0) * self.presence * asked.get("presence_penalty", 0)
            gap = self.lead[min(place, len(self.lead) - 1)] - owed
            gap += bias["7"] - bias["9"] + self.chance.uniform(-1, 1) * self.noise
            text.append(A.text if gap >= 0 else B.text)
        return "".join(text)


def balance(toy: Toy, **changes: Any) -> Balance:
    tape = SimpleNamespace(exchanges=[])
    target = SimpleNamespace(tape=tape, deterministic=not toy.noise)
    scale = Balance(target, toy, A, B, zero=Span(2.9, 3.1), margin=2.0)
    return replace(scale, **changes)


@settings(max_examples=60)
@given(factor=FACTORS, name=st.sampled_from(["frequency", "presence"]))
def test_any_coefficient_is_found_within_its_error_bars(factor, name):
    scale = balance(Toy(**{name: factor}))

    found = slope(scale, f"{name}_penalty", 1, [(0, 1)])

    assert found.figure.fits(factor, 1e-6)
    assert found.figure.width < 0.07
    if not 0.01 < abs(factor - 1) < 0.1:  # too near to be told from the formula
        assert found.keeps == (factor == pytest.approx(1, abs=0.01))


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_faithful_formula_costs_few_requests(count):
    scale = balance(Toy())

    found = slope(scale, "frequency_penalty", count, [(0.5, 2)])

    assert found.keeps
    assert found.requests <= 15
    assert found.drawn().expected[0][1] == found.points[0][1].middle


@given(st.floats(0.1, 1.9).map(lambda factor: round(factor, 3)))
def test_no_penalty_is_asked_for_that_may_not_be_sent(factor):
    scale = balance(Toy(presence=factor), whole=True, zero=Span(2.0, 3.0))

    slope(scale, "presence_penalty", 1, [(0, 2)])

    asked = [asked.get("presence_penalty", 0) for asked in scale.target.tape.exchanges]
    assert min(asked) == 0
    assert max(asked) <= 2


def test_whole_biases_are_passed_by_fine_penalties():
    scale = balance(Toy(), whole=True, zero=Span(2.0, 3.0))

    found = slope(scale, "presence_penalty", 1, [(0, 2)])

    assert found.figure.fits(1)
    assert found.figure.width < 0.04
    assert all(
        type(value) is int
        for asked in scale.target.tape.exchanges
        for value in asked["logit_bias"].values()
    )


def test_a_flip_behind_an_earlier_one_is_no_figure():
    scale = balance(Toy(lead=(0.5, 3.0)), zero=Span(0.4, 0.6))

    with pytest.raises(Missed):
        scale.flip(1)


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), noise=st.floats(0.001, 0.3))
def test_a_server_that_wavers_is_measured_within_its_noise_or_not_at_all(seed, noise):
    toy = Toy(noise=noise, chance=random.Random(seed))

    try:
        found = balance(toy).flip(0)
    except Absent:
        return

    assert found.fits(3.0, 2 * noise)


def test_another_token_is_no_choice_between_two():
    toy = SimpleNamespace(say=lambda target, prompt, **asked: "ah, well")

    with pytest.raises(Absent):
        balance(Toy(), dialect=toy).lead(1, 0)


def test_a_window_shows_in_how_often_a_token_comes():
    windowed, faithful = Toy(window=20), Toy()

    longest = balance(windowed).run(60, 80, frequency_penalty=0.25)
    added, times = balance(faithful).run(60, 80, frequency_penalty=0.25)

    assert longest[0] is None
    assert longest[1] in (20, 21)
    assert added is not None
    assert 60 <= times <= 80
