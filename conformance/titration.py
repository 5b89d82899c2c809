"""Titration: how far a parameter moves a logit, seen in which of two tokens is taken.

Large biases leave two tokens to choose from. At temperature 0 the second one is taken
as soon as what is added to its bias passes the distance of the two logits: the flip
point, found by bisection. A penalty on the first token moves that point by exactly what
it takes off. No log probabilities are needed.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING, Any

from conformance.dialect import PROMPTS, STORY, Dialect
from conformance.notebook import Span
from conformance.tokens import Token, remembered, tokens
from conformance.view import Absent

if TYPE_CHECKING:
    from conformance.target import Target

FINE, COARSE, WHOLE = 0.032, 0.5, 1.0
"""Widths of a flip point: for a figure, for a search, and with whole biases."""
LEVELS = (80, 40)
"""Biases that put two tokens before all others."""
REACH = 40.0
"""How far apart two logits may be."""
MOST = 100.0  # the largest bias
NEAR, BLUR = 0.02, 0.05
"""What a server's own arithmetic may blur, between like requests and between others."""
STEP = 2.0
"""How far from another flip point one is looked for first."""
FACTOR = 2
"""How much wider each look beside a wrong guess is than the last one."""
WIDENINGS = 3
MARGINS = (2.2, 1.0, 0.3)
FREQUENCY, PRESENCE = "frequency_penalty", "presence_penalty"
ARMS = {FREQUENCY: {PRESENCE: 2.0}, PRESENCE: {FREQUENCY: 2.0}}
"""A penalty, and the other one that keeps later tokens apart from earlier ones."""
ANYWHERE = Span(-10.0, 10.0)
PATIENCE = 500
"""Requests after which the best pair so far will do."""


class Missed(Absent):
    """The second token is taken before the position that is looked at."""


class Unmoved(Absent):
    """No bias that may be sent makes a choice flip."""


@dataclass(frozen=True)
class Balance:
    """Two tokens of which alone one can be sampled, after a prompt."""

    target: "Target"
    dialect: Dialect
    first: Token
    second: Token
    prompt: Any = STORY
    level: float = LEVELS[0]
    """The bias of the first token."""
    whole: bool = False
    """Whether biases are whole numbers."""
    zero: Span = ANYWHERE
    """The flip point of the first position, once it is known."""
    margin: float = 0.0
    """How far below it that of the second position lies at least."""
    deep: bool = False
    """Whether that of the third position lies below both."""

    @property
    def width(self) -> float:
        return WHOLE if self.whole else FINE

    @property
    def worth(self) -> tuple[bool, float]:
        """What pairs are ranked by."""
        return self.deep, self.margin

    @property
    def asked(self) -> int:
        """How many requests the check has made so far."""
        return len(self.target.tape.exchanges)

    def logits(self, added: float) -> Span:
        """How far the second token stands above the first at the first position."""
        return Span(added - self.zero.high - BLUR, added - self.zero.low + BLUR)

    def body(self, added: float, **changes: Any) -> dict[str, Any]:
        """What is asked where ``added`` is on the second token's side."""
        pair = {self.first.id: self.level, self.second.id: self.level + added}
        bias = {str(id): _plain(value) for id, value in pair.items()}
        return {"logit_bias": bias, **changes}

    def lead(self, place: int, added: float, **changes: Any) -> int:
        """How many times the first token comes before the second, up to ``place``.

        Raises Absent where anything else comes.
        """
        asked = self.body(added, max_tokens=place + 1, temperature=0, **changes)
        text = self.dialect.say(self.target, self.prompt, **asked)
        count = 0
        while text.startswith(self.first.text, count * len(self.first.text)):
            count += 1
        rest = text[count * len(self.first.text) :]
        if count <= place and not rest.startswith(self.second.text):
            raise Absent("choice between two tokens alone")
        return count

    def second_taken(self, text: str) -> bool:
        """Whether a text of one token is the second; raises Absent for another one."""
        if text not in (self.first.text, self.second.text):
            raise Absent("choice between two tokens alone")
        return text == self.second.text

    def flip(
        self,
        place: int,
        guess: Span | None = None,
        width: float | None = None,
        **changes: Any,
    ) -> Span:
        """Where the token at ``place`` flips after the first one was taken so often.

        Raises Absent where it does not repeat itself; as Unmoved, where it does not
        flip within reach; as Missed, where the second token comes sooner.
        """
        width = max(width or 0, self.width)
        found = guess or self.zero
        lead = partial(self._lead_within, place, changes)
        for _ in range(WIDENINGS):
            search = Search(lead, place, self.grid)
            step = width if guess else STEP
            found = search.bisected(search.bracketed(found, step), width)
            search.reached(found)
            if self.target.deterministic or Search(lead, place).agrees(found):
                return found
            found = Span(found.low - width, found.high + width)
            width *= FACTOR
        raise Absent("flip point that repeats itself")

    def run(self, least: int, most: int, **changes: Any) -> tuple[float | None, int]:
        """A bias at which the first token comes ``least`` to ``most`` times, and these.

        None where no bias does: and how often it comes at most, if not without end;
        0 where it never comes without end.
        """
        low, high, longest, endless = -REACH, self.zero.high, 0, False
        while high - low > (WHOLE if self.whole else BLUR):
            middle = self.grid((low + high) / 2, -1)
            lead = self.lead(most, middle, **changes)
            if least <= lead <= most:
                return middle, lead
            if lead > most:
                low, endless = middle, True
            else:
                high, longest = middle, max(longest, lead)
        return None, longest if endless else 0

    def _lead_within(self, place: int, changes: Mapping[str, Any], added: float) -> int:
        """The lead; raises Unmoved where no such bias may be sent."""
        if abs(added) > REACH or self.level + added > MOST:
            raise Unmoved(f"flip point within {REACH:g}")
        return self.lead(place, added, **changes)

    def grid(self, added: float, way: int) -> float:
        """The next number that may be sent, downwards or upwards."""
        if not self.whole:
            return added
        floor = added // 1
        return floor if way < 0 or floor == added else floor + 1


