from collections import Counter
from math import log, sqrt
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mockserver.choices import Candidate, choose
from reference_model.sampling import (
    LEAST_LOGPROB,
    Sampling,
    at_quantile,
    bias,
    draw,
    logprobs,
    normaliser,
    nucleus,
    penalise,
    penalty_of_reference,
    probabilities,
    temperature,
    uniform,
)

VOCABULARY = 12
LOGITS = arrays(np.float32, VOCABULARY, elements=st.floats(-50, 50, width=32))
IDS = st.integers(0, VOCABULARY - 1)
AMOUNTS = st.floats(-100, 100)
PENALTIES = st.floats(-2, 2)
SUM_ERROR = 1e-9  # float64 sums of a dozen numbers, in another order
FLOAT32_ERROR = 1e-4  # float32 sums of numbers up to some hundreds

# Quarters add up without error in any order, so equal logits are equal here and there.
QUARTERS = st.integers(-40, 40).map(lambda number: number / 4)
EXACT = arrays(np.float32, VOCABULARY, elements=QUARTERS)
ASKED = st.builds(
    Sampling,
    temperature=st.sampled_from([0, 0.25, 0.5, 1, 2]),
    top_p=st.floats(0, 1),
    frequency_penalty=st.integers(-8, 8).map(lambda number: number / 4),
    presence_penalty=st.integers(-8, 8).map(lambda number: number / 4),
    logit_bias=st.dictionaries(IDS, QUARTERS).map(lambda all: tuple(all.items())),
)

DRAWS, EXAMPLES = 10_000, 10
FALSE_ALARM = 1e-9 / EXAMPLES  # each test below alarms once in 10^9 runs for no reason


def softmax(logits):
    raised = np.exp(np.asarray(logits, np.float64) - np.max(logits))
    return raised / raised.sum()


@given(LOGITS, st.dictionaries(IDS, AMOUNTS))
def test_bias_adds_to_each_named_logit(logits, biases):
    biased = bias(torch.tensor(logits), biases).numpy()

    expected = logits.astype(np.float64)
    for id, amount in biases.items():
        expected[id] += amount
    np.testing.assert_allclose(biased, expected, atol=FLOAT32_ERROR)


@given(LOGITS, st.lists(IDS), PENALTIES, PENALTIES)
def test_penalties_follow_the_published_formula(logits, sampled, frequency, presence):
    counts = Counter(sampled)

    penalised = penalise(torch.tensor(logits), counts, frequency, presence).numpy()

    c = np.bincount(np.array(sampled, int), minlength=VOCABULARY)
    expected = logits - c * frequency - (c > 0) * presence
    np.testing.assert_allclose(penalised, expected, atol=FLOAT32_ERROR)


@given(LOGITS, st.lists(IDS, min_size=1), st.lists(IDS))
def test_the_prompt_is_not_penalised(logits, prompt, sampled):
    sampling = Sampling(frequency_penalty=0.7, presence_penalty=0.3)
    mu = torch.tensor(logits)

    with_prompt = penalty_of_reference(mu, prompt, sampled, sampling)

    assert torch.equal(with_prompt, penalty_of_reference(mu, [], sampled, sampling))
    assert torch.equal(with_prompt, penalise(mu, Counter(sampled), 0.7, 0.3))


@given(LOGITS, st.floats(0.1, 4))
def test_temperature_divides_logits(logits, t):
    heated = temperature(torch.tensor(logits), t)

    expected = softmax(logits.astype(np.float64) / t)
    # an error of 50 * 2^-23 in a logit, divided by 0.1
    np.testing.assert_allclose(softmax(heated.numpy()), expected, atol=FLOAT32_ERROR)


@given(LOGITS, st.floats(0, 1, exclude_max=True))
def test_temperature_zero_leaves_only_the_likeliest(logits, quantile):
    frozen = temperature(torch.tensor(logits), 0)

    sums = probabilities(frozen).cumsum(-1)
    drawn = at_quantile(sums, torch.tensor(quantile, dtype=torch.float64))

    assert int(drawn) == logits.argmax()


@given(LOGITS, st.floats(0, 1e-3, exclude_min=True))
def test_a_tiny_temperature_overflows_nothing(logits, t):
    heated = temperature(torch.tensor(logits), t)

    assert heated.max() == 0
    assert not heated.isnan().any()


