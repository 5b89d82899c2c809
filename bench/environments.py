"""Rooms of their own for what is not ours: packages of PyPI or npm, installed once."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(os.environ.get("ASSAY_CACHE", Path(__file__).parent.parent / ".cache"))


def python(requirements: tuple[str, ...]) -> Path:
    """The interpreter of an environment with ``requirements``."""
    words = repr((requirements, sys.version_info[:2]))
    with _room(f"sdk-{_digest(words)}") as (home, ready):
        interpreter = home / "bin" / "python"
        if not ready:
            subprocess.run([sys.executable, "-m", "venv", home], check=True)
            install = [interpreter, "-m", "pip", "install", "--quiet", *requirements]
            subprocess.run(install, check=True)
    return interpreter


def node(requirements: tuple[str, ...]) -> Path:
    """The folder of modules with ``requirements``, as far as this Node can run them."""
    with _room(f"node-{_digest(repr(requirements))}") as (home, ready):
        if not ready:
            home.mkdir()
            install = [
                "npm",
                "install",
                "--silent",
                "--engine-strict",
                "--prefix",
                home,
            ]
            subprocess.run([*install, *requirements], check=True)
    return home / "node_modules"


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()[:12]


@contextmanager
def _room(name: str) -> Iterator[tuple[Path, bool]]:
    """A folder, and whether it is ready; one process at a time furnishes it."""
    home = CACHE / name
    CACHE.mkdir(parents=True, exist_ok=True)
    with home.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = home / "ready"
        ready = done.exists()
        if not ready:
            shutil.rmtree(home, ignore_errors=True)
        yield home, ready
        done.touch()
