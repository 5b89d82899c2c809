"""Sequential tests: whom they accuse, and how seldom they are wrong."""

import random
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.notebook import Span
from conformance.statistics import ALARM, Surprise, Verdict, judged, share, shares

LAW, TOLERATED = Span(0.80, 0.83), Span(0.7, 0.9)
SEEDS = st.integers(0, 2**32)


def draws(p, seed):
    chance = random.Random(seed)
    while True:
        yield chance.random() < p


@settings(max_examples=100, deadline=None)
@given(seed=SEEDS, p=st.floats(LAW.low, LAW.high))
def test_no_server_within_the_law_is_accused(seed, p):
    assert judged(draws(p, seed), LAW, TOLERATED, 400).kept is not False


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, p=st.sampled_from([0.0, 0.5, 0.6, 0.97, 1.0]))
def test_a_share_far_from_the_law_is_found(seed, p):
    assert judged(draws(p, seed), LAW, TOLERATED, 3000).kept is False


@pytest.mark.parametrize("seed", range(10))
def test_the_middle_of_the_law_is_cleared(seed):
    found = judged(draws(0.815, seed), LAW, TOLERATED, 3000)

    assert found.kept
    assert found.draws < 1500
    assert found.seen.fits(0.815)


def test_few_draws_say_nothing():
    assert judged(islice(draws(0.815, 1), 20), LAW, TOLERATED).kept is None


def test_a_share_that_cannot_be_is_found_at_the_first_draws():
    found = judged(iter([True] * 50), Span(0.0, 1e-9), Span(0.0, 0.1))

    assert found == Verdict(False, 1, 1)


@given(st.floats(-30, 30), st.floats(0, 5))
def test_shares_keep_the_order_of_logits(low, width):
    found = shares(Span(low, low + width))

    assert 0 <= found.low <= found.high <= 1
    assert share(-low) == pytest.approx(1 - share(low))


@pytest.mark.parametrize("seed", range(20))
def test_draws_by_the_law_surprise_nobody(seed):
    law = {"a": 0.5, "b": 0.3, "c": 0.2}
    found = Surprise(law)

    for kind in random.Random(seed).choices(list(law), list(law.values()), k=400):
        found.take(kind)
        assert not found.alarming


def test_draws_by_another_law_are_surprising():
    found = Surprise({"a": 0.5, "b": 0.5})

    for kind in random.Random(1).choices("ab", (0.75, 0.25), k=400):
        found.take(kind)

    assert found.alarming


def test_chi_square_sums_what_each_kind_is_off():
    found = Surprise({"a": 0.5, "b": 0.5})

    for kind in "a" * 60 + "b" * 40:
        found.take(kind)

    assert found.fit == "chi-square 4.0 of 1 degrees of freedom"


def test_the_price_of_an_alarm_is_stated():
    assert ALARM == 1e-6
