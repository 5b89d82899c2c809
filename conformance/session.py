"""From a URL to a target that is ready to be checked."""

import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from ipaddress import ip_address
from pathlib import Path

import httpx

from conformance.probe import probe
from conformance.registry import Check
from conformance.runner import find_out
from conformance.target import Claims, Target
from conformance.wire import Budget, BudgetSpent, Tape
from spec import Clause, Spec

COURTESY = {"requests": 2000, "tokens": 200_000, "seconds": 1800}
"""What a run may ask of a server on another machine, unless it is told otherwise."""

SENSES = ("audio", "images", "speech")
"""Resources of pictures and sounds, each of which takes longer than a text."""

Claimed = Callable[[Target], Claims]
"""How the claims of a server are learned."""


class Unreachable(Exception):  # noqa: N818  # the word of the house
    """The server cannot be judged at all."""


@dataclass(frozen=True)
class Server:
    """Where a server is and how it wants to be spoken to."""

    url: str
    key: str | None = None
    timeout: float = 30.0
    headers: Mapping[str, str] = field(default_factory=dict)
    ca: Path | None = None
    budget: Mapping[str, int] = field(default_factory=dict)


def opened(
    server: Server,
    spec: Spec,
    *,
    seed: int = 0,
    models: Mapping[str, str] | None = None,
    organization: str | None = None,
    command: str = "",
) -> Target:
    """The target, nothing asked yet; raises ValueError for an impossible URL."""
    url = base(server.url)
    limits = {} if local(url) else COURTESY
    budget = Budget(**{**limits, **server.budget})
    return Target(
        base_url=url,
        spec=spec,
        key=server.key,
        models=models or {},
        seed=seed,
        timeout=server.timeout,
        organization=organization,
        headers=server.headers,
        command=command,
        tape=Tape(transport(url, server.ca), budget),
    )


def base(url: str) -> str:
    """The URL without a last slash; it has to end in /v1."""
    trimmed = url.rstrip("/")
    try:
        parsed = httpx.URL(trimmed)
    except httpx.InvalidURL as error:
        raise ValueError(f"expected a URL, got {url!r}: {error}") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError(f"expected a URL such as http://host:8080/v1, got {url!r}")
    if parsed.userinfo:
        raise ValueError("expected no password in the URL; use --api-key or --header")
    if not parsed.path.endswith("/v1") or parsed.query or parsed.fragment:
        raise ValueError(f"expected a URL that ends in /v1, got {url!r}")
    return trimmed


def local(url: str) -> bool:
    """Whether the server is on this machine."""
    host = httpx.URL(url).host
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def transport(url: str, ca: Path | None) -> httpx.HTTPTransport:
    """The connections of a run."""
    if httpx.URL(url).scheme == "http":
        return httpx.HTTPTransport(verify=False, trust_env=False)
    if ca is None:
        return httpx.HTTPTransport(trust_env=False)
    try:
        return httpx.HTTPTransport(
            verify=ssl.create_default_context(cafile=str(ca)), trust_env=False
        )
    except OSError as error:
        raise ValueError(f"expected certificates in {ca}, got {error}") from None


def reach(target: Target) -> None:
    """Raises Unreachable where nothing answers, or where nothing would be served."""
    try:
        answer = target.get("/models")
    except httpx.LocalProtocolError as error:
        raise ValueError(f"expected headers that can be sent, got {error}") from None
    except httpx.HTTPError as error:
        raise Unreachable(f"{target.base_url} {unreached(error, target)}") from None
    except BudgetSpent as error:
        raise Unreachable(str(error)) from None
    if answer.status == 401:
        raise ValueError(
            f"{target.base_url} refused the key with 401; "
            "give one with --api-key or OPENAI_API_KEY"
        )


def unreached(error: httpx.HTTPError, target: Target) -> str:
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout():
            return f"did not take the connection: {error or 'no answer in time'}"
        case httpx.TimeoutException():
            return f"did not answer; it was given {target.timeout:g} seconds and more"
        case httpx.RemoteProtocolError():
            return f"did not answer in HTTP: {error}"
        case _:
            return f"could not be asked: {error}"


def prepared(target: Target, claimed_by: Claimed = probe) -> Target:
    """The target with its claims and models, and whether it repeats itself."""
    reach(target)
    try:
        claimed = replace(target, claims=claimed_by(target))
        if not claimed.claims.operations:
            raise Unreachable(f"{target.base_url} answers to no operation of the API")
        return find_out(claimed)
    except BudgetSpent as error:
        raise Unreachable(str(error)) from None


def selected(
    spec: Spec,
    checks: Mapping[str, Check],
    only: Iterable[str] = (),
    *,
    quick: bool = False,
) -> list[Clause]:
    """The clauses that are asked for, of those that ``checks`` can judge.

    What nothing can observe is told beside the checks of its resource. Raises
    ValueError where nothing is left.
    """
    judged = {spec.clauses[id].resource for id in checks if id in spec.clauses}
    chosen = [
        clause
        for clause in matching(spec, only)
        if clause.id in checks or (clause.unobservable and clause.resource in judged)
    ]
    if not chosen:
        raise ValueError(f"nothing is checked yet of {', '.join(only)}")
    left = [clause for clause in chosen if not (quick and _slow(clause, checks))]
    if not left:
        raise ValueError(f"all is slow that is checked of {', '.join(only)}")
    return left


def _slow(clause: Clause, checks: Mapping[str, Check]) -> bool:
    check = checks.get(clause.id)
    return clause.resource in SENSES or (check is not None and check.slow)


def matching(spec: Spec, only: Iterable[str] = ()) -> list[Clause]:
    """The clauses that a pattern fits; raises ValueError for one that fits none."""
    patterns = tuple(only)
    clauses = spec.clauses.values()
    for pattern in patterns:
        if not any(matches(clause, [pattern]) for clause in clauses):
            raise ValueError(f"expected a clause or a resource, got {pattern!r}")
    return [clause for clause in clauses if matches(clause, patterns)]


def matches(clause: Clause, patterns: Iterable[str]) -> bool:
    """Whether a pattern fits the id or names the resource; none fits all."""
    wanted = tuple(patterns)
    return not wanted or any(
        fnmatchcase(clause.id, pattern) or fnmatchcase(clause.resource, pattern)
        for pattern in wanted
    )
