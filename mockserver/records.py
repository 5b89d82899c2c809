"""What is known of organisations, keys and end users, in words of JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

WINDOW = 60  # seconds that a rate limit looks back
REQUESTS_PER_MINUTE = 3500  # told in the headers where no limit is set
T = TypeVar("T")


@dataclass
class Recent:
    """How much came lately, counted by the second."""

    counts: list[list[int]] = field(default_factory=list)
    """Seconds and what came in them, the oldest first."""

    @property
    def total(self) -> int:
        return sum(count for _, count in self.counts)

    def forget(self, now: int) -> None:
        """Drop what no limit looks back to."""
        while self.counts and self.counts[0][0] < now - WINDOW:
            del self.counts[0]

    def add(self, now: int, count: int = 1) -> None:
        if self.counts and self.counts[-1][0] >= now:
            self.counts[-1][1] += count
        else:
            self.counts.append([now, count])


@dataclass(frozen=True)
class Policy:
    """What an operator lets an organisation ask and generate; None is no limit."""

    blocked: Sequence[str] = ()
    """Terms that no generated text holds."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    zero_retention: bool = False
    """Whether nothing is kept of what may go unkept."""

    def capped(self, tokens: int) -> int:
        """How many tokens a text may have that asks for so many."""
        most = self.completion_tokens
        return tokens if most is None else min(tokens, most)


@dataclass
class Organization:
    """What one organisation used, and the limits that were set for it."""

    id: str = ""
    usage: dict[str, int] = field(
        default_factory=lambda: {"prompt_tokens": 0, "completion_tokens": 0}
    )
    models: dict[str, int] = field(default_factory=dict)
    """Tokens by the snapshot that answered."""
    moved: int = 0
    """Seconds by which its clock was moved forward."""
    requests: int | None = None
    tokens: int | None = None
    quota: int | None = None
    user_requests: int | None = None
    file_weight: int = 1
    """Times that each byte and each token of a file counts."""
    policy: Policy = Policy()
    calls: Recent = field(default_factory=Recent)
    spent: Recent = field(default_factory=Recent)

    def __post_init__(self) -> None:
        self.policy = of(Policy, self.policy)
        self.calls, self.spent = of(Recent, self.calls), of(Recent, self.spent)

    @property
    def total(self) -> int:
        """All tokens that were counted."""
        return sum(self.usage.values())

    def left(self) -> int:
        """Requests left in this window."""
        limit = REQUESTS_PER_MINUTE if self.requests is None else self.requests
        return max(0, limit - self.calls.total)


@dataclass
class User:
    """What one end user of an organisation used."""

    name: str = ""
    tokens: int = 0
    calls: int = 0
    recent: Recent = field(default_factory=Recent)

    def __post_init__(self) -> None:
        self.recent = of(Recent, self.recent)


@dataclass(frozen=True)
class Member:
    """What is known of a key: its organisations, its role, and whether it pays."""

    organizations: Sequence[str] = ("org-assay",)
    role: str = "owner"
    pays: bool = True


@dataclass
class Key:
    """What was said of a key since the server began, and what its next calls meet."""

    member: Member | None = None
    revoked: bool = False
    fault: str | None = None
    """The refusal of its next request."""
    broken: tuple[str, int] | None = None
    """The refusal of its next stream, and behind how many events."""
    script: list[Sequence[int]] = field(default_factory=list)
    """The tokens of its next choices."""
    delay: float = 0.0
    """Seconds before each token."""

    def __post_init__(self) -> None:
        self.member = None if self.member is None else of(Member, self.member)


@dataclass
class Seen:
    """What the model was last asked, for who may look at the counters."""

    prompt: Sequence[int] = ()
    suffix: Sequence[int] = ()
    until: int | None = None


def of(kind: type[T], told: T | Mapping[str, Any]) -> T:
    """``told``, which may still be as JSON holds it."""
    return kind(**told) if isinstance(told, Mapping) else told
