"""The parameters before training: small chances, likeness, and two layers that copy.

Tokens that are spelled alike begin alike: variants of a word, with a space before it
or a capital, have a part of their embedding in common, and so have those with the same
letter, more so if it is at the same place from the beginning or from the end: what a
slip of the pen leaves of a word is its two ends.

Copying is what a model of this size finds last and needs most, so it starts with the
mechanism that training would find: heads of the first layer tell each token which stood
one to four places before it and, less loudly, seven to ten places; those of the second
look for a place behind the same tokens, and bring what stands there. Training is free
to change all of it, but a step of it moves every matrix by as much whatever is in it.
So what layers pass on is loud: at first a step changes little of it, and what heads
tell each other is still heard when training has found out what it is good for.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from reference_model.model import Llama, Shape

SPREAD = 0.04  # standard deviation of ordinary parameters
_PLACES = 8  # letters of a token that count
# How much each does: where it is from the beginning, from the end, and wherever it is.
_THERE, _BACK, _ANYWHERE = 0.5, 0.5, 0.3
_CONSTANT = 0.16  # in the first place of each embedding: something to see in any token
_FAST, _SLOW = 5, 5  # pairs of a head that turn far in one place, pairs that hardly do
_SHARP = 2.5  # how clearly one place is told from its neighbours
_BETWEEN = 3.0  # places; half a turn of the fastest pair would make both as loud
_TOLD = 0.35  # how loudly the tokens there are told
_SHARES = (6, 6, 5, 5)  # of what turns slowly: for the token, the one before, ...
_SOUGHT, _BROUGHT = 2.0, 0.6  # how keenly a place is looked for, and its token brought
_LOUD = 16.0  # how much louder all that is passed on is than the figures above say
_PASSED_ON = ("embed_tokens.weight", "o_proj.weight", "down_proj.weight")


def begin(model: Llama, texts: Sequence[str]) -> None:
    """Fill all matrices; ``texts`` are those of the tokens.

    Norms stay at one, but for the last, which takes back how loud all of it is.
    """
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
        for name, value in parts.items():
            if name.endswith(_PASSED_ON):
                value.mul_(_LOUD)
        parts["model.norm.weight"].div_(_LOUD)


def _alike(texts: Sequence[str], width: int) -> Tensor:
    """For each text a part of its own, its word's, its style's and its letters'."""
    words = [text.strip().lower() for text in texts]
    numbers = {word: number for number, word in enumerate(dict.fromkeys(words))}
    there = _THERE * torch.randn(_PLACES, 128, width)
    there += _ANYWHERE * torch.randn(128, width)
    back = _BACK * torch.randn(_PLACES, 128, width)
    rows = torch.randn(len(numbers), width)[[numbers[word] for word in words]]
    rows += 0.5 * torch.randn(len(words), width)
    for style in (str.isupper, str.istitle, _spaced):
        rows[[style(text) for text in texts]] += torch.randn(width)
    for row, word in zip(rows, words, strict=True):
        for parts, letters in ((there, word), (back, word[::-1])):
            for place, letter in enumerate(letters[:_PLACES]):
                row += parts[place, min(ord(letter), 127)]
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
    """A head of the first layer that looks ``number + 1`` places back, and 2 pi more.

    The fastest pair comes round after 2 pi places; the others look between the two.
    """
    head = shape.head_dim
    q, k, v, o = _attention(parts, 0)
    rows = slice(number * head, (number + 1) * head)
    fast = torch.arange(_FAST)
    still = head // 2 - 1  # the pair that hardly turns, against the mean of those
    places = number + 1 + _BETWEEN * (fast > 0)
    angles = places * shape.rope_theta ** (-2.0 * fast / head)
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
