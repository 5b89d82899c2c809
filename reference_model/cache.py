"""Keys and values of the texts under way, so that each token is computed once.

Letters as in model.py, and: B rows in use, L their longest span, W the window.
"""

from collections.abc import Sequence
from functools import partial
from itertools import accumulate, chain

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from reference_model.decoder import Decoder
from reference_model.model import Llama, Shape, causal


class Cache:
    """Rows ``0 .. len(lengths) - 1`` are in use; each remembers its last W tokens."""

    def __init__(self, shape: Shape, rows: int) -> None:
        self.window = shape.max_position_embeddings
        heads = (shape.num_attention_heads, self.window, shape.head_dim)
        size = (shape.num_hidden_layers, rows, *heads)
        # numpy's zeros cost no memory until they are written, unlike torch's
        self._keys = torch.from_numpy(np.zeros(size))
        self._values = torch.from_numpy(np.zeros(size))
        self.lengths: list[int] = []  # tokens seen, per row in use

    def prefill(self, model: Llama, prompts: Sequence[Sequence[int]]) -> Tensor:
        """Append rows for prompts of 1 .. W tokens; the state of each last token."""
        counts = [len(prompt) for prompt in prompts]
        tokens = torch.tensor(list(chain.from_iterable(prompts)))
        places = torch.cat([torch.arange(count) for count in counts])
        states: Tensor = model(tokens, places, partial(self._mix_prompts, counts))
        self.lengths.extend(counts)
        return states[torch.tensor(list(accumulate(counts))) - 1]  # (prompts, C)

    def decode(self, decoder: Decoder, tokens: Sequence[int]) -> Tensor:
        """Go on with one token in every row; their states, (B, C)."""
        places = torch.tensor(self.lengths)
        longest = min(max(self.lengths) + 1, self.window)
        unseen = torch.arange(longest) > places.unsqueeze(-1)  # (B, L)
        mask = torch.zeros(unseen.shape, dtype=torch.float64)
        mask = mask.masked_fill_(unseen, -torch.inf)[:, None, None]
        mix = partial(self._mix_next, places % self.window, mask)
        states = decoder.states(torch.tensor(tokens), places, mix)
        self.lengths = [length + 1 for length in self.lengths]
        return states

    def drop(self, row: int) -> None:
        """Free a row; the last one moves into its place."""
        length = self.lengths.pop()
        last = len(self.lengths)
        if row == last:
            return
        self.lengths[row] = length
        for kept in (self._keys, self._values):
            kept[:, row, :, :length] = kept[:, last, :, :length]

    def _mix_prompts(
        self, counts: Sequence[int], layer: int, q: Tensor, k: Tensor, v: Tensor
    ) -> Tensor:
        """Each prompt by itself, its keys and values kept."""
        parts = zip(*(torch.split(x, list(counts)) for x in (q, k, v)), strict=True)
        mixed = []
        for row, (q_, k_, v_) in enumerate(parts, start=len(self.lengths)):
            self._keys[layer, row, :, : len(k_)] = k_.transpose(0, 1)
            self._values[layer, row, :, : len(v_)] = v_.transpose(0, 1)
            mixed.append(causal(layer, q_, k_, v_))
        return torch.cat(mixed)  # (T, H, D)

    def _mix_next(
        self, slots: Tensor, mask: Tensor, layer: int, q: Tensor, k: Tensor, v: Tensor
    ) -> Tensor:
        """One new token in every row, over what the row remembers."""
        rows, longest = len(slots), mask.shape[-1]
        each = torch.arange(rows)
        keys, values = self._keys[layer], self._values[layer]
        keys[each, :, slots] = k
        values[each, :, slots] = v
        mixed = functional.scaled_dot_product_attention(
            q.unsqueeze(2), keys[:rows, :, :longest], values[:rows, :, :longest], mask
        )
        return mixed.squeeze(2)  # (B, H, D)
