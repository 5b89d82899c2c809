"""Reads the files of the spec, from the user's cache where none has changed."""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SHARED = "api"  # the resource of what every page shares


@cache
def pages() -> Mapping[str, Any]:
    """The pages as written, by resource."""
    found = {SHARED: files()["openapi.yaml"]}
    for path in sorted((HERE / "paths").glob("*.yaml")):
        found[path.stem] = files()[f"paths/{path.name}"]
    return found


def editions(written: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """The editions that ``written`` or our own pages describe, oldest first."""
    return tuple(sorted((written or pages())[SHARED]["x-editions"]))


def excluded() -> Mapping[str, str]:
    """Statements of the documents that no clause says, by their id, with the reason."""
    return dict(files()["excluded.yaml"] or {})


def sources() -> dict[str, dict[str, Any]]:
    """Every source id with its document: ranges of ids are said once."""
    rows: dict[str, dict[str, Any]] = {}
    for document in files()["sources.yaml"]:
        for section, span in document["sections"].items():
            for id in _span(span):
                rows[id] = {
                    "document": document["document"],
                    "date": document["date"],
                    "section": section,
                    "url": document.get("url"),
                }
    return rows


def _span(text: str) -> Iterator[str]:
    """The ids in a text like ``S4-001..003 S4-007``."""
    for part in text.split():
        first, _, last = part.partition("..")
        match = re.fullmatch(r"(.*?)(\d+)", first)
        if match is None:
            raise ValueError(f"expected an id like S4-001, got {first!r}")
        stem, number = match.groups()
        for n in range(int(number), int(last or number) + 1):
            yield f"{stem}{n:0{len(number)}d}"


@cache
def digest(folder: Path = HERE) -> str:
    """The sha256 of all pages: names what a run was judged by."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*.yaml")):
        total.update(path.relative_to(folder).as_posix().encode() + b"\0")
        total.update(path.read_bytes())
    return total.hexdigest()


@cache
def files(folder: Path = HERE) -> dict[str, Any]:
    """Every page by its name, parsed; from the user's cache where none has changed.

    The cache is JSON, which is read ten times as fast, under the name of the digest.
    """
    kept = _cache() / f"pages-{digest(folder)}.json"
    with suppress(OSError, ValueError):  # nothing there yet, or half of it
        found: dict[str, Any] = json.loads(kept.read_text("utf-8"))
        return found
    parsed = {
        path.relative_to(folder).as_posix(): _parsed(path)
        for path in sorted(folder.rglob("*.yaml"))
    }
    with suppress(OSError):  # nobody's home, or a full disk: the next start is slower
        _keep(kept, json.dumps(parsed))
    return parsed


def _cache() -> Path:
    """The user's folder for what can be made again; who has none keeps nothing."""
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        home = os.devnull
    return Path(home) / "assay"


def _keep(kept: Path, text: str) -> None:
    """Writes the cache at once, so that no reader sees half; drops older ones."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", dir=kept.parent, delete=False, encoding="utf-8"
    ) as new:
        new.write(text)
    for old in kept.parent.glob("pages-*.json"):
        old.unlink(missing_ok=True)
    Path(new.name).replace(kept)


def _parsed(path: Path) -> Any:
    import yaml  # 20 ms that the cache saves

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
