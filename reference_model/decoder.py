"""One more token in every row: what model.py computes, in fewer and larger steps.

With one token in a row a step costs more than what it computes. So matrices that read
the same vector are one, scales are part of the matrices behind them, a rotary position
is a product of complex numbers, and no module is called. Letters as in model.py, and B
rows.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from reference_model.model import Layer, Llama, Shape

Vectors = NDArray[np.float64]
Places = NDArray[np.int64]
# layer, queries, keys and values (B, 3, H, D) -> mixed values (B, C); see `paired`
Mix = Callable[[int, Vectors], Tensor]


def paired(x: Tensor) -> Tensor:
    """(.., D): what is turned together side by side, as complex numbers have it."""
    return x.reshape(*x.shape[:-1], 2, -1).mT.flatten(-2)


@dataclass(frozen=True)
class _Matrices:
    """Those of a layer, as they stand behind a vector."""

    queries_keys_values: Tensor  # (C, 3 C)
    outward: Tensor  # (C, C)
    gate_up: Tensor  # (C, 2 F)
    down: Tensor  # (F, C)

    @classmethod
    def of(cls, layer: Layer, shape: Shape) -> "_Matrices":
        attention, mlp = layer.self_attn, layer.mlp
        heads = (shape.hidden_size, shape.num_attention_heads, shape.head_dim)
        q, k = (
            paired(one.weight.T.reshape(heads)).flatten(-2)
            for one in (attention.q_proj, attention.k_proj)
        )
        read = (q / shape.head_dim**0.5, k, attention.v_proj.weight.T)
        gates = (mlp.gate_proj.weight.T, mlp.up_proj.weight.T)
        return cls(
            torch.cat(read, 1) * layer.input_layernorm.weight.unsqueeze(1),
            attention.o_proj.weight.T.contiguous(),
            torch.cat(gates, 1) * layer.post_attention_layernorm.weight.unsqueeze(1),
            mlp.down_proj.weight.T.contiguous(),
        )


class _Desk(NamedTuple):
    """Where the vectors of B rows are worked on; in torch's memory, numpy's too."""

    x: Tensor  # (B, C)
    even: Tensor  # (B, C)
    read: Tensor  # (B, 3 C)
    gates: Tensor  # (B, 2 F)
    gated: Tensor  # (B, F)

    @classmethod
    def of(cls, shape: Shape, rows: int) -> "_Desk":
        width, inner = shape.hidden_size, shape.intermediate_size
        sizes = (width, width, 3 * width, 2 * inner, inner)
        return cls(*(torch.empty(rows, size, dtype=torch.float64) for size in sizes))


class Decoder:
    """The model as it is now; later changes of its parameters are not seen."""

    def __init__(self, model: Llama) -> None:
        self._shape, self._body = model.shape, model.model
        layers = cast("Iterable[Layer]", model.model.layers)
        self._layers = [_Matrices.of(layer, model.shape) for layer in layers]
        self._speeds = 1j * model.speeds.numpy()
        self._desk = cache(partial(_Desk.of, model.shape))

    def states(self, tokens: Sequence[int], places: Places, mix: Mix) -> Tensor:
        """``tokens`` and ``places``: (B). What the head reads: (B, C)."""
        x, even, read, gates, gated = self._desk(len(tokens))
        heads = read.numpy().reshape(
            len(tokens), 3, self._shape.num_attention_heads, -1
        )
        pairs, turns = heads.view(np.complex128), self._turns(places)
        gate, up = gates.chunk(2, -1)
        ids, rows = torch.tensor(tokens), self._body.embed_tokens.weight
        torch.index_select(rows, 0, ids, out=x)
        for number, layer in enumerate(self._layers):
            self._level(x, even)
            torch.mm(even, layer.queries_keys_values, out=read)
            np.multiply(pairs, turns, out=pairs)
            x.addmm_(mix(number, heads), layer.outward)
            self._level(x, even)
            torch.mm(even, layer.gate_up, out=gates)
            torch.mul(functional.silu(gate), up, out=gated)
            x.addmm_(gated, layer.down)
        self._level(x, even)
        return even * self._body.norm.weight

    def _turns(self, places: Places) -> NDArray[np.complex128]:
        """By how much queries and keys are turned; values not: (B, 3, 1, D / 2)."""
        turns = np.ones((len(places), 3, 1, len(self._speeds)), np.complex128)
        turns[:, :2, 0] = np.exp(np.multiply.outer(places, self._speeds))[:, None]
        return turns

    def _level(self, x: Tensor, even: Tensor) -> None:
        """Divide by the root of the mean square; numpy does it in half the time."""
        states = x.numpy()
        mean = np.vecdot(states, states)
        mean /= self._shape.hidden_size
        mean += self._shape.rms_norm_eps
        np.divide(states, np.sqrt(mean, out=mean)[:, None], out=even.numpy())
