"""Sequential tests of shares: how often one of two tokens is drawn.

Evidence is the capital of a player who bets against a bound on the share. If the bound
holds, the capital is more than k times the stake, ever, with a probability of at most
1/k (Ville): one may look after each draw, and stop as soon as one knows.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.notebook import Span
from conformance.titration import Balance
from conformance.tokens import remembered
from conformance.view import Absent

ALARM = 1e-6
"""Probability that a server that keeps the law is ever accused, for each verdict."""
OVERLOOKED = 1e-2
"""Probability that a share outside the tolerated ones passes."""
BETS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
"""Stakes, as parts of the largest that cannot ruin; the capital is split over them."""
BUDGET = 1200  # draws for a verdict
SIZE = 16  # choices of a request
REQUESTS = 300  # for a verdict
FAITH, IMPOSSIBLE = 50, 1e-12
SURE = 3.0
"""Standard deviations of the error bars that a reader sees."""


@dataclass
class Evidence:
    """Against "the share of hits is at most ``bound``"."""

    bound: float
    capitals: list[float] = field(default_factory=lambda: [0.0] * len(BETS))
    """Logarithms of what each stake came to."""

    def take(self, hit: bool) -> None:
        if self.bound <= 0:  # nothing can be at most that
            self.capitals = [math.inf]
            return
        for place, part in enumerate(BETS):
            won = part / self.bound * (hit - self.bound)
            self.capitals[place] += math.log1p(won)

    @property
    def nats(self) -> float:
        """The logarithm of the whole capital for a stake of 1."""
        most = max(self.capitals)
        if math.isinf(most):
            return most
        total = sum(math.exp(one - most) for one in self.capitals)
        return most + math.log(total / len(BETS))


@dataclass(frozen=True)
class Verdict:
    """What the draws say of a share."""

    kept: bool | None
    """None: they do not say enough."""
    hits: int
    draws: int

    @property
    def share(self) -> float:
        return self.hits / max(1, self.draws)

    @property
    def seen(self) -> Span:
        """The share with error bars of three standard deviations (Wilson's)."""
        n, z = max(1, self.draws), SURE
        middle = (self.hits + z * z / 2) / (n + z * z)
        root = math.sqrt(self.share * (1 - self.share) * n + z * z / 4)
        return Span(middle - z * root / (n + z * z), middle + z * root / (n + z * z))


def judged(
    drawn: Iterable[bool], law: Span, tolerated: Span, budget: int = BUDGET
) -> Verdict:
    """Whether the share of hits is within the law, from as few draws as will do.

    A share between the law and what is tolerated may be judged either way or not.
    """
    accusing = _Sides(law.high, law.low)
    clearing = _Sides(tolerated.low, tolerated.high)
    hits = draws = 0
    for hit in drawn:
        hits, draws = hits + hit, draws + 1
        accusing.take(hit)
        clearing.take(hit)
        if max(accusing.nats) > math.log(2 / ALARM):
            return Verdict(False, hits, draws)
        if min(clearing.nats) > math.log(1 / OVERLOOKED):
            return Verdict(True, hits, draws)
        if draws >= budget:
            break
    return Verdict(None, hits, draws)


class _Sides:
    """Evidence that the share is above one bound, and that it is below another."""

    def __init__(self, above: float, below: float) -> None:
        self.above, self.below = Evidence(above), Evidence(1 - below)

    def take(self, hit: bool) -> None:
        self.above.take(hit)
        self.below.take(not hit)

    @property
    def nats(self) -> tuple[float, float]:
        return self.above.nats, self.below.nats


@dataclass
class Surprise:
    """Evidence against "the draws have these probabilities", of any number of kinds.

    The player bets on what was drawn so far, mixed with the law as if it had been drawn
    ``FAITH`` times.
    """

    law: Mapping[str, float]
    seen: Counter[str] = field(default_factory=Counter)
    nats: float = 0.0

    def take(self, kind: str) -> None:
        due = max(self.law.get(kind, 0.0), IMPOSSIBLE)
        drawn = self.seen.total()
        bet = (FAITH * due + self.seen[kind]) / (FAITH + drawn)
        self.nats += math.log(bet / due)
        self.seen[kind] += 1

    @property
    def fit(self) -> str:
        """Pearson's chi-square, and how many kinds may vary."""
        drawn = self.seen.total()
        due = {kind: max(drawn * share, IMPOSSIBLE) for kind, share in self.law.items()}
        found = sum((self.seen[kind] - due[kind]) ** 2 / due[kind] for kind in due)
        return f"chi-square {found:.1f} of {len(due) - 1} degrees of freedom"

    @property
    def alarming(self) -> bool:
        return self.nats > math.log(1 / ALARM)


def share(logit: float) -> float:
    """The probability that has these log odds."""
    return 1 / (1 + math.exp(-logit))


def shares(logits: Span) -> Span:
    return Span(share(logits.low), share(logits.high))


def rounds(
    scale: Balance, added: float, size: int, **changes: Any
) -> Iterator[list[bool]]:
    """Of each request, for each of its choices, whether the second token was drawn.

    No two requests are alike, for servers that remember their answers: both biases
    move together. Ends after so many requests.
    """
    step = 1 if scale.whole else 0.01
    for number in range(REQUESTS):
        moved = replace(scale, level=scale.level - number % 10 * step)
        asked = moved.body(added, max_tokens=1, n=size, **{"temperature": 1, **changes})
        found = scale.dialect.choices(scale.target, scale.prompt, **asked)
        yield [scale.second_taken(scale.dialect.text(choice)) for choice in found]


def together(scale: Balance) -> Verdict:
    """Whether the choices of one request are drawn each for itself.

    Two neighbours are alike in a share of p**2 + q**2, whatever was drawn before.
    """
    added = scale.grid(scale.zero.middle, -1)
    far = max(abs(p - 0.5) for p in shares(scale.logits(added)).ends)
    most = 0.5 + 2 * far * far

    def alike() -> Iterator[bool]:
        for one in rounds(scale, added, SIZE):
            for left, right in zip(one[::2], one[1::2], strict=False):
                yield left == right

    return judged(alike(), Span(0.5, most), Span(0.2, most + 0.25))


def sampled(scale: Balance, added: float, **changes: Any) -> Iterator[bool]:
    """Independent draws of the second token: one of each request where n is no way."""
    name = f"choices of {scale.dialect.resource}"
    try:
        apart = remembered(scale.target, name, lambda target: together(scale)).kept
    except Absent:  # so many choices are refused, which is another clause's concern
        apart = False
    for one in rounds(scale, added, SIZE if apart else 1, **changes):
        yield from one if apart else one[:1]
