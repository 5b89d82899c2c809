"""Products of float32 matrices by oneDNN, which uses all that a processor has.

torch gives those of a linear layer to MKL, which makes less of a processor of another
maker. oneDNN comes with torch as well and asks what the processor has; torch's own
compiler calls it by the same name. ``bench/training.py`` compares the two.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

_ONE_DNN: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]


class Products(TorchFunctionMode):
    """A context in which the linear layers of this thread are computed by oneDNN."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func is functional.linear and _ONE_DNN:
            x, weight, *_ = args
            return _Product.apply(x, weight)  # type: ignore[no-untyped-call]
        return func(*args, **(kwargs or {}))


class _Product(torch.autograd.Function):
    """``x`` (.., C) and a weight (D, C): (.., D)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _product(x, weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        rows = gradient.flatten(0, -2)
        of_weight = _product(rows.mT, x.flatten(0, -2).mT)
        return _product(gradient, weight.mT), of_weight


def _product(x: Tensor, weight: Tensor) -> Tensor:
    out: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")
    return out
