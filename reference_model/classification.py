"""How well classes were told apart: the measures of two classes, and of many."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

Scores = dict[str, float]


@dataclass(frozen=True)
class Classes:
    """The completions that are classes, and what is measured of them."""

    names: tuple[str, ...]
    positive: str | None = None
    """The class that is looked for among two; None where there are many alike."""
    betas: tuple[float, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all measures."""
        if self.positive is None:
            return ("classification/accuracy", "classification/weighted_f1_score")
        kinds = ("accuracy", "precision", "recall", "auroc", "auprc")
        named = (*kinds, *(f"f{beta:g}" for beta in self.betas))
        return tuple(f"classification/{name}" for name in named)

    def scores(self, truth: Sequence[str], likely: Sequence[Sequence[float]]) -> Scores:
        """The measures that are defined, where each row tells how likely each class is.

        The likelihoods of a row are in the order of the names and sum to one.
        """
        chosen = [self.names[row.index(max(row))] for row in likely]
        if self.positive is None:
            values: Sequence[float | None] = (
                _share(map(str.__eq__, truth, chosen)),
                weighted_f1(truth, chosen),
            )
        else:
            place = self.names.index(self.positive)
            values = self._binary(
                [name == self.positive for name in truth],
                [row[place] for row in likely],
            )
        pairs = zip(self.columns, values, strict=True)
        return {name: value for name, value in pairs if value is not None}

    def _binary(
        self, truth: Sequence[bool], likely: Sequence[float]
    ) -> list[float | None]:
        told = [value > 0.5 for value in likely]
        precision, recall = precision_recall(truth, told)
        accuracy = _share(map(bool.__eq__, truth, told))
        areas = auroc(truth, likely), auprc(truth, likely)
        betas = [f_beta(precision, recall, beta) for beta in self.betas]
        return [accuracy, precision, recall, *areas, *betas]


def precision_recall(
    truth: Sequence[bool], told: Sequence[bool]
) -> tuple[float, float]:
    """The share of the told that are true, and of the true that are told; 0 of none."""
    both = sum(map(bool.__and__, truth, told))
    return both / max(1, sum(told)), both / max(1, sum(truth))


def f_beta(precision: float, recall: float, beta: float) -> float:
    """The harmonic mean in which recall counts ``beta`` squared times as much."""
    if not precision or not recall:
        return 0.0
    weight = 1 / (1 + min(beta * beta, 1e300))
    return 1 / (weight / precision + (1 - weight) / recall)


def weighted_f1(truth: Sequence[str], chosen: Sequence[str]) -> float:
    """The mean F1 of the classes, each counted as often as it is true."""
    total = 0.0
    for name in set(truth):
        own = [one == name for one in truth]
        both = precision_recall(own, [one == name for one in chosen])
        total += sum(own) * f_beta(*both, 1)
    return total / len(truth)


def auroc(truth: Sequence[bool], likely: Sequence[float]) -> float | None:
    """How often a true one is likelier than a false one; None where one is missing."""
    falses = seen = 0
    wins = 0.0
    for yes, no in _ranked(truth, likely):
        wins += no * (seen + yes / 2)
        seen, falses = seen + yes, falses + no
    return wins / (seen * falses) if seen and falses else None


def auprc(truth: Sequence[bool], likely: Sequence[float]) -> float | None:
    """The mean precision at which each true one is reached; None where none is."""
    seen = told = 0
    area = 0.0
    for yes, no in _ranked(truth, likely):
        seen, told = seen + yes, told + yes + no
        area += yes * seen / told
    return area / seen if seen else None


def _ranked(
    truth: Sequence[bool], likely: Sequence[float]
) -> Iterable[tuple[int, int]]:
    """How many are true and false at each likelihood, the highest first."""
    pairs = sorted(zip(likely, truth, strict=True), reverse=True)
    for _, group in groupby(pairs, key=lambda pair: pair[0]):
        alike = [true for _, true in group]
        yield sum(alike), len(alike) - sum(alike)


def _share(values: Iterable[bool]) -> float:
    counted = list(values)
    return sum(counted) / len(counted)
