"""How fast the reference model starts and generates: `python bench/model.py`."""

import subprocess
import sys
import time
from itertools import count
from threading import Thread

from reference_model.engine import Engine, Job, Step, load_model
from reference_model.sampling import Sampling
from reference_model.tokenizer import load_tokenizer

SEEDS = count()  # no job twice, so that nothing is remembered
TOKENS = 128


def main() -> None:
    print(
        f"import  {clock('import reference_model.engine'):6.2f} s, with Python's start"
    )
    engine = loaded(rows=32)
    short, long = prompt("Once upon a time", 8), prompt("Once upon a time", 1023)
    first_token(engine, "short prompt", short)
    first_token(engine, "1,024 tokens", long)
    for batch in (32, 1, 8, 32):  # the first one also touches the memory first
        throughput(engine, batch, Sampling())
    throughput(engine, 32, Sampling(temperature=0))
    throughput(engine, 32, Sampling(top_p=0.9))
    throughput(engine, 32, Sampling(), top=5)
    throughput(engine, 32, Sampling(presence_penalty=0.5))
    throughput(engine, 1, Sampling(), start=long)
    throughput(engine, 32, Sampling(), start=long)
    engine.close()
    wide = loaded(rows=64)
    for _ in range(2):
        throughput(wide, 64, Sampling())
    wide.close()


def clock(statement: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - began


def loaded(rows: int) -> Engine:
    began = time.perf_counter()
    tokenizer = load_tokenizer()
    between = time.perf_counter()
    engine = Engine(load_model(), tokenizer.end_of_text, rows)
    print(f"tokenizer {(between - began) * 1e3:4.0f} ms")
    print(f"weights   {(time.perf_counter() - between) * 1e3:4.0f} ms")
    return engine


def prompt(text: str, size: int) -> tuple[int, ...]:
    ids = load_tokenizer().encode(text)
    return tuple((ids * size)[:size])


def first_token(engine: Engine, label: str, start: tuple[int, ...]) -> None:
    next(engine.submit(Job(start, 1, seed=next(SEEDS))))
    began = time.perf_counter()
    next(engine.submit(Job(start, 1, seed=next(SEEDS))))
    print(f"first token, {label}: {(time.perf_counter() - began) * 1e3:.1f} ms")


def throughput(
    engine: Engine,
    batch: int,
    sampling: Sampling,
    *,
    top: int = 0,
    start: tuple[int, ...] = (),
) -> None:
    """Tokens per second of ``batch`` texts at once, each read by a thread."""
    jobs = [
        Job(start, TOKENS, sampling, next(SEEDS), top, stop_at_end=False)
        for _ in range(batch)
    ]
    replies: list[list[Step]] = []
    readers = [Thread(target=read, args=(engine, job, replies)) for job in jobs]
    began = time.perf_counter()
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    rate = sum(map(len, replies)) / (time.perf_counter() - began)
    default = vars(Sampling())
    changed = {
        key: value for key, value in vars(sampling).items() if value != default[key]
    }
    print(
        f"batch {batch:2}, {len(start):4} before, top {top}: {rate:6.0f} /s  {changed}"
    )


def read(engine: Engine, job: Job, replies: list[list[Step]]) -> None:
    replies.append(list(engine.submit(job)))


if __name__ == "__main__":
    main()
