"""Routes, keys, organisations and limits, for every operation."""

import secrets
from dataclasses import replace

import httpx

from conformance.answer import Answer
from conformance.control import apart, counters
from conformance.registry import Findings, check
from conformance.sweep import (
    GONE,
    asked,
    concerned,
    header,
    served,
    stranger,
    unsampled,
)
from conformance.target import Target
from conformance.view import Absent, View


@check("api.under-v1")
def under_v1(target: Target) -> Findings:
    for operation in concerned(target):
        answer = asked(target, operation)
        missing = GONE[1:] if unsampled(target, operation) else GONE
        if answer.status in missing:
            yield f"{operation.name} answered {answer.status}"


@check("api.only-under-v1")
def only_under_v1(target: Target) -> Findings:
    target.get("/models").served()
    above = replace(target, base_url=target.base_url.removesuffix("/v1"))
    answer = above.get("/models")
    if not answer.refused:
        yield f"/models without the prefix answered {answer.status}"


@check("api.key-required")
def key_required(target: Target) -> Findings:
    for operation in concerned(target):
        answer = asked(target, operation, key=None)
        if answer.status not in (401, *GONE):
            yield f"{operation.name} answered {answer.status} without a key"


@check("api.bearer-accepted")
def bearer_accepted(target: Target) -> Findings:
    answer = target.get("/models", key=target.key or stranger(target))
    if not served(answer):
        yield f"GET /models answered {answer.status} to a Bearer key"


@check("api.wrong-key-refused")
def wrong_key_refused(target: Target) -> Findings:
    answer = target.get("/models", key=stranger(target))
    if answer.status != 401:
        yield f"GET /models answered {answer.status} to a wrong key"


@check("api.wrong-key-code")
def wrong_key_code(target: Target) -> Findings:
    code = target.get("/models", key=stranger(target)).error["code"]
    if code != "invalid_api_key":
        yield f"the code was {code!r}"


@check("api.bearer-only")
def bearer_only(target: Target) -> Findings:
    if target.key is None:
        raise Absent("key to send under another scheme")
    target.get("/models").served()
    for scheme in ("Token ", ""):
        answer = target.get(
            "/models", headers={"Authorization": f"{scheme}{target.key}"}
        )
        if not answer.refused:
            name = f"the scheme {scheme.strip()}" if scheme else "no scheme"
            yield f"a key with {name} was answered {answer.status}"


@check("api.key-not-echoed")
def key_not_echoed(target: Target) -> Findings:
    for key in filter(None, (target.key, stranger(target))):
        answer = target.get("/models", key=key)
        if key in answer.text:
            yield f"the body of the {answer.status} held the whole key"
        for name, value in answer.headers.items():
            if key in value:
                yield f"the header {name} of the {answer.status} held the whole key"


@check("api.organization-accepted")
def organization_accepted(target: Target) -> Findings:
    """Where the key's organisation is not told, a made-up one may be accepted too."""
    told = target.get("/models").headers.get("openai-organization", "")
    house = target.organization or (told if told.startswith("org-") else None)
    named = {"OpenAI-Organization": house or foreign(target)}
    answer = target.get("/models", headers=named)
    if served(answer):
        return
    if house is None:
        raise Absent("openai-organization header that begins with org-")
    yield f"the key's own organisation was answered {answer.status}"


@check("api.organization-optional")
def organization_optional(target: Target) -> Findings:
    answer = target.get("/models", headers={"OpenAI-Organization": None})
    if not served(answer):
        yield f"a request that named no organisation was answered {answer.status}"


@check("api.organization-usage")
def organization_usage(target: Target) -> Findings:
    first, second = (f"org-check-{secrets.token_hex(6)}" for _ in range(2))
    made = target.post("/_assay/keys", organizations=[first, second]).json()
    own = replace(target, key=made["key"])
    named = own.call("createCompletion", headers={"OpenAI-Organization": second})
    used = named.json()["usage"]["total_tokens"]
    for house, expected in ((first, 0), (second, used)):
        counted = spent(own, house)
        if counted != expected:
            role = "the named" if house == second else "the other"
            yield f"{role} organisation counted {counted} tokens of {used}"


@check("api.organization-id")
def organization_id(target: Target) -> Findings:
    house = organization(target.get("/models"))
    if not house.startswith(("org-", "user-")):
        yield f"the openai-organization was {house!r}"


