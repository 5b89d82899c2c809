"""How to tune: what may be asked for, and what is chosen where nothing is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from reference_model.classification import Classes

MOST_STEPS = 100_000
SHARE, LARGEST = 0.002, 256  # of the examples that make a batch, and their most
MULTIPLIERS = ((8, 0.05), (64, 0.1), (math.inf, 0.2))
"""The largest batch, and what its learning rate is multiplied with."""


@dataclass(frozen=True)
class Hyper:
    """In the API's words; None is settled by the number of examples."""

    n_epochs: int = 4
    batch_size: int | None = None
    learning_rate_multiplier: float | None = None
    prompt_loss_weight: float = 0.01
    compute_classification_metrics: bool = False
    classification_n_classes: int | None = None
    classification_positive_class: str | None = None
    classification_betas: Sequence[float] | None = None

    def settled(self, examples: int) -> "Hyper":
        """With nothing left open. Raises ValueError where nothing can be learned so."""
        size, rate = self.batch_size, self.learning_rate_multiplier
        if size is None:
            size = min(LARGEST, max(1, round(SHARE * examples)))
        if rate is None:
            rate = next(rate for most, rate in MULTIPLIERS if size <= most)
        _demand(self.n_epochs >= 1, f"n_epochs of at least 1, got {self.n_epochs}")
        _demand(size >= 1, f"a batch_size of at least 1, got {size}")
        for name, value in (
            ("learning_rate_multiplier", rate),
            ("prompt_loss_weight", self.prompt_loss_weight),
        ):
            _demand(0 <= value <= 1e6, f"a {name} of 0 to 1000000, got {value}")
        steps = self.n_epochs * -(-examples // size)
        _demand(steps <= MOST_STEPS, f"at most {MOST_STEPS} steps, got {steps}")
        return replace(self, batch_size=size, learning_rate_multiplier=rate)

    def classes(self, completions: Sequence[str]) -> Classes | None:
        """What is measured; None where nothing is asked for.

        Raises ValueError where the completions are not what was said of them.
        """
        if not self.compute_classification_metrics:
            return None
        names, count = tuple(sorted({*completions})), self.classification_n_classes
        positive = self.classification_positive_class
        _demand(
            count in (None, len(names)),
            f"{count} different completions for as many classes, got {len(names)}",
        )
        if count not in (None, 2):
            return Classes(names)
        _demand(positive in names, f"a completion that is {positive!r}, got none")
        return Classes(names, positive, tuple(self.classification_betas or ()))


def _demand(met: bool, wanted: str) -> None:
    if not met:
        raise ValueError(f"expected {wanted}")
