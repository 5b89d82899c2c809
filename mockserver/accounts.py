"""Keys, the organisations behind them, what they used and what they may."""

import time
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from threading import Lock

from mockserver.reply import Refuse
from spec import Refusal, Spec

WINDOW = 60  # seconds that a rate limit looks back
REQUESTS_PER_MINUTE = 3500  # told in the headers where no limit is set


@dataclass(frozen=True)
class Policy:
    """What an operator lets an organisation ask and generate; None is no limit."""

    blocked: tuple[str, ...] = ()
    """Terms that no generated text holds."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    def capped(self, tokens: int) -> int:
        """How many tokens a text may have that asks for so many."""
        most = self.completion_tokens
        return tokens if most is None else min(tokens, most)


@dataclass
class Organization:
    """What one organisation used, and the limits that were set for it."""

    id: str
    usage: Counter[str] = field(default_factory=Counter)
    users: Counter[str] = field(default_factory=Counter)
    """Tokens by end user."""
    user_calls: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
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
    calls: deque[float] = field(default_factory=deque)
    spent: deque[tuple[float, int]] = field(default_factory=deque)
    recent_of: defaultdict[str, deque[float]] = field(
        default_factory=lambda: defaultdict(deque)
    )
    """When each end user called in this window."""

    @property
    def total(self) -> int:
        """All tokens that were counted."""
        return self.usage["prompt_tokens"] + self.usage["completion_tokens"]

    def recent(self) -> int:
        """Tokens that were counted in this window."""
        return sum(count for _, count in self.spent)

    def left(self) -> int:
        """Requests left in this window."""
        limit = REQUESTS_PER_MINUTE if self.requests is None else self.requests
        return max(0, limit - len(self.calls))


@dataclass(frozen=True)
class Bill:
    """The tokens of one answer, for which end user, and the snapshot that gave it."""

    prompt: int
    completion: int
    user: str | None
    model: str | None

    @property
    def total(self) -> int:
        return self.prompt + self.completion


@dataclass(frozen=True)
class Member:
    """What is known of a key: its organisations, its role, and whether it pays."""

    organizations: tuple[str, ...] = ("org-assay",)
    role: str = "owner"
    pays: bool = True


@dataclass(frozen=True)
class Caller:
    """Who sends a request: a key, its role, and the organisation it counts against."""

    key: str
    role: str
    organization: Organization
    pays: bool = True


class Accounts:
    """The keys that are known; with none given, any key is a member of one house."""

    def __init__(self, spec: Spec, keys: tuple[str, ...] = ()) -> None:
        self._refusals: dict[str, Refusal] = dict(spec.refusals)
        self._open = not keys
        self._members: dict[str, Member] = dict.fromkeys(keys, Member())
        self._organizations: dict[str, Organization] = {}
        self._revoked: set[str] = set()
        self._faults: dict[str, str] = {}
        self._breaks: dict[str, tuple[str, int]] = {}
        self._lock = Lock()

    def caller(self, authorization: str | None, organization: str | None) -> Caller:
        """Who is calling. Raises Refuse where key or organisation is not known."""
        scheme, _, key = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise Refuse(self._refusals["missing-key"])
        return self._member(key.strip(), organization)

    def anyone(self) -> Caller:
        """The caller that a server without authentication would see."""
        return Caller("", "owner", self.organization("org-assay"))

    def organization(self, id: str) -> Organization:
        with self._lock:
            return self._organizations.setdefault(id, Organization(id))

    def add(self, key: str, member: Member) -> None:
        """Make ``key`` known."""
        self._members[key] = member

    def revoke(self, key: str) -> None:
        """End the access of ``key``, known or not."""
        self._revoked.add(key)

    def fail_next(self, caller: Caller, refusal: str, after: int | None = None) -> None:
        """Make the caller's next request meet ``refusal``.

        With ``after`` it is the next stream that meets it, behind so many events.
        """
        if after is None:
            self._faults[caller.key] = refusal
        else:
            self._breaks[caller.key] = (refusal, after)

    def break_of(self, caller: Caller) -> tuple[Refusal, int] | None:
        """What the stream that now begins will meet, and behind how many events."""
        refusal, after = self._breaks.pop(caller.key, (None, 0))
        return None if refusal is None else (self._refusals[refusal], after)

    def admit(self, caller: Caller) -> None:
        """Count one request. Raises Refuse where a limit or a fault is in its way."""
        fault = self._faults.pop(caller.key, None)
        if fault is not None:
            raise Refuse(self._refusals[fault])
        with self._lock:
            self._enter(caller.organization)

    def charge(self, caller: Caller, user: str | None) -> None:
        """Let one request in that costs something.

        Raises Refuse where the quota is used up, or the end user's limit is reached.
        """
        house = caller.organization
        with self._lock:
            if house.quota is not None and house.total >= house.quota:
                raise Refuse(self._refusals["quota"])
            if user is not None:
                self._enter_user(house, user)

    def spend(self, caller: Caller, bill: Bill) -> None:
        """Count the tokens of one answer."""
        with self._lock:
            house = caller.organization
            house.usage.update(
                prompt_tokens=bill.prompt, completion_tokens=bill.completion
            )
            house.spent.append((time.monotonic(), bill.total))
            if bill.user is not None:
                house.users[bill.user] += bill.total
            if bill.model is not None:
                house.models[bill.model] += bill.total

    def _member(self, key: str, asked: str | None) -> Caller:
        known = self._members.get(key)
        if key in self._revoked or (known is None and not self._open):
            raise Refuse(self._refusals["wrong-key"].worded(key=masked(key)))
        member = known or Member()
        if asked and asked not in member.organizations:
            raise Refuse(
                self._refusals["wrong-organization"].worded(organization=asked[:64])
            )
        house = self.organization(asked or member.organizations[0])
        return Caller(key, member.role, house, member.pays)

    def _enter(self, house: Organization) -> None:
        since = time.monotonic() - WINDOW
        while house.calls and house.calls[0] < since:
            house.calls.popleft()
        while house.spent and house.spent[0][0] < since:
            house.spent.popleft()
        if house.requests is not None and len(house.calls) >= house.requests:
            raise Refuse(self._refusals["request-rate"].worded(limit=house.requests))
        if house.tokens is not None and house.recent() >= house.tokens:
            raise Refuse(self._refusals["token-rate"].worded(limit=house.tokens))
        house.calls.append(time.monotonic())

    def _enter_user(self, house: Organization, user: str) -> None:
        recent, now = house.recent_of[user], time.monotonic()
        while recent and recent[0] < now - WINDOW:
            recent.popleft()
        limit = house.user_requests
        if limit is not None and len(recent) >= limit:
            raise Refuse(self._refusals["request-rate"].worded(limit=limit))
        recent.append(now)
        house.user_calls[user] += 1


def masked(key: str) -> str:
    """A key with its middle starred out: first eight, last four."""
    if len(key) <= 12:
        return "*" * len(key)
    return key[:8] + "*" * (len(key) - 12) + key[-4:]
