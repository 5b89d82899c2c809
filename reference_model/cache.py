"""Keys and values of the texts under way, so that each token is computed once.

Letters as in model.py, and: B rows in use, L their longest span, W the window.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import accumulate, chain

import numpy as np
import torch
from torch import Tensor

from reference_model.decoder import Decoder, Places, Vectors, paired
from reference_model.model import Llama, Shape, causal

Text = tuple[int, ...]

_REMEMBERED = 4096  # tokens of prompts, 8 kB each


class Cache:
    """Rows ``0 .. len(lengths) - 1`` are in use; each remembers its last W tokens."""

    def __init__(self, shape: Shape, rows: int) -> None:
        self.window = shape.max_position_embeddings
        heads = shape.num_attention_heads
        # numpy's zeros cost no memory until they are written, unlike torch's
        size = (shape.num_hidden_layers, 2, rows, heads, self.window, shape.head_dim)
        self._kept = np.zeros(size)
        self._tensor = torch.from_numpy(self._kept)
        self.lengths: list[int] = []  # tokens seen, per row in use
        self._begun: OrderedDict[Text, tuple[Vectors, Tensor]] = OrderedDict()

    def prefill(self, model: Llama, prompts: Sequence[Sequence[int]]) -> Tensor:
        """Append rows for prompts of 1 .. W tokens; the state of each last token.

        A prompt that was there lately is not computed again.
        """
        rows = dict(enumerate(map(tuple, prompts), start=len(self.lengths)))
        fresh = {text: row for row, text in rows.items() if text not in self._begun}
        if fresh:
            self._begin(model, fresh)
        states = []
        for row, text in rows.items():
            kept, state = self._begun[text]
            self._kept[:, :, row, :, : len(text)] = kept
            self._begun.move_to_end(text)
            states.append(state)
        while sum(map(len, self._begun)) > _REMEMBERED:
            self._begun.popitem(last=False)
        self.lengths.extend(map(len, prompts))
        return torch.stack(states)  # (prompts, C)

    def forget(self, prompt: Sequence[int]) -> None:
        """Compute it again when it comes again."""
        self._begun.pop(tuple(prompt), None)

    def _begin(self, model: Llama, texts: Mapping[Text, int]) -> None:
        """Compute texts in the rows that are said, and remember what came of them."""
        counts = [len(text) for text in texts]
        tokens = torch.tensor(list(chain.from_iterable(texts)))
        places = torch.cat([torch.arange(count) for count in counts])
        mix = partial(self._mix_prompts, list(texts.values()), counts)
        states: Tensor = model(tokens, places, mix)
        lasts = states[torch.tensor(list(accumulate(counts))) - 1]
        for (text, row), last in zip(texts.items(), lasts, strict=True):
            self._begun[text] = (self._kept[:, :, row, :, : len(text)].copy(), last)

    def decode(self, decoder: Decoder, tokens: Sequence[int]) -> Tensor:
        """Go on with one token in every row; their states, (B, C)."""
        places = np.array(self.lengths)
        longest = min(max(self.lengths) + 1, self.window)
        unseen = np.arange(longest) > places[:, None]  # (B, L)
        mask = np.where(unseen, -np.inf, 0.0)[:, None]
        where = (np.arange(len(tokens)), places % self.window)
        mix = partial(self._mix_next, *where, mask)
        states = decoder.states(tokens, places, mix)
        self.lengths = [length + 1 for length in self.lengths]
        return states

    def drop(self, row: int) -> None:
        """Free a row; the last one moves into its place."""
        length = self.lengths.pop()
        last = len(self.lengths)
        if row == last:
            return
        self.lengths[row] = length
        self._kept[:, :, row, :, :length] = self._kept[:, :, last, :, :length]

    def _mix_prompts(
        self,
        rows: Sequence[int],
        counts: Sequence[int],
        layer: int,
        q: Tensor,
        k: Tensor,
        v: Tensor,
    ) -> Tensor:
        """Each prompt by itself, its keys and values kept."""
        parts = zip(*(torch.split(x, list(counts)) for x in (q, k, v)), strict=True)
        mixed = []
        for row, (q_, k_, v_) in zip(rows, parts, strict=True):
            kept = torch.stack((paired(k_), v_)).transpose(1, 2)
            self._tensor[layer, :, row, :, : len(k_)] = kept  # (2, H, T, D)
            mixed.append(causal(layer, q_, k_, v_))
        return torch.cat(mixed)  # (T, H, D)

    def _mix_next(
        self, rows: Places, slots: Places, mask: Vectors, layer: int, read: Vectors
    ) -> Tensor:
        """One new token in every row, over what the row remembers.

        ``rows`` and ``slots`` (B) are where keys and values of ``read`` (B, 3, H, D)
        go; ``mask`` (B, 1, L). (B, C).
        """
        count, longest = len(rows), mask.shape[-1]
        self._kept[layer][:, rows, :, slots] = read[:, 1:]
        keys, values = self._kept[layer, :, :count, :, :longest]  # (B, H, L, D)
        likely = np.matvec(keys, read[:, 0])  # (B, H, L)
        likely += mask
        shares = torch.from_numpy(likely).softmax(-1).numpy()
        return torch.from_numpy(np.vecmat(shares, values)).view(count, -1)
