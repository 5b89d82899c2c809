"""Three generations of the official library drive the mock."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("ASSAY_CACHE", HERE.parent / ".cache"))
KEY = {"authorization": "Bearer sk-test"}
GENERATIONS = {
    "0.27": ("v0_27.py", ("openai==0.27.*", "numpy")),  # it decodes base64 with numpy
    "1.6": ("v1_6.py", ("openai==1.6.*", "httpx<0.28", "numpy")),
    "newest": ("newest.py", ("openai",)),
}
OLD_FAULTS = {
    "gone": "InvalidRequestError",
    "no such model": "InvalidRequestError",
    "no input": "InvalidRequestError",
    "rate limit": "RateLimitError",
    "server-fault": "APIError",
    "overloaded": "ServiceUnavailableError",
    "no-organization": "AuthenticationError",
}
NEW_FAULTS = {
    "gone": "NotFoundError",
    "no such model": "NotFoundError",
    "no input": "BadRequestError",
    "rate limit": "RateLimitError",
    "server-fault": "InternalServerError",
    "overloaded": "InternalServerError",
    "no-organization": "AuthenticationError",
}


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    command = [sys.executable, "-m", "mockserver", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as mock:
        assert mock.stdout is not None
        try:
            yield mock.stdout.readline().removeprefix("ready ").strip()
        finally:
            mock.terminate()


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_official_library_drives_every_operation(generation, base_url):
    driver, requirements = GENERATIONS[generation]
    python = environment(requirements)
    with httpx.Client(base_url=base_url, headers=KEY, timeout=60) as client:
        body = {"base": "ada", "suffix": generation}
        tuned = client.post("/_assay/models", json=body).json()["id"]
        listed = [model["id"] for model in client.get("/models").json()["data"]]
        expected = {**on_the_wire(client), "listed": sorted(listed), "tuned": tuned}

    done = subprocess.run(
        [python, HERE / "sdk" / driver, base_url, tuned],
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    expected |= OLD_FAULTS if generation == "0.27" else NEW_FAULTS
    assert {row["step"] for row in told} == expected.keys()
    assert [row["seen"] for row in told] == [expected[row["step"]] for row in told]


def on_the_wire(client: httpx.Client) -> dict[str, object]:
    """What the library should have seen, as plain requests see it."""

    def post(path: str, **body: object) -> dict[str, list[dict[str, object]]]:
        return client.post(path, json=body).raise_for_status().json()

    def vectors(value: object) -> list[object]:
        reply = post("/embeddings", model="text-embedding-ada-002", input=value)
        return [pytest.approx(one["embedding"][:4], abs=1e-7) for one in reply["data"]]

    prompt = "Once upon a time"
    greedy = {"max_tokens": 8, "temperature": 0}
    messages = [{"role": "user", "content": "Say this is a test"}]
    whole = post("/completions", model="text-davinci-003", prompt=prompt, **greedy)
    chat = post("/chat/completions", model="gpt-3.5-turbo", messages=messages, **greedy)
    text = whole["choices"][0]["text"]
    content = chat["choices"][0]["message"]["content"]
    return {
        "model": "gpt-3.5-turbo",
        "deleted": True,
        "completion": [text],
        "completion usage": whole["usage"]["total_tokens"],
        "completion stream": [text],
        "completion choices": [0, 1, 2, 3],
        "chat": [content] * 2,
        "chat model": "gpt-3.5-turbo-0301",
        "chat stream": [content] * 2,
        "embedding of text": vectors(prompt),
        "embedding of texts": vectors([prompt, "Hello"]),
        "embedding of tokens": vectors([1212, 318, 257]),
        "moderation": [True, True],
    }


def environment(requirements: tuple[str, ...]) -> Path:
    """The interpreter of an environment with ``requirements``, made once."""
    words = repr((requirements, sys.version_info[:2]))
    home = CACHE / f"sdk-{hashlib.sha256(words.encode()).hexdigest()[:12]}"
    python, ready = home / "bin" / "python", home / "ready"
    with locked(home.with_suffix(".lock")):
        if not ready.exists():
            shutil.rmtree(home, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", home], check=True)
            install = [python, "-m", "pip", "install", "--quiet", *requirements]
            subprocess.run(install, check=True)
            ready.touch()
    return python


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time, also where several test runs share a cache."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
