"""How long a step of training takes with torch's own products, and with oneDNN.

Turns of some steps each, from the same beginning: ``python -m bench.training``.
"""

import time
from contextlib import nullcontext, redirect_stdout
from io import StringIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from unittest.mock import patch

from reference_model.products import Products
from reference_model.tokenizer import load_tokenizer
from reference_model.train import teach

STEPS, TURNS = 100, 5


def seconds_a_step(products: type) -> float:
    """``products`` is the context in which linear layers are computed."""
    with (
        TemporaryDirectory() as folder,
        patch("reference_model.train.Products", products),
        redirect_stdout(StringIO()),
    ):
        began = time.perf_counter()
        teach(load_tokenizer(), STEPS, Path(folder))
    return (time.perf_counter() - began) / STEPS


def main() -> None:
    turns = [
        (seconds_a_step(nullcontext), seconds_a_step(Products)) for _ in range(TURNS)
    ]
    torchs, ours = map(median, zip(*turns, strict=True))
    ratio = median(one / other for one, other in turns)
    print(f"a step: {torchs:.3f} s, by oneDNN {ours:.3f} s, {ratio:.2f} times as fast")


if __name__ == "__main__":
    main()
