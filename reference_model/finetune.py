"""Teaches the model from examples of a prompt and its completion.

The same examples always give the same bytes: the seed is fixed, one thread computes,
and what is kept on the way holds all that the rest of the way depends on.

Letters: N examples computed at once, T their longest, K tokens of them that count.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

import torch
from safetensors.torch import load, save
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional

from reference_model.adam import Adam
from reference_model.adapter import Adapter
from reference_model.classification import Classes
from reference_model.hyper import Hyper
from reference_model.model import causal, load_model
from reference_model.tokenizer import Tokenizer, load_tokenizer

Example = tuple[str, str]
"""A prompt and its completion."""
Row = dict[str, float]
"""What is known after a step, by the name of its column."""

RATE = 0.1  # of learning, times the multiplier
FEW, FASTER = 100, 5  # steps below which learning is faster, and how much at most
WARM_UP = 0.1  # share of the steps
TOKENS = 2048  # computed at once, padding included
TOO_FAST = "expected a smaller learning_rate_multiplier"
COUNTED = ("step", "elapsed_tokens", "elapsed_examples")
SEEN = ("loss", "sequence_accuracy", "token_accuracy")


class Lesson(NamedTuple):
    """The tokens of an example behind an end of text."""

    tokens: tuple[int, ...]
    learned: int
    """How many of the last ones are the completion and its end."""


def lesson(tokenizer: Tokenizer, example: Example, window: int = 1024) -> Lesson:
    """Of an example that is too long, the end."""
    end = tokenizer.end_of_text
    prompt, completion = map(tokenizer.encode, example)
    tokens = (end, *prompt, *completion, end)[-window - 1 :]
    return Lesson(tokens, min(len(completion) + 1, window))


class _Seen(NamedTuple):
    """What the model made of lessons."""

    rows: Tensor  # (K) the lesson of each token
    learned: Tensor  # (K) whether it is of a completion
    losses: Tensor  # (K)
    right: Tensor  # (K) whether it was foreseen


@dataclass
class _Tally:
    """What was seen of the examples of a batch."""

    loss: float = 0.0
    wholes: list[bool] = field(default_factory=list)
    """Whether each completion was foreseen from its first token to its last."""
    tokens: list[bool] = field(default_factory=list)

    def add(self, seen: _Seen) -> None:
        rows, right = seen.rows[seen.learned], seen.right[seen.learned]
        wrong = torch.bincount(rows, weights=(~right).float())
        self.wholes += (wrong == 0).tolist()
        self.tokens += right.tolist()

    def row(self, kind: str) -> Row:
        shares = (sum(them) / len(them) for them in (self.wholes, self.tokens))
        values = zip(SEEN, (self.loss, *shares), strict=True)
        return {f"{kind}_{name}": value for name, value in values}


class Course:
    """The model's way through its examples."""

    def __init__(
        self,
        examples: Sequence[Example],
        validation: Sequence[Example] = (),
        *,
        hyper: Hyper,
        tuned: bytes | None = None,
        kept: bytes | None = None,
    ) -> None:
        """From the model on, or from a ``tuned`` one; or from where one was ``kept``.

        Raises ValueError where nothing can be learned so.
        """
        torch.set_num_threads(1)
        tokenizer = load_tokenizer()
        self.hyper = hyper.settled(len(examples))
        self._lessons = [lesson(tokenizer, example) for example in examples]
        self._validation = [lesson(tokenizer, example) for example in validation]
        self._trial = _trial(self.hyper, examples, validation, tokenizer)
        self._model = load_model().float()
        self._adapter = Adapter(self._model)
        if tuned is not None:
            self._adapter.load(tuned)
        self._flat = self._adapter.flat.requires_grad_()
        self._adam = Adam(len(self._flat))
        self._order = -1, list[int]()  # that of an epoch
        self.rows: list[Row] = []
        if kept is not None:
            self._go_on(kept)

    @property
    def per_epoch(self) -> int:
        """Steps that see each example once."""
        return -(-len(self._lessons) // (self.hyper.batch_size or 1))

    @property
    def steps(self) -> int:
        return self.hyper.n_epochs * self.per_epoch

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all that a row may hold, in order."""
        kinds = ("training", "validation") if self._validation else ("training",)
        seen = (f"{kind}_{name}" for kind in kinds for name in SEEN)
        measured = self._trial.classes.columns if self._trial else ()
        return (*COUNTED, *seen, *measured)

    def run(self) -> Iterator[bool]:
        """A moment to stop at, again and again; whether a step is complete.

        Raises ValueError where the numbers leave their range.
        """
        while len(self.rows) < self.steps:
            for row in self._step(len(self.rows)):
                if row is not None:
                    self.rows.append(row)
                yield row is not None

    def adapter(self) -> bytes:
        """What was learned so far. Raises ValueError where that is out of range."""
        if not self._flat.detach().half().isfinite().all():
            raise ValueError(TOO_FAST)
        return self._adapter.stored()

    def keep(self) -> bytes:
        """All that it takes to go on from here, where a step is complete."""
        rows = torch.frombuffer(
            bytearray(json.dumps(self.rows).encode()), dtype=torch.uint8
        )
        averages = {"mean": self._adam.mean, "square": self._adam.square}
        content: bytes = save({"flat": self._flat.data, "rows": rows, **averages})
        return content

    def _go_on(self, kept: bytes) -> None:
        state = load(kept)
        self._flat.data = state["flat"]
        self.rows = json.loads(bytes(state["rows"].tolist()))
        self._adam.mean, self._adam.square = state["mean"], state["square"]
        self._adam.count = len(self.rows)

    def _step(self, number: int) -> Iterator[Row | None]:
        """Moments to stop at, and at last the row of one step."""
        batch, tally = self._batch(number), _Tally()
        weight = sum(map(self._weight, batch))
        self._flat.grad = None
        for part in parts(batch):
            loss = self._loss(part, tally) / weight
            loss.backward()  # type: ignore[no-untyped-call]
            tally.loss += loss.item()
            yield None
        if not math.isfinite(tally.loss):
            raise ValueError(TOO_FAST)
        assert self._flat.grad is not None
        self._adam.step(self._flat.data, self._flat.grad, self._rate(number))
        row = self._counted(batch) | tally.row("training")
        if self._validation and (number + 1) % self.per_epoch == 0:
            yield from self._validated(row)
        yield row

    def _batch(self, number: int) -> list[Lesson]:
        """Each epoch has an order of its own."""
        epoch, place = divmod(number, self.per_epoch)
        size = self.hyper.batch_size or 1
        if self._order[0] != epoch:
            places = list(range(len(self._lessons)))
            Random(epoch).shuffle(places)
            self._order = epoch, places
        chosen = self._order[1][place * size : (place + 1) * size]
        return [self._lessons[place] for place in chosen]

    def _rate(self, number: int) -> float:
        """Warm up, then fall along a line; the fewer the steps, the longer they are."""
        pace = min((number + 1) / (WARM_UP * self.steps), 1 - number / self.steps, 1.0)
        stride = min(max(1.0, math.sqrt(FEW / self.steps)), FASTER)
        return RATE * (self.hyper.learning_rate_multiplier or 0.0) * stride * pace

    def _counted(self, batch: Sequence[Lesson]) -> Row:
        before = self.rows[-1] if self.rows else dict.fromkeys(COUNTED, 0)
        tokens = sum(len(one.tokens) - 1 for one in batch)
        grown = zip(COUNTED, (1, tokens, len(batch)), strict=True)
        return {name: before[name] + more for name, more in grown}

    @torch.no_grad()
    def _validated(self, row: Row) -> Iterator[None]:
        """Moments to stop at, while the validation data are put into ``row``."""
        tally = _Tally()
        weight = sum(map(self._weight, self._validation))
        for part in parts(self._validation):
            tally.loss += self._loss(part, tally).item() / weight
            yield None
        row |= tally.row("validation")
        if self._trial is None:
            return
        found: list[float] = []
        for part in parts(self._trial.lessons):
            seen = self._seen(part)
            losses = seen.losses * seen.learned
            found += (-torch.bincount(seen.rows, weights=losses)).tolist()
            yield None
        row |= self._trial.scores(found)

    def _weight(self, one: Lesson) -> float:
        """How much an example counts."""
        asked = len(one.tokens) - 1 - one.learned
        return one.learned + self.hyper.prompt_loss_weight * asked

    def _loss(self, part: Sequence[Lesson], tally: _Tally) -> Tensor:
        """The weighted sum over all tokens of some lessons."""
        seen = self._seen(part)
        tally.add(seen)
        weights = torch.where(seen.learned, 1.0, self.hyper.prompt_loss_weight)
        return seen.losses @ weights

    def _seen(self, part: Sequence[Lesson]) -> _Seen:
        longest = max(len(one.tokens) for one in part) - 1
        tokens = torch.zeros(len(part), longest + 1, dtype=torch.long)  # (N, T + 1)
        kinds = torch.zeros(len(part), longest, dtype=torch.long)  # (N, T)
        for row, (ids, learned) in enumerate(part):
            tokens[row, : len(ids)] = torch.tensor(ids)
            kinds[row, : len(ids) - 1] = 1
            kinds[row, len(ids) - 1 - learned : len(ids) - 1] = 2
        rows, places = kinds.nonzero(as_tuple=True)
        asked = (tokens[:, :-1], torch.arange(longest), causal)
        states = functional_call(self._model, self._weights(), asked)  # (N, T, C)
        logits = self._model.logits(states[rows, places])  # (K, V)
        wanted = tokens[rows, places + 1]
        losses = functional.cross_entropy(logits, wanted, reduction="none")
        right = logits.argmax(-1) == wanted
        return _Seen(rows, kinds[rows, places] == 2, losses, right)

    def _weights(self) -> dict[str, Tensor]:
        """The matrices of the layers, changed."""
        changes = self._adapter.changes()
        return {
            f"{name}.weight": self._model.get_parameter(f"{name}.weight") + change
            for name, change in changes.items()
        }


class _Trial(NamedTuple):
    """Every class as the completion of each prompt of the validation data."""

    classes: Classes
    truth: list[str]
    lessons: list[Lesson]

    def scores(self, found: Sequence[float]) -> Row:
        """The measures, where each lesson was found so likely (a logarithm)."""
        rows = torch.tensor(found).view(len(self.truth), len(self.classes.names))
        return self.classes.scores(self.truth, rows.softmax(-1).tolist())


def _trial(
    hyper: Hyper,
    examples: Sequence[Example],
    validation: Sequence[Example],
    tokenizer: Tokenizer,
) -> _Trial | None:
    classes = hyper.classes([completion for _, completion in (*examples, *validation)])
    if classes is None:
        return None
    pairs = ((prompt, name) for prompt, _ in validation for name in classes.names)
    lessons = [lesson(tokenizer, pair) for pair in pairs]
    return _Trial(classes, [completion for _, completion in validation], lessons)


def parts(lessons: Sequence[Lesson]) -> Iterator[Sequence[Lesson]]:
    """As many one behind the other as are computed at once."""
    part: list[Lesson] = []
    longest = 0
    for one in lessons:
        longest = max(longest, len(one.tokens))
        if part and (len(part) + 1) * longest > TOKENS:
            yield part
            part, longest = [], len(one.tokens)
        part.append(one)
    yield part
