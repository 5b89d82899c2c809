"""Adam over one vector, with a state that can be stored.

torch has it too, but brings in its compiler along with it, which costs a second.
"""

import torch
from torch import Tensor

MEAN, SQUARE = 0.9, 0.999  # how much of the past each average keeps
SMALLEST = 1e-8


class Adam:
    """Moves a vector against its gradients, each number at a pace of its own."""

    def __init__(self, size: int) -> None:
        self.count = 0
        self.mean = torch.zeros(size)
        self.square = torch.zeros(size)

    def step(self, vector: Tensor, gradient: Tensor, rate: float) -> None:
        """One step of ``vector``, in place; a gradient longer than 1 is shortened."""
        gradient = gradient / gradient.norm().clamp(min=1.0)
        self.count += 1
        self.mean.lerp_(gradient, 1 - MEAN)
        self.square.lerp_(gradient.square(), 1 - SQUARE)
        mean = self.mean / (1 - MEAN**self.count)
        square = self.square / (1 - SQUARE**self.count)
        vector -= rate * mean / (square.sqrt() + SMALLEST)
