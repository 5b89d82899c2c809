"""Linear layers by oneDNN, beside torch's own in float64."""

import pytest
import torch
from torch.nn import functional

from reference_model.products import Products


@pytest.mark.parametrize("rows", [(7,), (3, 5), (1, 300)], ids=str)
def test_values_and_gradients_are_those_of_torch(rows):
    torch.manual_seed(1)
    x = torch.randn(*rows, 48, requires_grad=True)
    weight = torch.randn(32, 48, requires_grad=True)
    wanted = torch.randn(*rows, 32)

    with Products():
        ours = functional.linear(x, weight)
        found = torch.autograd.grad((ours * wanted).sum(), (x, weight))

    exact = functional.linear(x.double(), weight.double())
    grads = torch.autograd.grad((exact * wanted.double()).sum(), (x, weight))
    for one, other in zip((ours, *found), (exact, *grads), strict=True):
        torch.testing.assert_close(one, other.float(), rtol=1e-5, atol=1e-4)


def test_a_linear_layer_goes_to_one_dnn_inside_alone():
    x, weight = torch.ones(2, 3), torch.ones(4, 3, requires_grad=True)

    with Products():
        inside = functional.linear(x, weight)
    outside = functional.linear(x, weight)

    assert type(inside.grad_fn).__name__ == "_ProductBackward"
    assert type(outside.grad_fn).__name__ != "_ProductBackward"
