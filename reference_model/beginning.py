"""The parameters before training: small chances, likeness, and two layers that copy.

Tokens that are spelled alike begin alike: variants of a word, with a space before it
or a capital, have a part of their embedding in common, and so have those with the same
letter at the same place.

Copying is what a model of this size finds last and needs most, so it starts with the
mechanism that training would find: a head of the first layer tells each token which one
stood before it; heads of the second look for a place whose predecessor is the current
token, and bring what stands there. Training is free to change all of it.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from reference_model.model import Llama, Shape

SPREAD = 0.04  # standard deviation of ordinary parameters
_PLACES, _LETTER = 8, 0.6  # letters of a token that count, and how much each does
_CONSTANT = 0.16  # in the first place of each embedding: something to see in any token
_SHARP = 2.0  # how clearly the previous place is told from its neighbours
_TOLD = 0.08  # how loudly the previous token is told
_SOUGHT, _BROUGHT = 2.2, 0.3  # how keenly a place is looked for, and its token brought


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
        reads, writes = _tell_previous(model.shape, parts)
        _seek_and_bring(model.shape, parts, reads, writes)


def _alike(texts: Sequence[str], width: int) -> Tensor:
    """An embedding for each text: its own, its word's, and its letters' part."""
    words = [text.strip().lower() for text in texts]
    numbers = {word: number for number, word in enumerate(dict.fromkeys(words))}
    letters = torch.randn(_PLACES, 128, width)
    rows = torch.randn(len(numbers), width)[[numbers[word] for word in words]]
    rows += torch.randn(len(words), width)
    for row, word in zip(rows, words, strict=True):
        for place, letter in enumerate(word[:_PLACES]):
            row += _LETTER * letters[place, min(ord(letter), 127)]
    return rows * SPREAD / rows.std()


def _tell_previous(shape: Shape, parts: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """The first head of the first layer; how it reads a token, and writes it."""
    width, head = shape.hidden_size, shape.head_dim
    q, k, v, o = _attention(parts, 0)
    reads, writes = _frame(head, width), _frame(head, width)
    fast = torch.arange(3)  # pairs that turn far from one place to the next
    still = head // 2 - 1  # and the one that hardly turns, against the mean of those
    speeds = shape.rope_theta ** (-2.0 * fast / head)
    q[:head], k[:head] = 0, 0
    q[fast, 0] = _SHARP
    k[fast, 0] = _SHARP * speeds.cos()
    k[fast + head // 2, 0] = _SHARP * speeds.sin()
    q[still, 0] = _SHARP
    k[still, 0] = -2.2 * _SHARP
    v[:head] = reads
    o[:, :head] = _TOLD * writes.T
    return reads, writes


def _seek_and_bring(
    shape: Shape, parts: Mapping[str, Tensor], reads: Tensor, writes: Tensor
) -> None:
    """Two heads of the second layer, each by half of what is told."""
    width, head = shape.hidden_size, shape.head_dim
    q, k, v, o = _attention(parts, 1)
    slow = torch.arange(head // 4, head // 2)  # these turn too little to lose a match
    slow = torch.cat((slow, slow + head // 2))
    for number in (0, 1):
        rows = slice(number * head, (number + 1) * head)
        half = slice(number * head // 2, (number + 1) * head // 2)
        q[rows], k[rows] = 0, 0
        q[number * head + slow] = _SOUGHT * reads[half]
        k[number * head + slow] = _SOUGHT * writes[half]
        frame = _frame(head, width)
        v[rows] = frame
        o[:, rows] = _BROUGHT * frame.T


def _attention(parts: Mapping[str, Tensor], layer: int) -> list[Tensor]:
    """What makes queries, keys, values and the outcome."""
    stem = f"model.layers.{layer}.self_attn"
    return [parts[f"{stem}.{name}_proj.weight"] for name in "qkvo"]


def _frame(count: int, width: int) -> Tensor:
    """Rows of length one at right angles, blind to the constant."""
    frame = torch.zeros(count, width)
    square, _ = torch.linalg.qr(torch.randn(width - 1, count))
    frame[:, 1:] = square.T
    return frame
