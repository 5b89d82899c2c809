"""One worker computes the next token of all texts under way, and hands them out."""

import atexit
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from threading import Condition, Lock, Thread
from weakref import WeakSet

import torch
from torch import Tensor

from reference_model.cache import Cache
from reference_model.decoder import Decoder
from reference_model.grammar import Guide, started
from reference_model.job import Job, Step
from reference_model.memo import Memo
from reference_model.model import Llama, causal, load_model
from reference_model.reply import Handover, Reply
from reference_model.sampling import (
    LEAST_LOGPROB,
    at_quantile,
    bias,
    logprobs,
    normaliser,
    nucleus,
    penalty_of_reference,
    probabilities,
    temperature,
    uniform,
)
from reference_model.tokenizer import load_tokenizer

__all__ = ["Engine", "Job", "Reply", "Step", "load_engine"]

_PREFILL = 256  # prompt tokens begun between two steps, if several prompts wait
_HANDOVERS = 800  # a second, to all readers together: each wakes a thread
_PAUSE = 0.005  # seconds between two to one reader, at least


@dataclass(eq=False)
class _Row:
    """A job under way; its place in the list of rows is its row in the cache."""

    job: Job
    handover: Handover
    guide: Guide | None = None
    steps: list[Step] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    handed: int = 0  # how many steps the reader has
    handed_at: float = 0.0

    def adjusted(self, logits: Tensor) -> Tensor:
        """Bias, then penalties, then the mask; (V)."""
        job = self.job
        biased = bias(logits, dict(job.sampling.logit_bias))
        penalised = job.penalty(biased, job.prompt, self.tokens, job.sampling)
        return self.guide.masked(penalised) if self.guide else penalised

    def adjusts(self) -> bool:
        sampling = self.job.sampling
        return bool(
            sampling.logit_bias
            or sampling.frequency_penalty
            or sampling.presence_penalty
            or self.job.penalty is not penalty_of_reference
            or self.guide
        )

    def scripted(self, drawn: int) -> int:
        script = self.job.script
        return script[len(self.tokens)] if len(self.tokens) < len(script) else drawn

    def hand_over(self, now: float, pause: float) -> None:
        """Pass new steps on, if the last ones were not a moment ago."""
        if now - self.handed_at < pause:
            return
        self.handover.parcels.put((self.steps[self.handed :], False, ""))
        self.handed, self.handed_at = len(self.steps), now


