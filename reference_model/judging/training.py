"""Trains the judge: a logistic regression for each category, with a fixed seed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, embedding_bag

from reference_model.checksum import WEIGHTS, record
from reference_model.judging.features import SIZE, features
from reference_model.judging.judge import STORED
from reference_model.judging.lexicon import kinds, others
from reference_model.judging.reading import Reader
from reference_model.judging.sentences import Example, changed, written
from reference_model.moderate import CATEGORIES

SEED, ROUNDS, DECAY = 1, 60, 2e-6


def train(
    folder: Path = WEIGHTS,
    rounds: int = ROUNDS,
    sentences: Iterable[Example] | None = None,
) -> None:
    """Write the judge's weights and vocabulary, and their sum."""
    torch.set_num_threads(1)
    plain = list(sentences or written(SEED))
    vocabulary = _vocabulary(plain)
    weight, bias = _fit([*plain, *changed(plain, SEED)], Reader(vocabulary), rounds)
    stored = {
        "weight": weight.half().numpy(),
        "bias": bias.numpy(),
        "vocabulary": np.frombuffer("\n".join(vocabulary).encode(), np.uint8),
    }
    (folder / STORED).write_bytes(save(stored))
    record(folder)


def _vocabulary(examples: Sequence[Example]) -> list[str]:
    """All words, the frequent ones first."""
    reader = Reader(())
    counts = Counter(word for example in examples for word in reader.read(example.text))
    ranked = (word for word, _ in counts.most_common())
    return list(dict.fromkeys([*ranked, *kinds(), *others()]))


def _fit(
    examples: Sequence[Example], reader: Reader, rounds: int
) -> tuple[Tensor, Tensor]:
    """The weights (features, categories) and biases that fit best."""
    ids, starts = _bags(examples, reader)
    labels = torch.tensor([_labels(example) for example in examples])
    counted = torch.tensor([[example.weight] for example in examples])
    counted /= counted.sum()
    weight = torch.zeros(SIZE, len(CATEGORIES), requires_grad=True)
    bias = torch.zeros(len(CATEGORIES), requires_grad=True)
    solver = torch.optim.LBFGS(
        [weight, bias], max_iter=rounds, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        solver.zero_grad()
        told = embedding_bag(ids, weight, starts, mode="sum") + bias
        missed = binary_cross_entropy_with_logits(
            told, labels, counted, reduction="sum"
        )
        total = missed + DECAY * weight.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    solver.step(loss)  # type: ignore[no-untyped-call]
    return weight.detach(), bias.detach()


def _bags(examples: Sequence[Example], reader: Reader) -> tuple[Tensor, Tensor]:
    """The features of all examples behind one another, and where each begins."""
    rows = [features(reader.read(example.text), reader) for example in examples]
    ends = np.cumsum([len(row) for row in rows])
    starts = np.concatenate([[0], ends[:-1]])
    return torch.from_numpy(np.concatenate(rows)), torch.from_numpy(starts)


def _labels(example: Example) -> list[float]:
    return [float(category in example.categories) for category in CATEGORIES]
