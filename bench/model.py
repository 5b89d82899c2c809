"""How fast the reference model starts and generates, beside transformers.

python -m bench.model: each on one thread, in turns, the median of five rounds.
"""

import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Any

from reference_model.engine import Engine, Job, Step, load_model
from reference_model.export import export
from reference_model.sampling import Sampling
from reference_model.tokenizer import load_tokenizer

SEEDS = count()  # no job twice, so that nothing is remembered
TOKENS, ROUNDS = 128, 5
BATCHES = (1, 8, 32, 64)
LOADING = """
import time; import torch; began = time.perf_counter()
from reference_model.engine import load_engine
load_engine(); print(time.perf_counter() - began)
import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""

RESIDENT = """
import torch, resource; torch.ones(1)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def main() -> None:
    seconds, resident = said(LOADING)
    print(
        f"load after torch's import  {seconds:.2f} s, then {resident:.0f} MB resident"
    )
    print(f"torch alone                {said(RESIDENT)[0]:.0f} MB resident")
    engine = Engine(load_model(), load_tokenizer().end_of_text, max(BATCHES))
    generate = transformers()
    gc.freeze()  # else each pays for looking through what the other has imported
    short, long = prompt("Once upon a time", 8), prompt("Once upon a time", 1023)
    print(f"\nfirst token                {first_token(engine, short):.1f} ms")
    print(f"behind 1,023 tokens        {first_token(engine, long):.1f} ms")
    print("\ntokens/s | ours, float64 | transformers, float32 | ratio")
    for batch in BATCHES:
        ours, theirs = in_turns(
            lambda n=batch: rate(engine, n, Sampling()), lambda n=batch: generate(n)
        )
        print(f"{batch:8} | {ours:13.0f} | {theirs:21.0f} | {ours / theirs:5.2f}")
    print("\nof 32 texts at once, tokens/s")
    for label, sampling, top, start in (
        ("as they are", Sampling(), 0, ()),
        ("greedy", Sampling(temperature=0), 0, ()),
        ("top_p 0.9", Sampling(top_p=0.9), 0, ()),
        ("5 log probabilities each", Sampling(), 5, ()),
        ("a presence penalty", Sampling(presence_penalty=0.5), 0, ()),
        ("behind 1,023 tokens", Sampling(), 0, long),
    ):
        spread = [rate(engine, 32, sampling, top, start) for _ in range(3)]
        print(f"{label:26} {median(spread):6.0f}")
    engine.close()


def said(program: str) -> list[float]:
    """The numbers that a new process prints."""
    ran = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return [float(line) for line in ran.stdout.split()]


def in_turns(*measured: Callable[[], float]) -> list[float]:
    """The median of each; they take turns so that both meet the same noise."""
    rounds = [[one() for one in measured] for _ in range(ROUNDS + 1)]
    return [median(values) for values in zip(*rounds[1:], strict=True)]


def transformers() -> Callable[[int], float]:
    """Tokens per second of transformers' own generate, by the number of texts."""
    import torch
    from transformers import AutoModelForCausalLM

    with tempfile.TemporaryDirectory() as folder:
        export("hf", Path(folder))
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    torch.set_num_threads(1)
    end = model.config.eos_token_id

    def generate(batch: int) -> float:
        start = torch.full((batch, 1), end)
        began = time.perf_counter()
        with torch.inference_mode():
            made = model.generate(
                start,
                attention_mask=torch.ones_like(start),
                do_sample=True,
                top_k=0,
                min_new_tokens=TOKENS,
                max_new_tokens=TOKENS,
                pad_token_id=end,
            )
        tokens = (made.shape[1] - 1) * batch
        return float(tokens / (time.perf_counter() - began))

    return generate


def prompt(text: str, size: int) -> tuple[int, ...]:
    ids = load_tokenizer().encode(text)
    return tuple((ids * size)[:size])


def turned(ids: tuple[int, ...], turn: int) -> tuple[int, ...]:
    """Another prompt of the same size: one that comes again is not computed."""
    return ids[turn:] + ids[:turn]


def first_token(engine: Engine, start: tuple[int, ...]) -> float:
    """Milliseconds until the first token of a new text."""
    spread = []
    for turn in range(ROUNDS):
        job = Job(turned(start, turn), 1, seed=next(SEEDS))
        began = time.perf_counter()
        next(engine.submit(job))
        spread.append((time.perf_counter() - began) * 1e3)
    return median(spread)


def rate(
    engine: Engine,
    batch: int,
    sampling: Sampling,
    top: int = 0,
    start: tuple[int, ...] = (),
) -> float:
    """Tokens per second of ``batch`` texts at once, each read by a thread."""
    jobs = [
        Job(turned(start, turn), TOKENS, sampling, next(SEEDS), top, stop_at_end=False)
        for turn in range(batch)
    ]
    replies: list[list[Step]] = []
    readers = [Thread(target=read, args=(engine, job, replies)) for job in jobs]
    began = time.perf_counter()
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    return sum(map(len, replies)) / (time.perf_counter() - began)


def read(engine: Engine, job: Job, replies: list[list[Step]]) -> None:
    replies.append(list(engine.submit(job)))


if __name__ == "__main__":
    main()