def _anything(value: float, way: int) -> float:
    """The grid of what may be sent with any digits."""
    return value


@dataclass
class Search:
    """A search for the value at which one token flips, which asks nothing twice."""

    lead: Callable[[float], int]
    """How many times the first token comes before the second, at a value."""
    place: int
    """Where the token stands that is to flip."""
    grid: Callable[[float, int], float] = _anything
    """The next value that may be sent, downwards (-1) or upwards (1)."""
    leads: dict[float, int] = field(default_factory=dict)

    def over(self, value: float) -> bool:
        """Whether the second token is taken at the place, or before it."""
        if value not in self.leads:
            self.leads[value] = self.lead(value)
        return self.leads[value] <= self.place

    def bracketed(self, guess: Span, step: float) -> Span:
        """Ends of which the lower is below the flip point and the upper above."""
        low, high = self.grid(guess.low, -1), self.grid(guess.high, 1)
        while self.over(low):
            low, high, step = self.grid(low - step, -1), low, step * FACTOR
        while not self.over(high):
            low, high, step = high, self.grid(high + step, 1), step * FACTOR
        return Span(low, high)

    def bisected(self, span: Span, width: float) -> Span:
        """The part of ``span``, about ``width`` wide, that has the flip point."""
        low, high = span.ends
        while high - low > width * 1.001:
            middle = self.grid((low + high) / 2, -1)
            low, high = (low, middle) if self.over(middle) else (middle, high)
        return Span(low, high)

    def reached(self, span: Span) -> None:
        """Raises Missed where it is an earlier token that flips."""
        if self.leads[span.high] < self.place:
            raise Missed(f"flip point of position {self.place} before all others")

    def agrees(self, span: Span) -> bool:
        """Whether both ends are what another search found."""
        return self.over(span.high) and not self.over(span.low)


def balance(target: "Target", dialect: Dialect) -> Balance:
    """Two tokens and a prompt on which penalties can be measured.

    Raises Absent where no pair has flip points that can be told apart.
    """
    name = f"balance of {dialect.resource}"
    known = remembered(target, name, _balance, dialect)
    return replace(known, target=target)  # whose tape is another


def _balance(target: "Target", dialect: Dialect) -> Balance:
    best: Balance | None = None
    for candidate in _candidates(target, dialect):
        if best is None or candidate.worth > best.worth:
            best = candidate
        if best.worth == (True, MARGINS[0]) or best.asked > PATIENCE:
            break
    if best is None:
        raise Absent("pair of tokens whose choice follows the bias")
    best = replace(best, zero=best.flip(0, best.zero))
    return replace(best, whole=best.whole or _truncated(best))


def _candidates(target: "Target", dialect: Dialect) -> Iterator[Balance]:
    """Pairs whose first flip point is known, and how far below the second one lies.

    Their order hangs on the run's seed.
    """
    pairs = list(permutations(tokens(target, dialect, 4), 2))
    random.Random(target.seed).shuffle(pairs)
    whole = _whole(Balance(target, dialect, *pairs[0]))
    for level in LEVELS:
        for prompt in PROMPTS:
            for first, second in pairs:
                one = Balance(target, dialect, first, second, prompt, level, whole)
                try:
                    one = replace(one, zero=one.flip(0, ANYWHERE, COARSE))
                    one = replace(one, margin=_margin(one))
                except Absent:
                    continue
                yield replace(one, deep=one.margin > 0 and _deep(one))


def _margin(one: Balance) -> float:
    """How far the second flip point lies below the first; raises Missed above it."""
    for margin in MARGINS:
        if one.lead(1, one.grid(one.zero.low - margin, -1)) == 1:
            return margin
    if one.lead(1, one.grid(one.zero.low - MARGINS[-1], -1), **ARMS[FREQUENCY]) == 1:
        return 0.0
    raise Missed("second flip point below the first")


def _deep(one: Balance) -> bool:
    """Whether the third token flips before the second, which flips before the first."""
    try:
        second = one.flip(1, width=COARSE)
        return one.lead(2, one.grid(second.low - MARGINS[-1], -1)) == 2
    except Absent:
        return False


def _whole(one: Balance) -> bool:
    """Whether a bias that is no whole number is refused."""
    asked = one.body(0.5, max_tokens=1, temperature=0)
    return one.dialect.ask(one.target, one.prompt, **asked).refused


def _truncated(one: Balance) -> bool:
    """Whether biases are cut to whole numbers: then both must be moved by one."""
    moved = replace(one, level=one.level + 0.37)
    try:
        return any(
            (moved.lead(0, added) == 0) != over
            for added, over in ((one.zero.low, False), (one.zero.high, True))
        )
    except Absent:
        return True


def _plain(value: float) -> float:
    """A whole number without a point, and no more digits than a server reads."""
    return int(value) if value == int(value) else round(value, 6)
