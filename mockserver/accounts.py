"""Keys, the organisations behind them, what they used and what they may."""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from mockserver.ledger import Ledger, OwnLedger
from mockserver.records import Key, Member, Organization, Seen, User
from mockserver.reply import Refuse
from mockserver.retention import Keeping
from spec import Refusal, Spec


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


@dataclass
class Caller:
    """Who sends a request, and what was last known of the organisation that pays."""

    key: str
    """The digest of the key: no record holds the key itself."""
    role: str
    organization: Organization
    pays: bool = True
    known: Key = field(default_factory=Key)


class Accounts:
    """The keys that are known; with none given, any key is a member of one house."""

    def __init__(
        self,
        spec: Spec,
        keys: Sequence[str] | Mapping[str, Member] = (),
        ledger: Ledger | None = None,
    ) -> None:
        self._refusals: dict[str, Refusal] = dict(spec.refusals)
        self._open = not keys
        members = keys if isinstance(keys, Mapping) else dict.fromkeys(keys, Member())
        self._members = {digest(key): member for key, member in members.items()}
        self._ledger = ledger or OwnLedger()
        self._memory = OwnLedger()
        """What is never to be stored."""

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
        """What is known of an organisation now."""
        house = self._ledger.read(Organization, id)
        house.id = id
        return house

    @contextmanager
    def changed(self, id: str) -> Iterator[Organization]:
        """An organisation, to be changed while nobody else does."""
        with self._ledger.held(Organization, id) as house:
            house.id = id
            yield house

    def add(self, key: str, member: Member) -> None:
        """Make ``key`` known."""
        with self._ledger.held(Key, digest(key)) as known:
            known.member = member

    def revoke(self, key: str) -> None:
        """End the access of ``key``, known or not."""
        with self._ledger.held(Key, digest(key)) as known:
            known.revoked = True

    def fail_next(self, caller: Caller, refusal: str, after: int | None = None) -> None:
        """Make the caller's next request meet ``refusal``.

        With ``after`` it is the next stream that meets it, behind so many events.
        """
        with self._ledger.held(Key, caller.key) as known:
            if after is None:
                known.fault = refusal
            else:
                known.broken = (refusal, after)

    def break_of(self, caller: Caller) -> tuple[Refusal, int] | None:
        """What the stream that now begins will meet, and behind how many events."""
        if caller.known.broken is None:
            return None
        with self._ledger.held(Key, caller.key) as known:
            broken, known.broken = known.broken, None
        return broken and (self._refusals[broken[0]], broken[1])

    def script(
        self, caller: Caller, choices: Sequence[Sequence[int]], delay: float
    ) -> None:
        """Say what the caller's next choices sample, and how slowly."""
        with self._ledger.held(Key, caller.key) as known:
            known.script, known.delay = list(choices), delay

    def scripted(self, caller: Caller) -> tuple[int, ...]:
        """The tokens of the caller's next choice; none where it is to be drawn."""
        if not caller.known.script:
            return ()
        with self._ledger.held(Key, caller.key) as known:
            return tuple(known.script.pop(0)) if known.script else ()

    def admit(self, caller: Caller) -> None:
        """Count one request. Raises Refuse where a limit or a fault is in its way."""
        if caller.known.fault is not None:
            with self._ledger.held(Key, caller.key) as known:
                fault, known.fault = known.fault, None
            if fault is not None:
                raise Refuse(self._refusals[fault])
        with self.changed(caller.organization.id) as house:
            self._enter(house)
        caller.organization = house

    def charge(self, caller: Caller, user: str | None) -> None:
        """Let one request in that costs something.

        Raises Refuse where the quota is used up, or the end user's limit is reached.
        """
        house = caller.organization
        if house.quota is not None and house.total >= house.quota:
            raise Refuse(self._refusals["quota"])
        if user is not None:
            with self._ledger.held(User, house.id, digest(user)) as one:
                one.name = user
                self._enter_user(one, house.user_requests)

    def spend(self, caller: Caller, bill: Bill) -> None:
        """Count the tokens of one answer."""
        with self.changed(caller.organization.id) as house:
            house.usage["prompt_tokens"] += bill.prompt
            house.usage["completion_tokens"] += bill.completion
            house.spent.add(int(time.time()), bill.total)
            if bill.model is not None:
                before = house.models.get(bill.model, 0)
                house.models[bill.model] = before + bill.total
        if bill.user is not None:
            with self._ledger.held(User, house.id, digest(bill.user)) as one:
                one.name = bill.user
                one.tokens += bill.total

    def users(self, organization: str) -> list[User]:
        """The end users of an organisation."""
        return self._ledger.all(User, organization)

    def saw(self, caller: Caller, seen: Seen, keeping: Keeping) -> None:
        """Note what the model was asked, where that may be kept."""
        house, key = caller.organization.id, caller.key
        kept = seen if keeping is Keeping.STORED else Seen()
        self._ledger.put(kept, house, key)
        seen = seen if keeping is Keeping.MEMORY else Seen()
        self._memory.put(seen, house, key)

    def seen(self, caller: Caller, now: int) -> Seen:
        """What the model was last asked by the caller, if that is still kept."""
        for ledger in (self._memory, self._ledger):
            seen = ledger.read(Seen, caller.organization.id, caller.key)
            if seen.prompt or seen.suffix:
                return seen if seen.until is None or now < seen.until else Seen()
        return Seen()

    def expire(self, now: int, organization: str | None = None) -> None:
        """Throw away what has come to its end."""
        self._ledger.expire(now, organization)

    def _member(self, key: str, asked: str | None) -> Caller:
        name = digest(key)
        known = self._ledger.read(Key, name)
        member = known.member or self._members.get(name)
        if known.revoked or (member is None and not self._open):
            raise Refuse(self._refusals["wrong-key"].worded(key=masked(key)))
        member = member or Member()
        if asked and asked not in member.organizations:
            raise Refuse(
                self._refusals["wrong-organization"].worded(organization=asked[:64])
            )
        house = self.organization(asked or member.organizations[0])
        return Caller(name, member.role, house, member.pays, known)

    def _enter(self, house: Organization) -> None:
        now = int(time.time())
        house.calls.forget(now)
        house.spent.forget(now)
        if house.requests is not None and house.calls.total >= house.requests:
            raise Refuse(self._refusals["request-rate"].worded(limit=house.requests))
        if house.tokens is not None and house.spent.total >= house.tokens:
            raise Refuse(self._refusals["token-rate"].worded(limit=house.tokens))
        house.calls.add(now)

    def _enter_user(self, user: User, limit: int | None) -> None:
        now = int(time.time())
        user.recent.forget(now)
        if limit is not None and user.recent.total >= limit:
            raise Refuse(self._refusals["request-rate"].worded(limit=limit))
        user.recent.add(now)
        user.calls += 1


def digest(text: str) -> str:
    """A name of fixed length for a key or an end user."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def masked(key: str) -> str:
    """A key with its middle starred out: first eight, last four."""
    if len(key) <= 12:
        return "*" * len(key)
    return key[:8] + "*" * (len(key) - 12) + key[-4:]
