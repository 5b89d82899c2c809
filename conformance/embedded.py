"""The reference mock as a server of our own: started, awaited, ended."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import spec

NEEDED = ("mockserver", "flask", "sqlalchemy", "tokenizers", "torch")
PATIENCE = 10.0  # seconds for the server to end by itself
MODULE = "mockserver"
READY = "ready "
SETTINGS = "ASSAY_MOCK_"  # the variables that would change what is judged


@contextmanager
def embedded(edition: str | None = None) -> Iterator[tuple[str, str]]:
    """The URL and the key of a mock that lives as long as the context.

    Raises ValueError where it is not installed or does not start.
    """
    if any(find_spec(name) is None for name in NEEDED):
        raise ValueError(
            "no URL was given; to check the mock, install openai-assay[mock]"
        )
    key = f"sk-assay-{secrets.token_hex(16)}"
    process = _started(key, edition)
    try:
        yield _url(process), key
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def _started(key: str, edition: str | None) -> subprocess.Popen[str]:
    """A process of its own group, so that Ctrl-C reaches us alone.

    It finds our packages first, whatever folders stand where the command was given.
    """
    here = str(Path(spec.__file__).parent.parent)
    path = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
    words = [sys.executable, "-P", "-m", MODULE, "--port", "0", "--api-key", key]
    words += ["--edition", edition] if edition else []
    kept = {k: v for k, v in os.environ.items() if not k.startswith(SETTINGS)}
    return subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env={**kept, "PYTHONPATH": path},
        start_new_session=True,
    )


def _url(process: subprocess.Popen[str]) -> str:
    for line in process.stdout or ():
        if line.startswith(READY):
            return line.removeprefix(READY).strip()
    raise ValueError(f"expected the mock to start, got exit {process.wait(PATIENCE)}")
