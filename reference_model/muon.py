"""Muon: momentum made orthogonal, for the matrices inside the layers.

Keller Jordan, "Muon: An optimizer for hidden layers in neural networks" (2024). torch
has it too, but iterates in bfloat16, which many processors emulate: there one step of
ours takes a twentieth of its time.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

MOMENTUM = 0.95
FACTORS = (3.4445, -4.7750, 2.0315)  # of the quintic, as published
ROUNDS = 5
DECAY = 0.01


class Muon(torch.optim.Optimizer):
    """Steps of about one length in every direction that the gradient has."""

    def __init__(self, matrices: Sequence[Tensor], lr: float) -> None:
        super().__init__(matrices, {"lr": lr})
        shapes = {matrix.shape: list[Tensor]() for matrix in matrices}
        for matrix in matrices:
            shapes[matrix.shape].append(matrix)
        self.kin = list(shapes.values())  # of one shape: iterated together
        self.momenta = [torch.zeros(len(kin), *kin[0].shape) for kin in self.kin]

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move all matrices against their gradients, at the rate of the group."""
        (group,) = self.param_groups
        for kin, momentum in zip(self.kin, self.momenta, strict=True):
            gradients = torch.stack([_gradient(matrix) for matrix in kin])
            momentum.lerp_(gradients, 1 - MOMENTUM)
            ways = orthogonal(gradients.lerp(momentum, MOMENTUM))
            rows, columns = ways.shape[1:]
            rate = group["lr"] * max(1.0, rows / columns) ** 0.5
            for matrix, way in zip(kin, ways, strict=True):
                matrix.mul_(1 - group["lr"] * DECAY).sub_(way, alpha=rate)


def orthogonal(matrices: Tensor) -> Tensor:
    """Nearly the orthogonal factor of each of (N, H, W): singular values around 1."""
    one, three, five = FACTORS
    tall = matrices.shape[1] > matrices.shape[2]
    x: Tensor = matrices.mT if tall else matrices
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(ROUNDS):
        square = x @ x.mT
        x = one * x + (three * square + five * square @ square) @ x
    return x.mT if tall else x


def _gradient(matrix: Tensor) -> Tensor:
    if matrix.grad is None:
        raise ValueError("expected a gradient of each matrix, got none")
    return matrix.grad
