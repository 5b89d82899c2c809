"""A Llama-architecture decoder; parameter names are those of Hugging Face.

Letters: T tokens (of one text, or of many one behind the other), H heads, D width of a
head, C width of the model (H * D), F width inside the feed-forward, V vocabulary.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load
from torch import Tensor, nn
from torch.nn import functional

from reference_model.checksum import WEIGHTS, proven

# layer, queries, keys, values (each T, H, D) -> mixed values (T, H, D): who sees whom
Attend = Callable[[int, Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Shape:
    """The numbers of config.json that decide the shapes."""

    vocab_size: int = 2816
    hidden_size: int = 128
    intermediate_size: int = 352
    num_hidden_layers: int = 4
    num_attention_heads: int = 4
    max_position_embeddings: int = 1024
    rope_theta: float = 1e8
    rms_norm_eps: float = 1e-6

    @property
    def head_dim(self) -> int:
        return self.hidden_size // self.num_attention_heads


class Norm(nn.Module):
    """Divide by the root of the mean square, then scale."""

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        return functional.rms_norm(x, self.weight.shape, self.weight, self.epsilon)


class Attention(nn.Module):
    """Each token gathers from those that ``attend`` lets it see."""

    def __init__(self, shape: Shape, layer: int) -> None:
        super().__init__()
        width = shape.hidden_size
        self.layer, self.split = layer, (shape.num_attention_heads, shape.head_dim)
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width, bias=False)
        self.o_proj = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, turns: Tensor, attend: Attend) -> Tensor:
        q = turned(self.q_proj(x).unflatten(-1, self.split), turns)  # (T, H, D)
        k = turned(self.k_proj(x).unflatten(-1, self.split), turns)
        v = self.v_proj(x).unflatten(-1, self.split)
        mixed: Tensor = self.o_proj(attend(self.layer, q, k, v).flatten(-2))
        return mixed  # (T, C)


class FeedForward(nn.Module):
    """SwiGLU: one projection gates another."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width, inner = shape.hidden_size, shape.intermediate_size
        self.gate_proj = nn.Linear(width, inner, bias=False)
        self.up_proj = nn.Linear(width, inner, bias=False)
        self.down_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gated = functional.silu(self.gate_proj(x)) * self.up_proj(x)  # (T, F)
        out: Tensor = self.down_proj(gated)
        return out  # (T, C)


class Layer(nn.Module):
    """Attention, then feed-forward, each added to what came in."""

    def __init__(self, shape: Shape, layer: int) -> None:
        super().__init__()
        self.self_attn = Attention(shape, layer)
        self.mlp = FeedForward(shape)
        self.input_layernorm = Norm(shape.hidden_size, shape.rms_norm_eps)
        self.post_attention_layernorm = Norm(shape.hidden_size, shape.rms_norm_eps)

    def forward(self, x: Tensor, turns: Tensor, attend: Attend) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), turns, attend)
        out: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return out


class Body(nn.Module):
    """Everything but the head."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocab_size, shape.hidden_size)
        layers = range(shape.num_hidden_layers)
        self.layers = nn.ModuleList(Layer(shape, layer) for layer in layers)
        self.norm = Norm(shape.hidden_size, shape.rms_norm_eps)

    def forward(self, tokens: Tensor, turns: Tensor, attend: Attend) -> Tensor:
        x = self.embed_tokens(tokens)
        for layer in self.layers:
            x = layer(x, turns, attend)
        out: Tensor = self.norm(x)
        return out  # (T, C)


class Llama(nn.Module):
    """Tokens and their places in; final states out, and logits from those."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.model = Body(shape)

    def forward(self, tokens: Tensor, places: Tensor, attend: Attend) -> Tensor:
        """``tokens`` and ``places``: (T). States: (T, C)."""
        states: Tensor = self.model(tokens, self.turns(places), attend)
        return states

    def logits(self, states: Tensor) -> Tensor:
        """The head is the embedding again."""
        return functional.linear(states, self.model.embed_tokens.weight)  # (T, V)

    def turns(self, places: Tensor) -> Tensor:
        """Cosines and sines of the rotary angles: (2, T, 1, D / 2)."""
        angles = places.double().unsqueeze(-1) * self.speeds  # (T, D / 2)
        pair = torch.stack((angles.cos(), angles.sin())).unsqueeze(-2)
        return pair.to(self.model.embed_tokens.weight.dtype)

    @property
    def speeds(self) -> Tensor:
        """By how much each pair of a head turns from one place to the next: (D / 2)."""
        steps = torch.arange(0, self.shape.head_dim, 2, dtype=torch.float64)
        return self.shape.rope_theta ** (-steps / self.shape.head_dim)


def turned(x: Tensor, turns: Tensor) -> Tensor:
    """Rotary positions, the first half of a head paired with the second."""
    cos, sin = turns
    first, second = x.chunk(2, -1)  # (T, H, D / 2)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), -1)


def causal(layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Whole texts (..., T, H, D): a token sees itself and those before it."""
    shape, texts = (
        q.shape,
        q.shape[:-3].numel(),
    )  # torch's fast kernel wants four dimensions
    q, k, v = (x.reshape(texts, *x.shape[-3:]).transpose(1, 2) for x in (q, k, v))
    mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    return mixed.transpose(1, 2).reshape(shape)


def load_model(folder: Path = WEIGHTS) -> Llama:
    """The stored weights, in float64."""
    config = json.loads(proven("config.json", folder))
    model = Llama(Shape(**{name: config[name] for name in asdict(Shape())}))
    model.load_state_dict(load(proven("model.safetensors", folder)))
    return model.double().requires_grad_(False).eval()
