"""Muon in float32, beside torch's own, which iterates in bfloat16."""

import pytest
import torch

from reference_model.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(3, 32, 32), (2, 48, 16), (2, 16, 48)])
def test_the_orthogonal_factor_keeps_directions_and_evens_lengths(shape):
    torch.manual_seed(1)
    matrices = torch.randn(shape)

    left, lengths, right = torch.linalg.svd(matrices, full_matrices=False)
    ways = orthogonal(matrices)

    inside = left.mT @ ways @ right.mT  # diagonal if the singular vectors are kept
    evened = inside.diagonal(dim1=1, dim2=2)
    torch.testing.assert_close(inside, torch.diag_embed(evened), atol=1e-3, rtol=0)
    well = lengths > 0.05 * lengths.amax(-1, keepdim=True)
    assert ((evened > 0.6) & (evened < 1.25))[well].all()


def test_a_gradient_of_nothing_moves_nothing_but_decay():
    matrix = torch.ones(4, 4, requires_grad=True)
    matrix.grad = torch.zeros(4, 4)

    Muon([matrix], lr=0.1).step()

    torch.testing.assert_close(matrix.detach(), torch.full((4, 4), 1 - 0.1 * 0.01))


def test_a_matrix_without_a_gradient_is_named_a_fault():
    with pytest.raises(ValueError, match="expected a gradient"):
        Muon([torch.ones(2, 2, requires_grad=True)], lr=0.1).step()


@pytest.mark.parametrize("shape", [(24, 24), (48, 16), (16, 48)])
def test_steps_are_those_of_torch(shape):
    torch.manual_seed(1)
    begun, gradients = torch.randn(shape), torch.randn(4, *shape)
    ours, theirs = (begun.clone().requires_grad_() for _ in range(2))
    optimizers = (
        Muon([ours], lr=0.1),
        torch.optim.Muon([theirs], 0.1, weight_decay=0.01),
    )

    for gradient in gradients:
        for matrix, optimizer in zip((ours, theirs), optimizers, strict=True):
            matrix.grad = gradient.clone()
            optimizer.step()

    moved, wanted = ours.detach() - begun, theirs.detach() - begun
    assert (moved - wanted).norm() < 0.05 * wanted.norm()