@check("api.foreign-organization-refused")
def foreign_organization_refused(target: Target) -> Findings:
    target.get("/models").served()
    organization(target.get("/models"))  # a server that names none knows none
    named = {"OpenAI-Organization": foreign(target)}
    answer = target.get("/models", headers=named)
    if answer.status != 401:
        yield f"a foreign organisation was answered {answer.status}"


@check("api.orphan-key-refused")
def orphan_key_refused(target: Target) -> Findings:
    own = apart(target)
    own.post("/_assay/fault", refusal="no-organization").json()
    answer = own.get("/models")
    if answer.status != 401:
        yield f"a key of nobody's organisation was answered {answer.status}"
    elif answer.error["code"] != "no_organization":
        yield f"the code was {answer.error['code']!r}"


@check("api.json-content-type")
def json_content_type(target: Target) -> Findings:
    """Sent with a charset, as many HTTP libraries do; other checks send it bare."""
    media_type = "application/json; charset=utf-8"
    for operation in concerned(target):
        answer = asked(target, operation, headers={"Content-Type": media_type})
        if not served(answer):
            yield f"{operation.name} answered {answer.status} to {media_type}"


@check("api.text-plain-refused")
def text_plain_refused(target: Target) -> Findings:
    for operation in concerned(target):
        answer = asked(target, operation, headers={"Content-Type": "text/plain"})
        if not answer.refused:
            yield f"{operation.name} answered {answer.status} to text/plain"


@check("api.welcome")
def welcome(target: Target) -> Findings:
    url = httpx.URL(target.base_url)
    root = replace(target, base_url=f"{url.scheme}://{url.netloc.decode()}")
    answer = root.get("/")
    if not isinstance(answer.body, View) or "message" not in answer.body:
        yield f"the root answered {answer.status} without a message"


@check("api.request-rate")
def request_rate(target: Target) -> Findings:
    yield from mismatches(limited(target, requests=1), 429, "requests")


@check("api.token-rate")
def token_rate(target: Target) -> Findings:
    yield from mismatches(limited(target, tokens=1), 429, "tokens")


@check("api.quota")
def quota(target: Target) -> Findings:
    yield from mismatches(limited(target, quota=1), 429, "insufficient_quota")


@check("api.server-fault")
def server_fault(target: Target) -> Findings:
    yield from mismatches(faulted(target, "server-fault"), 500, "server_error")


@check("api.overloaded")
def overloaded(target: Target) -> Findings:
    yield from mismatches(faulted(target, "overloaded"), 503, "server_error")


@check("api.stream-fault")
def stream_fault(target: Target) -> Findings:
    for operation in concerned(target):
        own = apart(target)
        own.post("/_assay/fault", refusal="server-fault", after=1).json()
        raw = own.stream(operation.path, **own.sample(operation.id)).raw
        if b'"error":' not in raw.replace(b" ", b""):  # other clauses are about framing
            yield f"{operation.name}: the stream just ended, with {raw[-80:]!r}"


@check("api.user-usage")
def user_usage(target: Target) -> Findings:
    own = apart(target)
    user = f"user-{secrets.token_hex(4)}"
    used = own.call("createCompletion", user=user).json()["usage"]["total_tokens"]
    counted = counters(own)["users"].get(user, 0)
    if counted != used:
        yield f"the user was counted {counted} tokens of {used}"


def foreign(target: Target) -> str:
    """An organisation of the usual form that no key belongs to."""
    return "org-" + stranger(target)[3:27]


def organization(answer: Answer) -> str:
    answer.served()
    return header(answer, "openai-organization")


def spent(target: Target, house: str) -> int:
    """All tokens that the control page counted for one organisation."""
    page = target.get("/_assay/counters", headers={"OpenAI-Organization": house})
    usage = page.json()["usage"]
    return int(usage["prompt_tokens"]) + int(usage["completion_tokens"])


def limited(target: Target, **limits: int) -> Answer:
    """The answer to the second request of an organisation with ``limits``."""
    own = apart(target)
    own.post("/_assay/limits", **limits).json()
    own.call("createCompletion").json()
    return own.call("createCompletion", patience=False)


def faulted(target: Target, refusal: str) -> Answer:
    """The answer to a request that meets ``refusal``."""
    own = apart(target)
    own.post("/_assay/fault", refusal=refusal).json()
    return own.call("createCompletion", patience=False)


def mismatches(answer: Answer, status: int, kind: str) -> Findings:
    """Findings where an answer has another status or type."""
    if answer.status != status:
        yield f"the status was {answer.status}"
    elif answer.error["type"] != kind:
        yield f"the type was {answer.error['type']!r}"
