from collections import Counter
from math import log, sqrt

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reference_model.sampling import (
    LEAST_LOGPROB,
    Sampling,
    at_quantile,
    bias,
    draw,
    logprobs,
    nucleus,
    penalise,
    penalty_of_reference,
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

    drawn = at_quantile(frozen, torch.tensor(quantile, dtype=torch.float64))

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


@given(st.integers(0, 2**40))
def test_draw_frequencies_follow_the_softmax(seed):
    """A faithful draw strays beyond the bound once in a million seeds (Hoeffding)."""
    logits, draws, false_alarm = torch.linspace(-2, 2, VOCABULARY), 4_000, 1e-6
    chances = [uniform(seed, place) for place in range(draws)]
    quantiles = torch.tensor(chances, dtype=torch.float64)

    drawn = at_quantile(logits.expand(draws, -1), quantiles)

    bound = sqrt(log(2 * VOCABULARY / false_alarm) / (2 * draws))
    frequencies = np.bincount(drawn, minlength=VOCABULARY) / draws
    np.testing.assert_allclose(frequencies, softmax(logits.numpy()), atol=bound)


@given(LOGITS, st.booleans())
def test_logprobs_are_finite_and_those_of_numpy(logits, sealed):
    if sealed:
        logits[3] = -np.inf

    found = logprobs(torch.tensor(logits)).numpy()

    with np.errstate(divide="ignore"):
        expected = np.maximum(np.log(softmax(logits)), LEAST_LOGPROB)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@given(arrays(np.float32, (5, VOCABULARY), elements=st.floats(-50, 50, width=32)))
def test_rows_are_sampled_alike_together_and_alone(rows):
    together = nucleus(temperature(torch.tensor(rows), 0.7), 0.8)

    for row, kept in zip(rows, together, strict=True):
        assert torch.equal(nucleus(temperature(torch.tensor(row), 0.7), 0.8), kept)
