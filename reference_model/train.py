"""Trains tokenizer and model from the corpus, with a fixed seed and number of steps."""

import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain, islice
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from reference_model.checksum import WEIGHTS, record
from reference_model.corpus import Chat, Document, Infill, Prose, documents
from reference_model.model import Llama, Shape, causal
from reference_model.tokenizer import Tokenizer, train_tokenizer

SEED, STEPS, ROWS, LENGTH, RATE = 1, 520, 6, 512, 4e-3


def train(steps: int = STEPS, folder: Path = WEIGHTS) -> None:
    """Write tokenizer.json, model.safetensors, config.json and their sums."""
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    learned = train_tokenizer(_texts(20_000), Shape().vocab_size)
    (folder / "tokenizer.json").write_text(learned)
    tokenizer = Tokenizer(learned)
    model = Llama(Shape())
    _scale(model)
    _teach(model, _batches(tokenizer), steps)
    save_file(
        {name: value.half() for name, value in model.state_dict().items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    (folder / "config.json").write_text(json.dumps(_config(tokenizer), indent=2) + "\n")
    record(folder)


def _teach(model: Llama, batches: Iterator[Tensor], steps: int) -> None:
    optimizer = torch.optim.AdamW(_groups(model), RATE, betas=(0.9, 0.95), fused=True)
    pace = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _pace(step, steps))
    began = time.monotonic()
    for step in range(steps):
        loss = _loss(model, next(batches))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        pace.step()
        if step % 50 == 0 or step == steps - 1:
            print(f"step {step}: loss {loss:.3f}, {time.monotonic() - began:.0f} s")  # noqa: T201


def _loss(model: Llama, batch: Tensor) -> Tensor:
    """How badly the model foresees each next token of (rows, length + 1)."""
    seen, next_ = batch[:, :-1], batch[:, 1:]
    states = model(seen, torch.arange(seen.shape[1]), causal)
    return functional.cross_entropy(model.logits(states).flatten(0, 1), next_.flatten())


def _scale(model: Llama) -> None:
    """Small starts; what is added to the residual stream starts smaller."""
    depth = math.sqrt(2 * model.shape.num_hidden_layers)
    for name, value in model.named_parameters():
        if value.dim() == 2:
            outward = name.endswith(("o_proj.weight", "down_proj.weight"))
            torch.nn.init.normal_(value, std=0.04 / (depth if outward else 1))


def _groups(model: Llama) -> list[dict[str, object]]:
    """Matrices decay, norms do not."""
    matrices = [value for value in model.parameters() if value.dim() == 2]
    norms = [value for value in model.parameters() if value.dim() == 1]
    return [
        {"params": matrices, "weight_decay": 0.1},
        {"params": norms, "weight_decay": 0.0},
    ]


def _pace(step: int, steps: int) -> float:
    """Warm up over 30 steps, then fall to almost nothing along a cosine."""
    return min(
        (step + 1) / 30, 0.02 + 0.98 * (1 + math.cos(math.pi * step / steps)) / 2
    )


def _batches(tokenizer: Tokenizer) -> Iterator[Tensor]:
    """Documents one behind the other, cut into rows of length + 1."""
    ids = chain.from_iterable(_ids(tokenizer, document) for document in documents(SEED))
    while True:
        flat = torch.tensor(list(islice(ids, ROWS * (LENGTH + 1))))
        yield flat.view(ROWS, LENGTH + 1)


def _ids(tokenizer: Tokenizer, document: Document) -> list[int]:
    match document:
        case Prose(text):
            return [*tokenizer.encode(text), tokenizer.end_of_text]
        case Chat(messages):
            return [id for message in messages for id in tokenizer.message(message)]
        case Infill(prefix, middle, suffix):
            around = tokenizer.infill(
                tokenizer.encode(prefix), tokenizer.encode(suffix)
            )
            return [*around, *tokenizer.encode(middle), tokenizer.end_of_text]


def _texts(count: int) -> Iterator[str]:
    for document in islice(documents(SEED), count):
        match document:
            case Prose(text):
                yield text
            case Chat(messages):
                yield from (message["content"] for message in messages)
            case Infill(prefix, middle, suffix):
                yield prefix + middle + suffix


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
