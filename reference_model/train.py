"""Trains tokenizer and model from the corpus, with a fixed seed and number of steps."""

import json
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from itertools import islice
from operator import methodcaller
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional
from torch.optim.lr_scheduler import LambdaLR

from reference_model.beginning import begin
from reference_model.checksum import WEIGHTS, record
from reference_model.corpus import documents, texts
from reference_model.curve import Point, picture, table
from reference_model.lesson import Lesson, batches
from reference_model.model import Llama, Shape, causal
from reference_model.muon import Muon
from reference_model.products import Products
from reference_model.tokenizer import Tokenizer, train_tokenizer

SEED, STEPS, THREADS = 1, 19_000, 2
EMBEDDING_RATE, NORM_RATE, MUON_RATE = 0.018, 3e-3, 0.015
WARM_UP, FALL = 60, 0.7  # steps to warm up, share of steps to slow down
SHOWN = 20_000  # documents that the tokenizer is made from
SPAN = 50  # steps to a point of the curve


def train(
    steps: int = STEPS, folder: Path = WEIGHTS, curve: Path | None = None
) -> None:
    """Write tokenizer.json, model.safetensors, config.json and their sums.

    A ``curve`` is where training.svg and training.tsv go.
    """
    learned = train_tokenizer(_texts(), Shape().vocab_size)
    (folder / "tokenizer.json").write_text(learned)
    teach(Tokenizer(learned), steps, folder, curve)


def teach(
    tokenizer: Tokenizer, steps: int, folder: Path, curve: Path | None = None
) -> None:
    """Write all but the tokenizer."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # of torch: ours have a batch each, which is faster
    torch.manual_seed(SEED)
    model = Llama(Shape())
    begin(model, [tokenizer.decode([id]) for id in range(tokenizer.ordinary)])
    points = _taught(model, batches(tokenizer, SEED), steps)
    if curve:
        (curve / "training.tsv").write_text(table(points))
        (curve / "training.svg").write_text(picture(points))
    save_file(
        {name: value.half() for name, value in model.state_dict().items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    (folder / "config.json").write_text(json.dumps(_config(tokenizer), indent=2) + "\n")
    record(folder)
    torch.set_num_threads(before)


def _taught(
    model: Llama, lessons: Iterator[Sequence[Lesson]], steps: int
) -> list[Point]:
    """The mean loss after each span of steps."""
    optimizers = _optimizers(model)
    paces = [LambdaLR(one, partial(_pace, steps=steps)) for one in optimizers]
    began, seen, points, recent = time.monotonic(), 0, list[Point](), list[float]()
    with ThreadPoolExecutor(THREADS) as pool:
        for step in range(1, steps + 1):
            shares = list(islice(lessons, THREADS))
            recent.append(_learn(pool, model, shares))
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            list(pool.map(methodcaller("step"), optimizers))
            for pace in paces:
                pace.step()
            seen += sum(len(lesson.tokens) for share in shares for lesson in share)
            if step % SPAN == 0 or steps < SPAN:
                points.append((step, sum(recent) / len(recent)))
                recent.clear()
                spent = time.monotonic() - began
                told = f"loss {points[-1][1]:.3f}, {seen} tokens, {spent:.0f} s"
                print(f"step {step}: {told}", flush=True)  # noqa: T201
    return points


def _learn(
    pool: ThreadPoolExecutor, model: Llama, shares: Sequence[Sequence[Lesson]]
) -> float:
    """Leave a gradient in each parameter, and return the mean loss.

    Each share of the lessons is the work of a thread.
    """
    weight = sum(sum(lesson.weights) for share in shares for lesson in share)
    parameters = list(model.parameters())

    def learned(share: Sequence[Lesson]) -> tuple[Tensor, ...]:
        with Products():
            loss = _loss(model, share) / weight
            return loss.detach(), *torch.autograd.grad(loss, parameters)

    parts = zip(*pool.map(learned, shares), strict=True)
    loss, *gradients = (torch.stack(part).sum(0) for part in parts)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    return float(loss)


def _loss(model: Llama, batch: Sequence[Lesson]) -> Tensor:
    """How badly the model foresees the next tokens, times their weights."""
    longest = max(len(lesson.weights) for lesson in batch)
    tokens = torch.zeros(len(batch), longest + 1, dtype=torch.long)
    weights = torch.zeros(len(batch), longest)
    for row, lesson in enumerate(batch):
        tokens[row, : len(lesson.tokens)] = torch.tensor(lesson.tokens)
        weights[row, : len(lesson.weights)] = torch.tensor(lesson.weights)
    states = model(tokens[:, :-1], torch.arange(longest), causal).flatten(0, 1)
    (learned,) = weights.flatten().nonzero(as_tuple=True)
    logits = model.logits(states.index_select(0, learned))
    wanted, weight = tokens[:, 1:].flatten()[learned], weights.flatten()[learned]
    return functional.cross_entropy(logits, wanted, reduction="none") @ weight


def _optimizers(model: Llama) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, AdamW for embedding and norms."""
    norms = [value for value in model.parameters() if value.dim() == 1]
    others = [
        {"params": [model.model.embed_tokens.weight], "lr": EMBEDDING_RATE},
        {"params": norms, "lr": NORM_RATE},
    ]
    adam = torch.optim.AdamW(others, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    inner = [value for value in model.model.layers.parameters() if value.dim() == 2]
    muons = [Muon(inner[first::THREADS], MUON_RATE) for first in range(THREADS)]
    return [*muons, adam]


def _pace(step: int, steps: int) -> float:
    """Warm up, go on at one rate, and fall to almost nothing along a line."""
    return min((step + 1) / WARM_UP, 1.0, (steps - step) / (FALL * steps))


def _texts() -> Iterator[str]:
    """Words in capital letters are left out: they get what small ones do."""
    for document in islice(documents(SEED), SHOWN):
        for text in texts(document):
            if not re.search("[A-Z]{2}", text.replace("JSON", "")):
                yield text


def _config(tokenizer: Tokenizer) -> dict[str, object]:
    """config.json as transformers and vLLM read it."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "tie_word_embeddings": True,
        "attention_bias": False,
        "mlp_bias": False,
        "num_key_value_heads": Shape().num_attention_heads,
        "bos_token_id": tokenizer.end_of_text,
        "eos_token_id": tokenizer.end_of_text,
        "torch_dtype": "float16",
        **asdict(Shape()),
    }
