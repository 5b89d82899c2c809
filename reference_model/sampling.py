"""From logits to a token: bias, penalties, mask, temperature, nucleus, draw.

The mask of a grammar comes after all that a request can add, so that no bias breaks a
grammar. A ban is a bias: if only banned tokens may come, one of them does.

The reported log probabilities are those after bias, penalties and mask, before
temperature and nucleus. So does the live API: in structured outputs it gives a forced
token 0.0, and fills the alternatives up with tokens that cannot come
(openai/openai-python#2227, comet-ml/opik#1640); ours are at -9999.

Letters: B rows (any leading shape), V vocabulary.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

_COLDEST = 1e-9  # already parts neighbouring float32 numbers; less would divide 0 by 0
_ROUNDED = 1 - 1e-9  # what a share may lack by rounding
LEAST_LOGPROB = -9999.0  # as the live API: it never says minus infinity


@dataclass(frozen=True)
class Sampling:
    """How a token is chosen; the ids of ``logit_bias`` are already folded."""

    temperature: float = 1.0
    top_p: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    logit_bias: tuple[tuple[int, float], ...] = ()


PLAIN = Sampling()

# logits (V), prompt, sampled tokens, settings -> logits (V): the seam for wrong ones
Penalty = Callable[[Tensor, Sequence[int], Sequence[int], Sampling], Tensor]


def bias(logits: Tensor, biases: Mapping[int, float]) -> Tensor:
    """Add to each named token's logit."""
    if not biases:
        return logits
    ids = torch.tensor(list(biases))
    amounts = torch.tensor(list(biases.values()), dtype=logits.dtype)
    return logits.index_add(-1, ids, amounts.expand(*logits.shape[:-1], -1))


def penalise(
    logits: Tensor, counts: Mapping[int, int], frequency: float, presence: float
) -> Tensor:
    """mu[j] - c[j] * alpha_frequency - float(c[j] > 0) * alpha_presence."""
    owed = {id: -c * frequency - presence for id, c in counts.items() if c > 0}
    return bias(logits, owed)


def penalty_of_reference(
    logits: Tensor, prompt: Sequence[int], sampled: Sequence[int], sampling: Sampling
) -> Tensor:
    """The honest policy: only sampled tokens count, the prompt does not."""
    frequency, presence = sampling.frequency_penalty, sampling.presence_penalty
    if not (frequency or presence):
        return logits
    return penalise(logits, Counter(sampled), frequency, presence)


def masked(logits: Tensor, allowed: Tensor) -> Tensor:
    """Only the ``allowed`` (V, bool) can be drawn; their odds stay."""
    return logits.masked_fill(~allowed, -torch.inf)


def temperature(logits: Tensor, t: float) -> Tensor:
    """Divide by ``t``; at 0 only the likeliest token remains, the first of equals."""
    if t == 1:
        return logits
    likeliest = logits.argmax(-1, keepdim=True)  # (B, 1)
    if t > 0:
        top = logits.gather(-1, likeliest)
        return (logits - top) / max(t, _COLDEST)  # at most 0: no overflow upwards
    return torch.full_like(logits, -torch.inf).scatter(-1, likeliest, 0.0)


def nucleus(logits: Tensor, top_p: float) -> Tensor:
    """The fewest likeliest tokens whose mass reaches ``top_p``, but at least one."""
    if top_p >= 1:
        return logits
    rows = logits.reshape(-1, logits.shape[-1])
    # What is less likely than this weighs, all of it, less than what is cut.
    least = (1 - top_p) / rows.shape[-1] * _ROUNDED
    kept = torch.full_like(rows, -torch.inf)
    for row, shares in enumerate(rows.double().softmax(-1).numpy()):
        ids = np.flatnonzero(shares >= least)
        ids = ids[np.argsort(-shares[ids], kind="stable")]
        count = np.searchsorted(shares[ids].cumsum(), top_p) + 1
        chosen = torch.from_numpy(ids[:count])
        kept[row, chosen] = rows[row, chosen]
    return kept.view(logits.shape)


def draw(logits: Tensor, seed: int, position: int) -> int:
    """One token by its probability, the same for the same seed and position."""
    quantile = torch.tensor(uniform(seed, position), dtype=torch.float64)
    return int(at_quantile(probabilities(logits).cumsum(-1), quantile))


def at_quantile(sums: Tensor, quantile: Tensor) -> Tensor:
    """The token at which the running sums (B, V) of what is likely pass ``quantile``.

    The quantile (B), below 1, is given in float64: the nearest float32 may be 1.
    """
    goal = quantile.double().unsqueeze(-1) * sums[..., -1:]
    return torch.searchsorted(sums, goal, right=True).squeeze(-1)


def probabilities(logits: Tensor) -> Tensor:
    """(B, V), in float64."""
    return torch.softmax(logits, -1, dtype=torch.float64)


def normaliser(logits: Tensor, likely: Tensor) -> Tensor:
    """Logit less log probability, the same for all tokens; told by the likeliest.

    Both are (B, V), what comes of it is (B, 1): the logarithm of the sum of all
    exponentials, which are not computed once more.
    """
    return logits.amax(-1, keepdim=True) - likely.amax(-1, keepdim=True).log()


def logprobs(logits: Tensor, normaliser: Tensor) -> Tensor:
    """Of any of the logits; computed in float64, given in float32, never infinite."""
    return (logits - normaliser).clamp(min=LEAST_LOGPROB).float()


def uniform(seed: int, position: int) -> float:
    """A number in 0 <= x < 1 that looks random: splitmix64 over seed and position."""
    return (_mixed(_mixed(seed) + position) >> 11) * 2.0**-53


def _mixed(number: int) -> int:
    whole = 2**64 - 1
    z = (number + 0x9E3779B97F4A7C15) & whole
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & whole
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & whole
    return z ^ (z >> 31)
