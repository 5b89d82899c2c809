"""One more token in every row: what model.py computes, in fewer and larger steps.

With one token in a row a step costs more than what it computes. So matrices that read
the same vector are one, a norm's scale is part of the matrix behind it, and no module
is called. Letters as in model.py, and B rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

from reference_model.model import Attend, Layer, Llama, turned


@dataclass(frozen=True)
class _Matrices:
    """Those of a layer; what is added to x is turned, as addmm wants it."""

    queries_keys_values: Tensor  # (3 C, C)
    outward: Tensor  # (C, C)
    gate_up: Tensor  # (2 F, C)
    down: Tensor  # (F, C)

    @classmethod
    def of(cls, layer: Layer) -> "_Matrices":
        attention, mlp = layer.self_attn, layer.mlp
        read = (attention.q_proj, attention.k_proj, attention.v_proj)
        gates = (mlp.gate_proj, mlp.up_proj)
        return cls(
            torch.cat([one.weight for one in read]) * layer.input_layernorm.weight,
            attention.o_proj.weight.T,
            torch.cat([one.weight for one in gates])
            * layer.post_attention_layernorm.weight,
            mlp.down_proj.weight.T,
        )


class Decoder:
    """The model as it is now; later changes of its parameters are not seen."""

    def __init__(self, model: Llama) -> None:
        self._model = model
        layers = cast("Iterable[Layer]", model.model.layers)
        self._layers = [_Matrices.of(layer) for layer in layers]

    def states(self, tokens: Tensor, places: Tensor, attend: Attend) -> Tensor:
        """``tokens`` and ``places``: (B). What the head reads: (B, C)."""
        shape, body = self._model.shape, self._model.model
        heads = (3, shape.num_attention_heads, shape.head_dim)
        turns = self._model.turns(places).unsqueeze(-2)  # (2, B, 1, 1, D / 2)
        x = body.embed_tokens.weight[tokens]
        for number, layer in enumerate(self._layers):
            read = functional.linear(self._even(x), layer.queries_keys_values)
            read = read.view(-1, *heads)  # (B, 3, H, D)
            q, k = turned(read[:, :2], turns).unbind(1)
            mixed = attend(number, q, k, read[:, 2]).flatten(-2)  # (B, C)
            x = torch.addmm(x, mixed, layer.outward)
            gate, up = functional.linear(self._even(x), layer.gate_up).chunk(2, -1)
            x = torch.addmm(x, functional.silu(gate) * up, layer.down)
        return self._even(x) * body.norm.weight

    def _even(self, x: Tensor) -> Tensor:
        """Divided by the root of the mean square."""
        mean = x.square().mean(-1, keepdim=True)
        return x * mean.add_(self._model.shape.rms_norm_eps).rsqrt_()
