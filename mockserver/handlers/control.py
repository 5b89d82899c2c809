"""The control page: what no plain call can show."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass

from mockserver.context import Context
from mockserver.handlers.models import described
from mockserver.records import Member, Organization, Policy
from mockserver.registry import handles
from mockserver.reply import Reply
from mockserver.tuning import unused


@dataclass(frozen=True)
class AddModel:
    """A base model and what to add to its name."""

    base: str
    suffix: str | None


@dataclass(frozen=True)
class AddKey:
    """The organisations and the role of a new key, and whether it is one that pays."""

    organizations: Sequence[str]
    role: str
    tier: str = "paying"


@dataclass(frozen=True)
class SetScript:
    """What the next choices sample, and how slowly."""

    tokens: Sequence[Sequence[int]] | None
    texts: Sequence[str] | None
    delay: float | None


@dataclass(frozen=True)
class SetLimits:
    """New limits of the caller's organisation."""

    requests: int | None
    tokens: int | None
    quota: int | None
    user_requests: int | None
    file_weight: int | None


@dataclass(frozen=True)
class SetPolicy:
    """New bounds of what the caller's organisation may ask and generate."""

    blocked: Sequence[str] | None
    prompt_tokens: int | None
    completion_tokens: int | None
    zero_retention: bool | None


@dataclass(frozen=True)
class RevokeKey:
    """A key whose access ends."""

    key: str


@dataclass(frozen=True)
class SetFault:
    """The refusal that the next request meets, or the next stream after some events."""

    refusal: str
    after: int | None


@dataclass(frozen=True)
class MoveClock:
    """How far the clock moves."""

    seconds: int


@dataclass(frozen=True)
class ReadCounters:
    """Nothing to say."""


@handles("controlAddModel")
def add_model(request: AddModel, context: Context) -> Reply:
    base = context.model(request.base).id.partition(":")[0]  # of a tuned one: its own
    house, store = context.caller.organization.id, context.house.store
    name = unused(store, base, house, request.suffix, context.now)
    store.put("model", house, {"id": name, "base": base, "created": context.now})
    return Reply(described(context.model(name), context))


@handles("controlAddKey")
def add_key(request: AddKey, context: Context) -> Reply:
    key = context.house.ids.new("sk-", 48)
    member = Member(
        tuple(request.organizations), request.role, request.tier == "paying"
    )
    context.house.accounts.add(key, member)
    return Reply({"key": key})


@handles("controlScript")
def script(request: SetScript, context: Context) -> Reply:
    texts = [context.tokenizer.encode(text) for text in request.texts or ()]
    lists = [context.fold(tokens) for tokens in request.tokens or ()]
    end = context.tokenizer.end_of_text
    choices = [(*tokens, end) for tokens in (*lists, *texts)]
    context.house.accounts.script(context.caller, choices, request.delay or 0.0)
    return Reply({"scripted": [len(tokens) - 1 for tokens in choices]})


@handles("controlLimits")
def limits(request: SetLimits, context: Context) -> Reply:
    with _changed(context) as house:
        house.requests, house.tokens = request.requests, request.tokens
        house.quota, house.user_requests = request.quota, request.user_requests
        house.file_weight = request.file_weight or 1
    return Reply(asdict(request))


@handles("controlPolicy")
def policy(request: SetPolicy, context: Context) -> Reply:
    policy = Policy(
        tuple(request.blocked or ()),
        request.prompt_tokens,
        request.completion_tokens,
        bool(request.zero_retention),
    )
    with _changed(context) as house:
        house.policy = policy
    return Reply(asdict(policy))


@handles("controlRevokeKey")
def revoke_key(request: RevokeKey, context: Context) -> Reply:
    context.house.accounts.revoke(request.key)
    return Reply({"revoked": True})


@handles("controlFault")
def fault(request: SetFault, context: Context) -> Reply:
    context.house.accounts.fail_next(context.caller, request.refusal, request.after)
    return Reply({"refusal": request.refusal})


@handles("controlClock")
def clock(request: MoveClock, context: Context) -> Reply:
    with _changed(context) as house:
        house.moved += request.seconds
    clock = context.house.clock.later(house.moved)
    context.house.broom.sweep(clock.now(), house.id)
    return Reply({"now": clock.now(), "today": clock.today().isoformat()})


@handles("controlCounters")
def counters(request: ReadCounters, context: Context) -> Reply:
    house, accounts = context.caller.organization, context.house.accounts
    seen, users = accounts.seen(context.caller, context.now), accounts.users(house.id)
    return Reply(
        {
            "organization": house.id,
            "usage": house.usage,
            "users": {user.name: user.tokens for user in users if user.tokens},
            "user_requests": {user.name: user.calls for user in users if user.calls},
            "models": dict(house.models),
            "rows": context.house.mind.rows,
            "prompt": {
                "tokens": seen.prompt,
                "suffix": seen.suffix,
                "end_of_text": context.tokenizer.end_of_text,
            },
        }
    )


def _changed(context: Context) -> AbstractContextManager[Organization]:
    """The caller's organisation, to be changed."""
    return context.house.accounts.changed(context.caller.organization.id)
