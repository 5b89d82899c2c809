"""The reference model, brought in when it is first needed."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock, Thread
from typing import TYPE_CHECKING
from weakref import WeakSet

from mockserver.workers import Workers
from reference_model.tokenizer import Tokenizer, load_tokenizer

if TYPE_CHECKING:
    from reference_model.engine import Engine, Job, Reply, Step

TUNED = 4  # models whose engines are held
ROWS = 8  # of the engine of a tuned model


@dataclass(frozen=True)
class Tuned:
    """A tuned model: an id, and what reads its adapter (LookupError: it is gone)."""

    id: str
    read: Callable[[], bytes]


class Mind:
    """Tokenizer, engine, embeddings and moderation; torch comes with the engine."""

    def __init__(self) -> None:
        self._loading = Lock()
        self._engine: Engine | None = None
        self._tuned = _Engines()
        self.workers = Workers()

    @cached_property
    def tokenizer(self) -> Tokenizer:
        return load_tokenizer()

    def warm(self) -> None:
        """Begin to import torch beside the server; who needs it first waits."""
        Thread(target=self._load, name="warm", daemon=True).start()

    def wait(self) -> None:
        """Return when the engine is there."""
        self._load()

    def submit(self, job: "Job", tuned: Tuned | None = None) -> Iterator["Step"]:
        if tuned is None:
            return self._load().submit(job)
        return self._tuned.submit(tuned, job)

    def score(
        self, tokens: Sequence[int], top: int, tuned: Tuned | None = None
    ) -> list["Step | None"]:
        engine = self._load() if tuned is None else self._tuned.engine(tuned)
        return engine.score(tokens, top)

    @property
    def rows(self) -> int:
        """How many texts are under way."""
        return (self._engine.rows_in_use if self._engine else 0) + self._tuned.rows

    def _load(self) -> "Engine":
        with self._loading:
            if self._engine is None:
                from reference_model.engine import load_engine

                self._engine = load_engine()
            return self._engine


class _Engines:
    """Those of tuned models; the least recently used one is closed first."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, tuple[Engine, WeakSet[Reply]]] = OrderedDict()
        self._lock = Lock()

    @property
    def rows(self) -> int:
        return sum(engine.rows_in_use for engine, _ in list(self._open.values()))

    def submit(self, tuned: Tuned, job: "Job") -> "Reply":
        with self._lock:
            engine, replies = self._held(tuned)
            reply = engine.submit(job)
            replies.add(reply)
            return reply

    def engine(self, tuned: Tuned) -> "Engine":
        """One that scores, even after it was closed."""
        with self._lock:
            return self._held(tuned)[0]

    def _held(self, tuned: Tuned) -> "tuple[Engine, WeakSet[Reply]]":
        if tuned.id not in self._open:
            self._open[tuned.id] = _engine(tuned.read()), WeakSet()
        self._open.move_to_end(tuned.id)
        self._forget()
        return self._open[tuned.id]

    def _forget(self) -> None:
        """Close what is too many, but for engines that somebody still reads from."""
        for id, (engine, replies) in list(self._open.items())[:-1]:
            if len(self._open) > TUNED and not replies:
                engine.close()
                del self._open[id]


def _engine(adapter: bytes) -> "Engine":
    from reference_model.adapter import adapted
    from reference_model.engine import Engine
    from reference_model.model import load_model

    model = adapted(load_model(), adapter)
    return Engine(model, load_tokenizer().end_of_text, ROWS)
