"""What a handler gives: a whole reply, a stream of chunks, or a refusal."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from spec import Refusal


@dataclass(frozen=True)
class Reply:
    """A whole answer. ``model`` is told in a header where a model answered."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    model: str | None = None


@dataclass(frozen=True)
class Stream:
    """Chunks as they come; the edge frames them and says when they end."""

    chunks: Iterator[Any]
    model: str | None = None


class Refuse(Exception):  # noqa: N818 - the API says no; nothing has gone wrong
    """The API says no: carries the refusal to the edge."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