@given(LOGITS, st.floats(0, 1))
def test_nucleus_keeps_the_fewest_that_reach_top_p(logits, top_p):
    kept = torch.isfinite(nucleus(torch.tensor(logits), top_p)).numpy()

    masses = softmax(logits)
    assert masses[kept].sum() >= top_p - SUM_ERROR
    assert masses[kept].min() >= masses[~kept].max(initial=0)
    if kept.sum() > 1 and top_p < 1:
        assert np.sort(masses[kept])[1:].sum() < top_p + SUM_ERROR


@given(LOGITS)
def test_a_nucleus_of_nothing_keeps_exactly_one(logits):
    assert torch.isfinite(nucleus(torch.tensor(logits), 0.0)).sum() == 1


@given(LOGITS, st.integers(), st.integers(0, 10_000))
def test_draw_inverts_the_summed_probabilities(logits, seed, position):
    token = draw(torch.tensor(logits), seed, position)

    sums = np.concatenate(([0], softmax(logits).cumsum()))
    u = uniform(seed, position)
    assert sums[token] <= u + SUM_ERROR
    assert u - SUM_ERROR <= sums[token + 1]


def reported(logits):
    """The log probabilities of all tokens."""
    return logprobs(logits, normaliser(logits, probabilities(logits)))


@given(LOGITS, st.booleans())
def test_logprobs_are_finite_and_those_of_numpy(logits, sealed):
    if sealed:
        logits[3] = -np.inf

    found = reported(torch.tensor(logits)).numpy()

    with np.errstate(divide="ignore"):
        expected = np.maximum(np.log(softmax(logits)), LEAST_LOGPROB)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@given(arrays(np.float32, (5, VOCABULARY), elements=st.floats(-50, 50, width=32)))
def test_rows_are_sampled_alike_together_and_alone(rows):
    together = nucleus(temperature(torch.tensor(rows), 0.7), 0.8)

    for row, kept in zip(rows, together, strict=True):
        assert torch.equal(nucleus(temperature(torch.tensor(row), 0.7), 0.8), kept)


def adjusted(logits, sampled, asked):
    """What numpy makes of bias and penalties."""
    counts = np.bincount(np.array(sampled, int), minlength=VOCABULARY)
    bonus = np.zeros(VOCABULARY)
    for id, amount in asked.logit_bias:
        bonus[id] = amount
    owed = counts * asked.frequency_penalty + (counts > 0) * asked.presence_penalty
    return logits.astype(np.float64) + bonus - owed


def heated(logits, sampled, asked):
    """The probabilities before the nucleus."""
    mu = adjusted(logits, sampled, asked)
    if asked.temperature == 0:
        return np.eye(VOCABULARY)[mu.argmax()]
    return softmax(mu / asked.temperature)


def ranked(masses):
    """From the likeliest on: the tokens, and the mass before each."""
    order = np.argsort(-masses, kind="stable")
    return order, np.concatenate(([0], masses[order].cumsum()[:-1]))


def chances(logits, sampled, asked):
    """How likely numpy draws each token."""
    masses = heated(logits, sampled, asked)
    order, before = ranked(masses)
    dropped = order[1:][before[1:] >= asked.top_p] if asked.top_p < 1 else []
    masses[dropped] = 0
    return masses / masses.sum()


def is_clear(logits, sampled, asked):
    """Whether no rounding decides who belongs to the nucleus."""
    _, before = ranked(heated(logits, sampled, asked))
    return asked.top_p == 1 or np.abs(before[1:] - asked.top_p).min() > SUM_ERROR


def chain(logits, sampled, asked):
    """The steps of the engine: what is reported, and what is drawn from."""
    biased = bias(torch.tensor(logits), dict(asked.logit_bias))
    penalised = penalty_of_reference(biased, [], sampled, asked)
    return reported(penalised), nucleus(
        temperature(penalised, asked.temperature), asked.top_p
    )


@given(EXACT, st.lists(IDS), ASKED, st.integers(), st.integers(0, 10_000))
def test_all_settings_together_draw_what_numpy_draws(
    logits, sampled, asked, seed, position
):
    assume(is_clear(logits, sampled, asked))
    expected = chances(logits, sampled, asked)

    _, kept = chain(logits, sampled, asked)

    token, sums = draw(kept, seed, position), np.concatenate(([0], expected.cumsum()))
    assert expected[token] > 0
    assert sums[token] - SUM_ERROR <= uniform(seed, position)
    assert uniform(seed, position) <= sums[token + 1] + SUM_ERROR
    assert (np.isfinite(kept.numpy()) == (expected > 0)).all()


