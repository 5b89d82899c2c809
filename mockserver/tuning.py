"""What a fine-tune is told to its worker, and what becomes of what that tells.

The object of the store holds the request (``hyper``, ``suffix``, ``model``), the files,
the events, and the ``job`` that is behind it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mockserver.ids import Ids
from mockserver.store import Store
from spec import Spec
from spec.model import Lifecycle

Row = dict[str, Any]
RESULTS = "compiled_results.csv"
PIECE = 1 << 20  # bytes that are stored at once


@dataclass(frozen=True)
class FineTunes:
    """The kind of job that ``/fine-tunes`` makes."""

    spec: Spec
    store: Store
    ids: Ids
    name: str = "fine-tune"

    @property
    def life(self) -> Lifecycle:
        return self.spec.lifecycles["FineTune"]

    def over(self, row: Row) -> bool:
        return row["status"] in self.life.terminal

    def order(self, organization: str, row: Row) -> tuple[Row, list[bytes]]:
        """What the worker is told. Raises LookupError where a file or model is gone."""
        kept = row["job"]["kept"]
        blobs = [
            self._file(organization, row["training"]),
            self._file(organization, row["validation"]),
            self._tuned(organization, row["model"]),
            self._content(kept["id"], kept) if kept else b"",
        ]
        return {"hyper": row["hyper"]}, blobs

    def begun(self, row: Row, told: Mapping[str, Any], now: int) -> None:
        if row["status"] == self.life.start:
            row["hyper"] |= told["hyper"]
            self.move(row, "running", now, "Fine-tune started")

    def reached(self, row: Row, epoch: int, now: int) -> None:
        happened(row, now, f"Completed epoch {epoch}/{row['hyper']['n_epochs']}")

    def failed(self, row: Row, why: str, now: int) -> None:
        self.move(row, "failed", now, f"Fine-tune failed: {why}", level="error")

    def cancelled(self, row: Row, now: int) -> None:
        self.move(row, "cancelled", now, "Fine-tune cancelled")

    def succeeded(self, row: Row, now: int) -> None:
        """Everything that was made is told of."""
        made, row["job"]["made"] = row["job"]["made"], None
        row |= {"fine_tuned_model": made["model"]["id"], "results": made["file"]}
        happened(row, now, f"Uploaded model: {made['model']['id']}")
        happened(row, now, f"Uploaded result file: {made['file']['id']}")
        self.move(row, "succeeded", now, "Fine-tune succeeded")

    def move(
        self, row: Row, status: str, now: int, message: str, *, level: str = "info"
    ) -> None:
        if not self.life.legal(row["status"], status):
            raise ValueError(f"expected no move from {row['status']!r} to {status!r}")
        row["status"] = status
        happened(row, now, message, level=level)

    def named(self, organization: str, row: Row, sizes: Sequence[int], now: int) -> Row:
        """What is going to be made."""
        base = row["model"].partition(":")[0]  # of a tuned one: its own
        model = {
            "id": unused(self.store, base, organization, row["suffix"], now),
            "base": base,
            "created": now,
            "bytes": sizes[0],
            "weights": self.ids.new("weights-"),  # names come again, weights do not
        }
        file = {
            "id": self.ids.new("file-"),
            "object": "file",
            "bytes": sizes[1],
            "created_at": now,
            "filename": RESULTS,
            "purpose": "fine-tune-results",
            "fault": None,
        }
        return {"model": model, "file": file}

    def make(self, organization: str, made: Row, blobs: Sequence[bytes]) -> None:
        for kind, blob in zip(("model", "file"), blobs, strict=True):
            self.store.keep(kind, organization, made[kind], cut(blob))

    def unmake(self, organization: str, made: Row) -> None:
        for kind in ("model", "file"):
            self.store.drop(kind, organization, made[kind]["id"])

    def _file(self, organization: str, file: Row | None) -> bytes:
        if file is None:
            return b""
        stored = self.store.get("file", organization, file["id"])
        return self._content(file["id"], stored)

    def _tuned(self, organization: str, model: str) -> bytes:
        if model in self.spec.models:
            return b""
        return self._content(model, self.store.get("model", organization, model))

    def _content(self, id: str, row: Row | None) -> bytes:
        """What was stored with an object; nothing where that has none."""
        if row is None:
            raise LookupError(f"{id} was deleted")
        return b"".join(self.store.read(id, row.get("bytes", 0)))


def happened(row: Row, now: int, message: str, *, level: str = "info") -> None:
    """Add an event, never before the last one."""
    row["updated_at"] = now = max(now, row["updated_at"])
    event = {"object": "fine-tune-event", "created_at": now}
    row["events"].append({**event, "level": level, "message": message})


def cut(content: bytes) -> Iterator[bytes]:
    """In pieces as the store takes them."""
    for start in range(0, len(content), PIECE):
        yield content[start : start + PIECE]


def unused(
    store: Store, base: str, organization: str, suffix: str | None, now: int
) -> str:
    """The name of a new tuned model of ``base``, of this second or a later one."""
    while store.get(
        "model", organization, name := _name(base, organization, suffix, now)
    ):
        now += 1
    return name


def _name(base: str, organization: str, suffix: str | None, now: int) -> str:
    """Of the suffix, what may stand in a path."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d-%H-%M-%S")
    own = re.sub(r"[^\w.-]", "-", suffix, flags=re.ASCII) if suffix else ""
    parts = (organization.removeprefix("org-"), *filter(None, [own]))
    return f"{base}:ft-{':'.join(parts)}-{stamp}"
