"""What the reference model says: the truth for a server that has loaded its weights.

The one door from the suite to the model, opened only where it is asked for.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from conformance.view import Absent

if TYPE_CHECKING:
    from torch import Tensor

    from reference_model.model import Llama
    from reference_model.tokenizer import Tokenizer

TOLERANCES = {"float32": 1e-4, "float16": 2e-2, "bfloat16": 0.2}
"""How far log probabilities may be apart, by what a server computes in."""


@dataclass(frozen=True)
class Wish:
    """What is asked: the parts of a request that decide about a greedy text."""

    count: int = 24
    frequency: float = 0.0
    presence: float = 0.0
    bias: tuple[tuple[int, float], ...] = ()

    @property
    def body(self) -> dict[str, Any]:
        """The same as the API says it; what is as by default is left out."""
        asked = {
            "frequency_penalty": self.frequency,
            "presence_penalty": self.presence,
            "logit_bias": {str(id): value for id, value in self.bias},
        }
        named = {name: value for name, value in asked.items() if value}
        return {"temperature": 0, "max_tokens": self.count, **named}


@dataclass(frozen=True)
class Said:
    """A greedy text: its tokens, and how sure each of them was."""

    tokens: Sequence[int]
    likely: Sequence[Sequence[float]]
    """Their log probabilities: before and after bias and penalties, among all tokens
    and among those that a text may have."""
    margins: Sequence[float]
    """How far the best token was above the second, after both."""

    @property
    def text(self) -> str:
        return _tokenizer().decode(self.tokens)

    def certain(self, tolerance: float) -> str:
        """The text up to the first choice that a difference of that size may turn."""
        sure = next(
            (n for n, margin in enumerate(self.margins) if margin < 2 * tolerance),
            len(self.tokens),
        )
        return _tokenizer().decode(self.tokens[:sure])


def greedy(prompt: Sequence[int], wish: Wish) -> Said:
    """What the model goes on with; an end of the text ends it."""
    tokens: list[int] = []
    likely, margins = [], []
    for _ in range(wish.count):
        plain = _next([*prompt, *tokens])
        changed = _adjusted(plain, tokens, wish)
        best, second = changed.topk(2).values.tolist()
        token = int(changed.argmax())
        if token >= _tokenizer().end_of_text:
            break
        tokens.append(token)
        margins.append(best - second)
        likely.append([*_logprobs(plain, token), *_logprobs(changed, token)])
    return Said(tokens, likely, margins)


def _logprobs(logits: "Tensor", token: int) -> tuple[float, float]:
    """Among all tokens, and among those that a text may have."""
    whole = logits.log_softmax(-1)[token]
    return float(whole), float(_allowed(logits).log_softmax(-1)[token])


def _allowed(logits: "Tensor") -> "Tensor":
    """Without the tokens that are for prompts alone."""
    kept = logits.clone()
    kept[list(_reserved())] = -math.inf
    return kept


def scored(prompt: Sequence[int]) -> list[tuple[float, float]]:
    """The log probability of each token of a prompt but the first.

    Twice: among all tokens, and among those that a text may have.
    """
    rows = zip(_logits(prompt)[1:-1], prompt[1:], strict=True)
    return [_logprobs(logits, id) for logits, id in rows]


def shares(prompt: Sequence[int], temperature: float) -> dict[str, float]:
    """The probability of each text of a token to come next."""
    logits = _allowed(_next(prompt))
    found: dict[str, float] = {}
    for id, share in enumerate((logits / temperature).softmax(-1).tolist()):
        found[spelled(id)] = found.get(spelled(id), 0.0) + share
    return found


def embeddings(text: str, width: int) -> dict[str, list[float]]:
    """The vectors of so many numbers that a text may have, by how they are made.

    The states behind the last layer, where they are as wide: their mean, or the last
    one; at any width the reference model's own.
    """
    from reference_model.embed import embed

    ids = encode(text)
    if _model().shape.hidden_size != width:
        return {"the reference model's": embed(ids, width)}
    states = _states(ids)
    pooled = {"the mean state": states.mean(0), "the last state": states[-1]}
    return {how: vector.tolist() for how, vector in pooled.items()}


def encode(text: str) -> list[int]:
    return _tokenizer().encode(text)


def spelled(token: int) -> str:
    return _tokenizer().decode([token])


def talk(messages: Sequence[Mapping[str, str]]) -> list[int]:
    """The tokens of a conversation, up to where the assistant begins."""
    return _tokenizer().chat(messages)


def _adjusted(logits: "Tensor", tokens: Sequence[int], wish: Wish) -> "Tensor":
    from reference_model.sampling import bias, penalise

    biased = bias(logits, dict(wish.bias))
    return penalise(biased, Counter(tokens), wish.frequency, wish.presence)


def _next(ids: Sequence[int]) -> "Tensor":
    return _logits(ids)[-1]


def _logits(ids: Sequence[int]) -> "Tensor":
    """Of all tokens behind the beginning and behind each of ``ids`` (V each)."""
    return _model().logits(_states(ids)).double()


def _states(ids: Sequence[int]) -> "Tensor":
    """Behind the last layer, of the beginning and of each of ``ids``."""
    import torch

    from reference_model.model import causal

    text = torch.tensor([_tokenizer().end_of_text, *ids])
    with torch.inference_mode():
        states: Tensor = _model()(text, torch.arange(len(text)), causal)
    return states


@cache
def _reserved() -> range:
    """Ids of tokens that are for prompts alone."""
    known = _tokenizer()
    return range(known.end_of_text + 1, known.vocabulary_size)


@cache
def _tokenizer() -> "Tokenizer":
    """Raises Absent where the model cannot run here."""
    lacking = [name for name in ("tokenizers", "torch") if find_spec(name) is None]
    if lacking:
        raise Absent(f"{' and '.join(lacking)} for the reference model")
    from reference_model.tokenizer import load_tokenizer

    return load_tokenizer()


@cache
def _model() -> "Llama":
    import torch

    from reference_model.model import load_model

    torch.set_num_threads(1)  # a second one makes small products slower
    return load_model()
