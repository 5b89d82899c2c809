"""How fast the mock starts and answers: `python bench/server.py`.

`python bench/server.py --ratios` compares its servers alone.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count, product
from multiprocessing import get_context
from statistics import median
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

COMMANDS = {
    "cheroot": [
        "-c",
        "from mockserver.app import application, house\n"
        "from mockserver.server import listen, url\n"
        "from spec import load\n"
        "server = listen(application(house(load())), '127.0.0.1', 0)\n"
        "print('ready', url(server), flush=True)\n"
        "server.serve()",
    ],
    "1 worker": ["-m", "mockserver", "--port", "0"],
    "2 workers": ["-m", "mockserver", "--port", "0", "--workers", "2"],
}
ROUNDS = 3  # of which the middle one counts, where servers are compared
CONCURRENCIES = (1, 16, 64)
SECONDS = 1.5  # for each cell of the table
KEY = {"Authorization": "Bearer sk-bench", "Content-Type": "application/json"}
NUMBERS = count()  # no prompt twice, so that nothing is remembered


@dataclass(frozen=True)
class Load:
    """A kind of request; ``{}`` in its body is a number that is new each time."""

    name: str
    path: str
    body: str = ""

    def raw(self, host: str) -> bytes:
        """The request as it is sent."""
        body = self.body.replace("{}", str(next(NUMBERS))).encode()
        lines = [
            f"{'POST' if body else 'GET'} /v1{self.path} HTTP/1.1",
            f"Host: {host}",
        ]
        lines += [f"{name}: {value}" for name, value in KEY.items()]
        lines += [f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(lines).encode() + body


def completion(prompt: str, **more: object) -> str:
    return json.dumps({"model": "text-davinci-003", "prompt": prompt, **more})


LOADS = (
    Load("GET /models", "/models"),
    Load(
        "POST /embeddings",
        "/embeddings",
        json.dumps({"model": "text-embedding-ada-002", "input": "Once, {}"}),
    ),
    Load("completions, 1 token", "/completions", completion("Once, {}", max_tokens=1)),
    Load(
        "completions, 32 tokens", "/completions", completion("Once, {}", max_tokens=32)
    ),
    Load(
        "the same, streamed",
        "/completions",
        completion("Once, {}", max_tokens=32, stream=True),
    ),
    Load(
        "the same request again",
        "/completions",
        completion("Once", max_tokens=32, temperature=0),
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ratios", action="store_true")
    if not parser.parse_args().ratios:
        alone()
    compared()


def compared() -> None:
    """Requests a second of each server, and how many times those of the first."""
    with ExitStack() as stack:
        client = stack.enter_context(
            ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        )
        urls = {
            name: stack.enter_context(mock(command))
            for name, command in COMMANDS.items()
        }
        for base_url in list(urls.values()) * 20:
            ask(base_url, LOADS[2])  # torch is there from now on, in every worker
        print("".join(f"{name:>21}" for name in ("", "", *urls)))
        for load, concurrency in product(LOADS, CONCURRENCIES):
            rates = list(rivals(client, list(urls.values()), load, concurrency))
            cells = [f"{rate:12.0f} x{rate / rates[0]:5.2f}  " for rate in rates]
            print(f"{load.name:24}{f'{concurrency} at once':>18}" + "".join(cells))


def rivals(
    client: ProcessPoolExecutor, urls: list[str], load: Load, concurrency: int
) -> Iterator[float]:
    """Requests a second of each server, measured in turn."""
    rounds = []
    for _ in range(ROUNDS):
        runs = [
            client.submit(measured, url, load, concurrency).result() for url in urls
        ]
        rounds.append([len(times) / took for times, took in runs])
    return map(median, zip(*rounds, strict=True))


def alone() -> None:
    """Start, requests and tokens a second of one worker, and what validation takes."""
    for label, seconds in cold_start():
        print(f"{label:28} {seconds:7.2f} s after the process began")
    print()
    client = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    with client, mock() as base_url:
        ask(base_url, LOADS[2])  # torch is there from now on
        heads = "".join(f"{f'{n} at once':>27}" for n in CONCURRENCIES)
        print(f"{'':24}{heads}")
        print(f"{'':24}" + "   requests/s tokens/s    ms" * len(CONCURRENCIES))
        for load in LOADS:
            cells = [cell(client, base_url, load, n) for n in CONCURRENCIES]
            print(f"{load.name:24}" + "".join(cells))
    print()
    for name, validation, whole in shares():
        print(
            f"{name:24} validation {validation * 1e6:6.0f} us of {whole * 1e6:6.0f} us:"
            f" {validation / whole:6.1%}"
        )


def cold_start() -> Iterator[tuple[str, float]]:
    """The middle one of three starts."""
    runs = []
    for _ in range(3):
        began = time.perf_counter()
        with mock() as base_url:
            moments = [time.perf_counter() - began]
            for load in (LOADS[0], LOADS[2]):
                ask(base_url, load)
                moments.append(time.perf_counter() - began)
        runs.append(moments)
    labels = ("ready line", "first reply", "first completion")
    return zip(labels, map(median, zip(*runs, strict=True)), strict=True)


@contextmanager
def mock(words: Sequence[str] = tuple(COMMANDS["1 worker"])) -> Iterator[str]:
    command = [sys.executable, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().removeprefix("ready ").strip()
        finally:
            process.terminate()


def ask(base_url: str, load: Load) -> bytes:
    body = load.body.replace("{}", str(next(NUMBERS))).encode() or None
    with urlopen(Request(base_url + load.path, body, KEY)) as reply:
        raw: bytes = reply.read()
    return raw


def tokens(base_url: str) -> int:
    """How many tokens the mock has counted."""
    counters = json.loads(ask(base_url, Load("", "/_assay/counters")))
    sampled: int = counters["usage"]["completion_tokens"]
    return sampled


def cell(
    client: ProcessPoolExecutor, base_url: str, load: Load, concurrency: int
) -> str:
    before = tokens(base_url)
    times, took = client.submit(measured, base_url, load, concurrency).result()
    sampled = tokens(base_url) - before
    return f"{len(times) / took:13.0f} {sampled / took:8.0f} {median(times) * 1e3:5.1f}"


def measured(base_url: str, load: Load, concurrency: int) -> tuple[list[float], float]:
    """The seconds that each reply took, and all together; runs in a process apart."""
    return asyncio.run(_measured(base_url, load, concurrency))


async def _measured(
    base_url: str, load: Load, concurrency: int
) -> tuple[list[float], float]:
    began = time.perf_counter()
    lines = (_line(base_url, load, began + SECONDS) for _ in range(concurrency))
    times = [took for line in await asyncio.gather(*lines) for took in line]
    return times, time.perf_counter() - began


async def _line(base_url: str, load: Load, deadline: float) -> list[float]:
    """One request after another on one connection, at least one of them."""
    place = urlsplit(base_url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    times: list[float] = []
    while not times or time.perf_counter() < deadline:
        began = time.perf_counter()
        writer.write(load.raw(place.netloc))
        await _reply(reader)
        times.append(time.perf_counter() - began)
    writer.close()
    return times


async def _reply(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert b" 200 " in head.partition(b"\r\n")[0], head
    if b"transfer-encoding: chunked" in head:
        await reader.readuntil(b"0\r\n\r\n")
        return
    _, _, rest = head.partition(b"content-length: ")
    await reader.readexactly(int(rest.partition(b"\r\n")[0]))


def shares() -> Iterator[tuple[str, float, float]]:
    """Seconds of validating a body, and of answering it, without a socket.

    Completions are answered from memory: with a text to make, the share is smaller.
    """
    from mockserver.app import house
    from mockserver.edge import Edge, Incoming
    from spec import load
    from spec.validation import refusal

    spec = load()
    edge = Edge(house(spec))
    headers = {name.lower(): value for name, value in KEY.items()}
    long = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi"},
    ]
    for name, operation_id, more in (
        ("completion", "createCompletion", {}),
        ("chat, 1 message", "createChatCompletion", {}),
        ("chat, 200 messages", "createChatCompletion", {"messages": long * 100}),
        ("embedding", "createEmbedding", {}),
        ("embedding, 1000 tokens", "createEmbedding", {"input": [[5] * 1000]}),
        ("moderation", "createModeration", {}),
    ):
        operation = spec.operations[operation_id]
        body = {**operation.sample, **more}
        raw = json.dumps(body).encode()

        def answer(operation=operation, raw=raw) -> None:
            incoming = Incoming("POST", operation.path, headers, raw)
            assert edge.answer(operation, incoming).status == 200

        yield name, fastest(lambda b=body, o=operation: refusal(o, b)), fastest(answer)


def fastest(act: Callable[[], object]) -> float:
    """The middle of many seconds that ``act`` takes, after a first time."""
    act()
    times = []
    for _ in range(200):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return median(times)


if __name__ == "__main__":
    main()