class Engine:
    """Continuous batching over ``rows`` texts, of which 1,024 tokens back are seen."""

    def __init__(self, model: Llama, end_of_text: int, rows: int = 32) -> None:
        torch.set_num_threads(1)
        self._model, self._end, self._capacity = model, end_of_text, rows
        self._decoder = Decoder(model)
        self._cache = Cache(model.shape, rows)
        self._rows: list[_Row] = []
        self._waiting: deque[_Row] = deque()
        self._news = Condition()  # guards _waiting and _failure
        self._failure = ""
        self._memo = Memo()
        self._scoring = Lock()
        self._worker = Thread(target=self._work, name="engine", daemon=True)
        self._worker.start()
        _AT_WORK.add(self)

    @property
    def rows_in_use(self) -> int:
        return len(self._rows)

    def submit(self, job: Job) -> Reply:
        """Begin at once; the steps are there as they are computed."""
        self._check(job)
        handover = Handover()
        remembered = self._memo.get(job) if job.max_tokens > 0 else ()
        guide = _guide(job) if remembered is None else None
        with self._news:
            if self._failure:
                raise RuntimeError(self._failure)
            if remembered is None:
                self._waiting.append(_Row(job, handover, guide))
                self._news.notify()
        if remembered is not None:
            handover.finish(remembered)
        return Reply(handover)

    def score(self, tokens: Sequence[int], top: int = 0) -> list[Step | None]:
        """How likely each token was after those before it; None for the first.

        Beyond the window each token is scored after at least half a window of others.
        """
        text, window = (self._end, *tokens), self._cache.window
        scored: list[Step] = []
        while len(scored) < len(tokens):
            start = max(0, len(scored) - window // 2)
            fresh = self._scored(text[start : start + window + 1], top)
            scored.extend(fresh[len(scored) - start :])
        return [None, *scored[1:]] if tokens else []

    def _check(self, job: Job) -> None:
        """A token that we do not have would end the worker."""
        named = (id for id, _ in job.sampling.logit_bias)
        for id in chain(job.prompt, job.script, named):
            if not 0 <= id < self._model.shape.vocab_size:
                raise ValueError(f"expected ids of the vocabulary, got {id!r}")

    def close(self) -> None:
        """End the worker; replies under way fail."""
        with self._news:
            self._failure = self._failure or "the engine is closed"
            self._news.notify()
        self._worker.join()

    @torch.inference_mode()
    def _scored(self, tokens: Sequence[int], top: int) -> list[Step]:
        """Steps of all tokens but the first."""
        ids = torch.tensor(tokens)
        with self._scoring:  # at most one core besides the worker's
            states = self._model(ids[:-1], torch.arange(len(tokens) - 1), causal)
            logits = self._logits(states)
            norm = normaliser(logits, probabilities(logits))
        return _steps(logits, norm, list(tokens[1:]), [top] * (len(tokens) - 1))

    def _work(self) -> None:
        try:
            with torch.inference_mode():
                while self._admitted():
                    self._step()
        except Exception as error:  # broad, since readers must never wait for the dead
            self._failure = f"the engine stopped: {error!r}"
        with self._news:
            unfinished = [*self._rows, *self._waiting]
            self._rows.clear()
            self._waiting.clear()
        for row in unfinished:
            row.handover.finish(failure=self._failure)

    def _admitted(self) -> bool:
        """Wait for work; False once there shall be none."""
        with self._news:
            self._news.wait_for(lambda: self._failure or self._waiting or self._rows)
            return not self._failure

    def _step(self) -> None:
        """One token further in every row, and the first one of new rows."""
        for place in reversed(range(len(self._rows))):
            if self._rows[place].handover.closed:
                self._free(place)
        states = []
        if self._rows:
            latest = [row.tokens[-1] for row in self._rows]
            states.append(self._cache.decode(self._decoder, latest))
        if fresh := self._fresh():
            prompts = [(self._end, *row.job.prompt) for row in fresh]
            seen = [prompt[-self._cache.window :] for prompt in prompts]
            self._rows.extend(fresh)
            states.append(self._cache.prefill(self._model, seen))
            for row, prompt in zip(fresh, seen, strict=True):
                if not row.job.remembered:
                    self._cache.forget(prompt)
        if states:
            self._extend(self._logits(torch.cat(states)))

    def _fresh(self) -> list[_Row]:
        """Waiting jobs for which there is room, but not too many prompt tokens."""
        fresh: list[_Row] = []
        size = 0
        with self._news:
            while self._waiting and len(self._rows) + len(fresh) < self._capacity:
                size += len(self._waiting[0].job.prompt)
                if fresh and size > _PREFILL:
                    break
                row = self._waiting.popleft()
                if not row.handover.closed:
                    fresh.append(row)
        return fresh

    def _logits(self, states: Tensor) -> Tensor:
        """In float32: what a batch changes is smaller than its last digit. (B, V)."""
        logits = self._model.logits(states).float()
        logits[..., self._end + 1 :] = LEAST_LOGPROB  # those are for prompts alone
        return logits

    def _extend(self, logits: Tensor) -> None:
        """Choose each row's token, hand it over, free the rows that are done."""
        for place, row in enumerate(self._rows):
            if row.adjusts():
                logits[place] = row.adjusted(logits[place])
        likely = probabilities(logits)
        norm = normaliser(logits, likely)
        drawn = _drawn(self._rows, logits, likely)
        tokens = [
            row.scripted(token) for row, token in zip(self._rows, drawn, strict=True)
        ]
        steps = _steps(logits, norm, tokens, [row.job.top for row in self._rows])
        now, pause = time.monotonic(), max(_PAUSE, len(steps) / _HANDOVERS)
        for place in reversed(range(len(steps))):
            if self._took(self._rows[place], steps[place]):
                self._free(place)
            else:
                self._rows[place].hand_over(now, pause)

    def _took(self, row: _Row, step: Step) -> bool:
        """Add the step to its row; True if the row is done."""
        if row.guide:
            row.guide.take(step.token)
            if row.guide.failure:
                row.handover.finish(failure=row.guide.failure)
                return True
        ended = row.job.stop_at_end and step.token == self._end
        if not ended:
            row.steps.append(step)
            row.tokens.append(step.token)
        if not ended and len(row.steps) < row.job.max_tokens:
            return False
        self._memo.put(row.job, tuple(row.steps))
        row.handover.finish(row.steps[row.handed :])
        return True

    def _free(self, place: int) -> None:
        """The last row takes the free place, here as in the cache."""
        last = self._rows.pop()
        if place < len(self._rows):
            self._rows[place] = last
        self._cache.drop(place)


_AT_WORK: WeakSet[Engine] = WeakSet()


@atexit.register
def _close_all() -> None:
    """A process that ends while a thread is amid torch's work aborts."""
    for engine in list(_AT_WORK):
        engine.close()


def _guide(job: Job) -> Guide | None:
    """Compiled here, by the caller's thread: the worker must not wait for it."""
    if job.grammar is None:
        return None
    guide = started(job.grammar)
    if not guide.fits(job.script):
        raise ValueError(f"expected a script of the grammar, got {job.script!r}")
    return guide


def _drawn(rows: Sequence[_Row], logits: Tensor, likely: Tensor) -> list[int]:
    """A token for each row; rows that sample alike do so together.

    ``likely``, the probabilities before temperature and nucleus, is used up.
    """
    alike: dict[tuple[float, float], list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        alike[row.job.sampling.temperature, row.job.sampling.top_p].append(place)
    quantiles = torch.tensor(
        [uniform(row.job.seed, len(row.tokens)) for row in rows], dtype=torch.float64
    )
    drawn = torch.empty(len(rows), dtype=torch.long)
    for (heat, top_p), places in alike.items():
        ids = torch.tensor(places)
        some = logits if len(alike) == 1 else logits[ids]
        if heat == 1 and top_p >= 1:
            shares = likely if len(alike) == 1 else likely[ids]
        else:
            shares = probabilities(nucleus(temperature(some, heat), top_p))
        drawn[ids] = at_quantile(shares.cumsum_(-1), quantiles[ids])
    chosen: list[int] = drawn.tolist()
    return chosen


def _steps(
    logits: Tensor, norm: Tensor, tokens: Sequence[int], tops: Sequence[int]
) -> list[Step]:
    """Log probabilities, of as many alternatives as asked for too; (B, V), (B, 1)."""
    ids = torch.tensor(tokens).unsqueeze(-1)
    own = logprobs(logits.gather(-1, ids), norm).squeeze(-1).tolist()
    best: dict[int, tuple[tuple[int, float], ...]] = defaultdict(tuple)
    for count in {*tops} - {0}:
        places = [place for place, top in enumerate(tops) if top == count]
        some = torch.tensor(places)
        values, ranked = logits[some].topk(min(count, logits.shape[-1]))
        values = logprobs(values, norm[some])
        for place, *pair in zip(places, ranked.tolist(), values.tolist(), strict=True):
            best[place] = tuple(zip(*pair, strict=True))
    return [
        Step(token, logprob, best[place])
        for place, (token, logprob) in enumerate(zip(tokens, own, strict=True))
    ]


@cache
def load_engine(rows: int = 32) -> Engine:
    return Engine(load_model(), load_tokenizer().end_of_text, rows)
