"""Runs the command ``assay-mock`` in a process of its own."""

import re
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

COMMAND = [sys.executable, "-m", "mockserver"]
KEY = {"authorization": "Bearer sk-test"}
SLOW = {"model": "ada", "max_tokens": 2000, "logit_bias": {"50256": -100}}
"""A completion of some seconds; streamed, it has many events."""


@dataclass(frozen=True)
class Running:
    """A mock that answers."""

    process: subprocess.Popen[str]
    url: str

    @property
    def host(self) -> str:
        return self.url.removesuffix("/v1")

    def client(self, verify: ssl.SSLContext | bool = False) -> httpx.Client:
        """It reads no certificates, which takes long, but for those it is given."""
        return httpx.Client(base_url=self.url, headers=KEY, timeout=30, verify=verify)

    def metric(self, line: str) -> float:
        """What the page says of one name with its labels; 0 where it is not there."""
        page = httpx.get(f"{self.host}/metrics", verify=False).text
        told = re.search(rf"^{re.escape(line)} (\S+)$", page, re.MULTILINE)
        return float(told[1]) if told else 0.0

    def workers(self) -> list[int]:
        """The processes that answer."""
        pid = self.process.pid
        return [int(word) for word in children(pid)]

    def stop(self) -> int:
        """The exit status after a plain request to end."""
        self.process.terminate()
        return self.process.wait(20)


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


@contextmanager
def running(*words: str, **more: object) -> Iterator[Running]:
    """A mock on a free port, which has ended when the block has."""
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", *words], stdout=subprocess.PIPE, text=True, **more
    )
    with process:
        try:
            line = process.stdout.readline()
            yield Running(process, line.removeprefix("ready ").strip())
        finally:
            process.terminate()


def within(seconds: float, happened: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.01)
    return happened()
