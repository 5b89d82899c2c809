"""The reference model, brought in when it is first needed."""

import atexit
from collections.abc import Iterator, Sequence
from functools import cached_property
from threading import Lock, Thread
from typing import TYPE_CHECKING

from reference_model.tokenizer import Tokenizer, load_tokenizer

if TYPE_CHECKING:
    from reference_model.engine import Engine, Job, Step


class Mind:
    """Tokenizer, engine, embeddings and moderation; torch comes with the engine."""

    def __init__(self) -> None:
        self._loading = Lock()
        self._engine: Engine | None = None

    @cached_property
    def tokenizer(self) -> Tokenizer:
        return load_tokenizer()

    def warm(self) -> None:
        """Begin to import torch beside the server; who needs it first waits."""
        Thread(target=self._load, name="warm", daemon=True).start()

    def wait(self) -> None:
        """Return when the engine is there."""
        self._load()

    def submit(self, job: "Job") -> Iterator["Step"]:
        return self._load().submit(job)

    def score(self, tokens: Sequence[int], top: int) -> list["Step | None"]:
        return self._load().score(tokens, top)

    @property
    def rows(self) -> int:
        """How many texts are under way."""
        return self._engine.rows_in_use if self._engine else 0

    def _load(self) -> "Engine":
        with self._loading:
            if self._engine is None:
                from reference_model.engine import load_engine

                self._engine = load_engine()
                # a thread that Python's end meets inside torch aborts the process
                atexit.register(self._engine.close)
            return self._engine