@given(EXACT, st.lists(IDS), ASKED)
def test_logprobs_know_bias_and_penalties_but_no_temperature(logits, sampled, asked):
    found, _ = chain(logits, sampled, asked)

    expected = np.log(softmax(adjusted(logits, sampled, asked)))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def strays(counts, expected, false_alarm):
    """Whether a count is farther off than chance allows (Chernoff).

    A share of n draws is at least x above, or x below, its chance with a probability of
    at most exp(-n * KL); there are two sides of as many shares as there are tokens.
    """
    n = counts.sum()
    found = counts / n
    with np.errstate(divide="ignore", invalid="ignore"):
        hits = np.where(counts > 0, found * np.log(found / expected), 0)
        misses = np.where(
            counts < n, (1 - found) * np.log((1 - found) / (1 - expected)), 0
        )
    return bool((n * (hits + misses) > log(2 * len(counts) / false_alarm)).any())


def drawn(kept, seed):
    """How often each token is drawn."""
    quantiles = [uniform(seed, place) for place in range(DRAWS)]
    sums = probabilities(kept).cumsum(-1).repeat(DRAWS, 1)
    ids = at_quantile(sums, torch.tensor(quantiles, dtype=torch.float64))
    return np.bincount(ids, minlength=VOCABULARY)


@settings(max_examples=EXAMPLES)
@given(EXACT, st.lists(IDS), ASKED, st.integers(0, 2**62))
def test_tokens_are_drawn_as_often_as_numpy_says(logits, sampled, asked, seed):
    assume(is_clear(logits, sampled, asked))
    expected = chances(logits, sampled, asked)

    _, kept = chain(logits, sampled, asked)

    assert not strays(drawn(kept, seed), expected, FALSE_ALARM)


@pytest.mark.parametrize(
    "wrong",
    [Sampling(1.5), Sampling(top_p=0.9), Sampling(logit_bias=((9, 0.5),))],
    ids=["temperature", "top_p", "bias"],
)
def test_the_bound_notices_a_wrong_setting(wrong):
    logits = np.linspace(-1, 1, VOCABULARY, dtype=np.float32)

    _, kept = chain(logits, [], wrong)

    assert strays(drawn(kept, 1), chances(logits, [], Sampling()), FALSE_ALARM)
    assert not strays(drawn(kept, 1), chances(logits, [], wrong), FALSE_ALARM)


def both_ways(start):
    """Draws of one seed at many places, and of many seeds at one place."""
    yield np.array([uniform(start, place) for place in range(DRAWS)])
    yield np.array([uniform(start + seed, 0) for seed in range(DRAWS)])


@settings(max_examples=EXAMPLES)
@given(st.integers(0, 2**62))
def test_quantiles_are_spread_evenly(start):
    """The share of them below any number is near it (Dvoretzky-Kiefer-Wolfowitz)."""
    bound = sqrt(log(2 / (FALSE_ALARM / 2)) / (2 * DRAWS))

    for found in both_ways(start):
        ranks = np.arange(1, DRAWS + 1) / DRAWS
        assert np.abs(np.sort(found) - ranks).max() < bound + 1 / DRAWS


@settings(max_examples=EXAMPLES)
@given(st.integers(0, 2**62))
def test_a_quantile_says_nothing_about_the_next(start):
    for found in both_ways(start):
        first, second = (found.reshape(-1, 2) * 4).astype(int).T
        cells = np.bincount(first * 4 + second, minlength=16)

        assert not strays(cells, np.full(16, 1 / 16), FALSE_ALARM / 2)


class Told(Candidate):
    """A text of which only the log probabilities matter."""

    def __init__(self, logprobs):
        steps = [SimpleNamespace(logprob=logprob) for logprob in logprobs]
        self.whole = SimpleNamespace(steps=steps)


QUARTERS_BELOW_0 = st.integers(-40, 0).map(lambda number: number / 4)


@given(
    st.lists(st.lists(QUARTERS_BELOW_0, min_size=1), min_size=1),
    st.integers(1, 20),
)
def test_best_of_ranks_by_the_logprob_per_token(told, n):
    candidates = [Told(logprobs) for logprobs in told]

    best = choose(candidates, n)

    means = np.array([np.mean(logprobs) for logprobs in told])
    order = np.argsort(-means, kind="stable") if n < len(told) else range(len(told))
    assert best == [candidates[place] for place in order][:n]
