"""The folder of weights, and proof that its files are the ones we stored."""

import hashlib
from pathlib import Path

WEIGHTS = Path(__file__).parent / "weights"
_SUMS = "SHA256SUMS"  # the format of sha256sum, so `sha256sum -c SHA256SUMS` works too


def proven(name: str, folder: Path = WEIGHTS) -> bytes:
    """The bytes of a stored file, if their sha256 is the recorded one."""
    content = (folder / name).read_bytes()
    found, expected = hashlib.sha256(content).hexdigest(), _recorded(folder).get(name)
    if found != expected:
        raise ValueError(f"expected sha256 {expected!r} of {name!r}, got {found!r}")
    return content


def record(folder: Path = WEIGHTS) -> None:
    """Write down the sums of all files, after training."""
    files = sorted(path for path in folder.iterdir() if path.name != _SUMS)
    sums = (f"{_sum(path)}  {path.name}\n" for path in files)
    (folder / _SUMS).write_text("".join(sums))


def _recorded(folder: Path) -> dict[str, str]:
    lines = (folder / _SUMS).read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
