"""The parameters before training: small chances, likeness, and two layers that copy.

Tokens that are spelled alike begin alike: variants of a word, with a space before it
or a capital, have a part of their embedding in common, and so have those with the same
letter at the same place.

Copying is what a model of this size finds last and needs most, so it starts with the
mechanism that training would find: heads of the first layer tell each token which four
stood before it; those of the second look for a place behind the same four tokens, and
bring what stands there. Training is free to change all of it.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from reference_model.model import Llama, Shape

SPREAD = 0.04  # standard deviation of ordinary parameters
_PLACES, _LETTER = 8, 0.6  # letters of a token that count, and how much each does
_CONSTANT = 0.16  # in the first place of each embedding: something to see in any token
_FAST, _SLOW = 5, 5  # pairs of a head that turn far in one place, pairs that hardly do
_SHARP = 2.5  # how clearly one place is told from its neighbours
_TOLD = 0.12  # how loudly the token there is told
_SHARES = (6, 6, 5, 5)  # of what turns slowly: for the token, the one before, ...
_SOUGHT, _BROUGHT = 4.0, 0.6  # how keenly a place is looked for, and its token brought


def begin(model: Llama, texts: Sequence[str]) -> None:
    """Fill all matrices; norms stay at one. ``texts`` are those of the tokens."""
    depth = math.sqrt(2 * model.shape.num_hidden_layers)
    for name, value in model.named_parameters():
        if value.dim() == 2:
            outward = name.endswith(("o_proj.weight", "down_proj.weight"))
            torch.nn.init.normal_(value, std=SPREAD / (depth if outward else 1))
    with torch.no_grad():
        parts = dict(model.named_parameters())
        embedding = parts["model.embed_tokens.weight"]
        embedding[: len(texts)] = _alike(texts, model.shape.hidden_size)
        embedding[:, 0] = _CONSTANT
        reads, *writes = _frames(model.shape, 1 + model.shape.num_attention_heads)
        for number, written in enumerate(writes):
            _tell(model.shape, parts, number, reads, written)
        _seek_and_bring(model.shape, parts, (reads, *writes))


def _alike(texts: Sequence[str], width: int) -> Tensor:
    """For each text a part of its own, its word's, its style's and its letters'."""
    words = [text.strip().lower() for text in texts]
    numbers = {word: number for number, word in enumerate(dict.fromkeys(words))}
    letters = torch.randn(_PLACES, 128, width)
    rows = torch.randn(len(numbers), width)[[numbers[word] for word in words]]
    rows += 0.5 * torch.randn(len(words), width)
    for style in (str.isupper, str.istitle, _spaced):
        rows[[style(text) for text in texts]] += torch.randn(width)
    for row, word in zip(rows, words, strict=True):
        for place, letter in enumerate(word[:_PLACES]):
            row += _LETTER * letters[place, min(ord(letter), 127)]
    return SPREAD * functional.rms_norm(rows, (width,))


def _spaced(text: str) -> bool:
    return text.startswith(" ")


def _tell(
    shape: Shape,
    parts: Mapping[str, Tensor],
    number: int,
    reads: Tensor,
    writes: Tensor,
) -> None:
    """A head of the first layer that looks ``number + 1`` places back."""
    head = shape.head_dim
    q, k, v, o = _attention(parts, 0)
    rows = slice(number * head, (number + 1) * head)
    fast = torch.arange(_FAST)
    still = head // 2 - 1  # the pair that hardly turns, against the mean of those
    angles = (number + 1) * shape.rope_theta ** (-2.0 * fast / head)
    query, key = torch.zeros(2, *q[rows].shape)
    query[fast, 0] = _SHARP
    key[fast, 0] = _SHARP * angles.cos()
    key[fast + head // 2, 0] = _SHARP * angles.sin()
    query[still, 0] = _SHARP
    key[still, 0] = -2.2 * _SHARP
    q[rows], k[rows], v[rows] = query, key, reads
    o[:, rows] = _TOLD * writes.T


def _seek_and_bring(
    shape: Shape, parts: Mapping[str, Tensor], frames: Sequence[Tensor]
) -> None:
    """The second layer: what stands or is told here, against what is told there.

    The token here was told to the place behind it when it stood there before, the one
    before it to the same place from two back, and so on.
    """
    head = shape.head_dim
    q, k, v, o = _attention(parts, 1)
    slow = torch.arange(_SLOW, head // 2)  # these turn too little to lose a match
    slow = torch.stack((slow, slow + head // 2)).T.flatten()
    for number, frame in enumerate(_frames(shape, shape.num_attention_heads)):
        rows = slice(number * head, (number + 1) * head)
        query, key = torch.zeros(2, *q[rows].shape)
        dims = torch.split(slow, list(_SHARES))
        for (here, there), share in zip(pairwise(frames), dims, strict=True):
            part = (torch.arange(len(share)) + number * len(share)) % _full(here)
            query[share] = _SOUGHT * here[part]
            key[share] = _SOUGHT * there[part]
        q[rows], k[rows], v[rows] = query, key, frame
        o[:, rows] = _BROUGHT * frame.T


def _attention(parts: Mapping[str, Tensor], layer: int) -> list[Tensor]:
    """What makes queries, keys, values and the outcome."""
    stem = f"model.layers.{layer}.self_attn"
    return [parts[f"{stem}.{name}_proj.weight"] for name in "qkvo"]


def _frames(shape: Shape, count: int) -> list[Tensor]:
    """Rows of length one, all at right angles and blind to the constant.

    Each frame has as many rows as a head; the last are empty where there are not
    enough directions for all.
    """
    rows = min(shape.head_dim, (shape.hidden_size - 1) // count)
    frames = torch.zeros(count, shape.head_dim, shape.hidden_size)
    square, _ = torch.linalg.qr(torch.randn(shape.hidden_size - 1, count * rows))
    frames[:, :rows, 1:] = square.T.unflatten(0, (count, rows))
    return list(frames)


def _full(frame: Tensor) -> int:
    """How many rows are not empty."""
    return int(frame.any(dim=1).sum())
