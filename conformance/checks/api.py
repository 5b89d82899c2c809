"""What holds for every operation: keys, refusals, headers, limits."""

import re
import secrets
import string
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx

from conformance.answer import Answer
from conformance.control import apart, counters
from conformance.probe import NOBODY, NOWHERE, filled
from conformance.registry import Findings, check
from conformance.target import Target
from conformance.view import Absent, View
from spec import Operation

GONE = (404, 405, 501)
KEYS = ("message", "type", "param", "code")
WORDS = ("None", "null", "nil", "undefined")  # a missing value, printed
DURATION = re.compile(r"(?=\d)(\d+h)?(\d+m)?(\d+(\.\d+)?(ns|us|µs|ms|s))?")
CLIENT = {
    "X-OpenAI-Client-User-Agent": '{"lang": "python", "publisher": "openai"}',
    "User-Agent": "OpenAI/v1 PythonBindings/0.27.6",
    "OpenAI-Version": "2020-10-01",
    "OpenAI-Debug": "true",
    "X-Request-Id": "0123456789abcdef0123456789abcdef",
    "Idempotency-Key": "stainless-python-retry-1",
    "X-Stainless-Lang": "python",
    "X-Stainless-Package-Version": "1.6.1",
    "X-Stainless-OS": "Linux",
    "X-Stainless-Arch": "x64",
    "X-Stainless-Runtime": "CPython",
    "X-Stainless-Runtime-Version": "3.11.4",
}


@check("api.under-v1")
def under_v1(target: Target) -> Findings:
    for operation in concerned(target):
        answer = asked(target, operation)
        missing = GONE[1:] if unsampled(operation) else GONE
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


@check("api.error-envelope")
def error_envelope(target: Target) -> Findings:
    for name, answer in refusals(target):
        body = answer.body
        if not isinstance(body, View):
            yield f"{name} was refused with a body that is no JSON object"
        elif list(body) != ["error"]:
            yield f"{name} was refused with the keys {', '.join(body)}"
        elif not isinstance(body["error"], View):
            yield f"{name} was refused with an error that is no object"
        elif lacking := [key for key in KEYS if key not in body["error"]]:
            yield f"{name} was refused without {', '.join(lacking)}"


@check("api.error-code-type")
def error_code_type(target: Target) -> Findings:
    for name, error in errors(target):
        for key in ("param", "code"):
            value = error.get(key)
            if not isinstance(value, str | None) or value in WORDS:
                yield f"{name} was refused with the {key} {value!r}"


@check("api.error-type")
def error_type(target: Target) -> Findings:
    seen = 0
    for operation in concerned(target):
        answer = target.call(operation.id, **broken(operation))
        error = told(answer)
        if answer.refused and error is not None:
            seen += 1
            if error["type"] != "invalid_request_error":
                yield f"{operation.name} refused with the type {error['type']!r}"
    if not seen:
        raise Absent("refusal with an error object")


@check("api.error-no-internal-message")
def error_no_internal_message(target: Target) -> Findings:
    for name, error in errors(target):
        if "internal_message" in error:
            yield f"{name} was refused with an internal_message"


@check("api.invalid-is-400")
def invalid_is_400(target: Target) -> Findings:
    for operation in concerned(target):
        answer = target.call(operation.id, **broken(operation))
        if answer.status != 400:
            yield f"{operation.name} answered {answer.status}"


@check("api.never-conflict")
def never_conflict(target: Target) -> Findings:
    for operation in concerned(target):
        for fault in (broken(operation), {"model": NOBODY}):
            if target.call(operation.id, **fault).status == 409:
                yield f"{operation.name} answered 409 to a faulty {', '.join(fault)}"


@check("api.not-json")
def not_json(target: Target) -> Findings:
    for operation in concerned(target):
        answer = target.call(operation.id, content=b'{"model": "a", ')
        if answer.status != 400:
            yield f"{operation.name} answered {answer.status} to half a JSON object"


@check("api.not-an-object")
def not_an_object(target: Target) -> Findings:
    for operation in concerned(target):
        answer = target.call(operation.id, content=b'["model", "input"]')
        if answer.status != 400:
            yield f"{operation.name} answered {answer.status} to a JSON array"


@check("api.hostile-bodies")
def hostile_bodies(target: Target) -> Findings:
    for operation in concerned(target):
        for what, answer in assaults(target, operation):
            if answer.status >= 500:
                yield f"{operation.name} answered {answer.status} to {what}"


@check("api.answers-after-hostile")
def answers_after_hostile(target: Target) -> Findings:
    for operation in concerned(target):
        nested: Any = "deep"
        for _ in range(400):
            nested = [nested]
        target.call(operation.id, **{speaking(operation): nested})
        answer = asked(target, operation)
        if not served(answer):
            yield f"{operation.name} answered {answer.status} after 400 nested arrays"


@check("api.unknown-path")
def unknown_path(target: Target) -> Findings:
    for method in ("GET", "POST"):
        answer = target.request(method, NOWHERE)
        if answer.status != 404:
            yield f"{method} on an unknown path was answered {answer.status}"


@check("api.wrong-method")
def wrong_method(target: Target) -> Findings:
    had: dict[str, set[str]] = {}
    for operation in target.spec.operations.values():
        had.setdefault(operation.path, set()).add(operation.method)
    for path in dict.fromkeys(operation.path for operation in concerned(target)):
        method = "PUT" if "GET" in had[path] else "GET"
        answer = target.request(method, filled(path))
        if answer.status == 405:
            continue
        if answer.status == 404 and path not in served_paths(target):
            continue  # the path itself is missing
        yield f"{method} {path} was answered {answer.status}"


@check("api.key-before-body")
def key_before_body(target: Target) -> Findings:
    for operation in concerned(target):
        answer = target.call(operation.id, key=stranger(target), content=b"{")
        if answer.status != 401:
            yield f"{operation.name} answered {answer.status}"


@check("api.stream-refused-as-json")
def stream_refused_as_json(target: Target) -> Findings:
    seen = 0
    for operation in concerned(target):
        answer = target.call(operation.id, stream=True, **broken(operation))
        streamed = answer.content_type == "text/event-stream"
        seen += streamed or answer.refused
        if streamed:
            yield f"{operation.name} answered {answer.status} with a stream"
        elif answer.refused and (
            answer.content_type != "application/json" or answer.body is None
        ):
            yield f"{operation.name} refused with {answer.content_type or 'no type'!r}"
    if not seen:
        raise Absent("refusal of a faulty request")


@check("api.answer-content-type")
def answer_content_type(target: Target) -> Findings:
    for name, answer in answers(target):
        if answer.body is not None and answer.content_type != "application/json":
            told = answer.headers.get("content-type")
            yield f"{name} was answered with the content type {told!r}"


@check("api.request-id")
def request_id(target: Target) -> Findings:
    for name, answer in answers(target):
        if not answer.headers.get("x-request-id"):
            yield f"{name} was answered {answer.status} without an x-request-id"


@check("api.request-id-unique")
def request_id_unique(target: Target) -> Findings:
    ids = [header(target.get("/models"), "x-request-id") for _ in range(3)]
    if len(set(ids)) != len(ids):
        yield f"three answers carried {', '.join(ids)}"


@check("api.request-id-form")
def request_id_form(target: Target) -> Findings:
    id = header(target.get("/models"), "x-request-id")
    if not re.fullmatch(r"[0-9a-f]{32}", id):
        yield f"the x-request-id was {id!r}"


@check("api.version-header")
def version_header(target: Target) -> Findings:
    for operation in concerned(target):
        told = lawful(target, operation).headers.get("openai-version")
        if told != "2020-10-01":
            yield f"{operation.name} answered with the openai-version {told!r}"


@check("api.processing-time")
def processing_time(target: Target) -> Findings:
    for operation in concerned(target):
        told = lawful(target, operation).headers.get("openai-processing-ms")
        if told is None or not re.fullmatch("[0-9]+", told):
            yield f"{operation.name} answered with the openai-processing-ms {told!r}"


@check("api.transport-security")
def transport_security(target: Target) -> Findings:
    if "strict-transport-security" not in target.get("/models").headers:
        yield "GET /models answered without strict-transport-security"


@check("api.cross-origin")
def cross_origin(target: Target) -> Findings:
    headers = {"Origin": "https://example.org"}
    told = target.get("/models", headers=headers).headers
    if told.get("access-control-allow-origin") != "*":
        allowed = told.get("access-control-allow-origin")
        yield f"the access-control-allow-origin was {allowed!r}"


@check("api.model-header")
def model_header(target: Target) -> Findings:
    for operation in concerned(target):
        answer = lawful(target, operation)
        told, named = answer.headers.get("openai-model"), answer.json()["model"]
        if told != named:
            yield f"{operation.name} named {named!r} in its body, {told!r} above it"


@check("api.rate-limit-headers")
def rate_limit_headers(target: Target) -> Findings:
    wanted = [
        f"x-ratelimit-{what}-requests" for what in ("limit", "remaining", "reset")
    ]
    for operation in concerned(target):
        headers = lawful(target, operation).headers
        if lacking := [name for name in wanted if name not in headers]:
            yield f"{operation.name} answered without {', '.join(lacking)}"


@check("api.rate-limit-reset")
def rate_limit_reset(target: Target) -> Findings:
    for operation in concerned(target):
        reset = header(lawful(target, operation), "x-ratelimit-reset-requests")
        if not DURATION.fullmatch(reset):
            yield f"{operation.name} answered with the reset {reset!r}"


@check("api.unauthorized-headers")
def unauthorized_headers(target: Target) -> Findings:
    answer = target.get("/models", key=stranger(target))
    if answer.status != 401:
        raise Absent("refusal with 401")
    for name in answer.headers:
        if name.startswith(("openai-", "x-ratelimit-")):
            yield f"the 401 carried {name}"


@check("api.client-headers")
def client_headers(target: Target) -> Findings:
    answer = target.get("/models", headers=CLIENT)
    if not served(answer):
        yield f"the headers of client libraries were answered {answer.status}"


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


@check("api.user-usage")
def user_usage(target: Target) -> Findings:
    own = apart(target)
    user = f"user-{secrets.token_hex(4)}"
    used = own.call("createCompletion", user=user).json()["usage"]["total_tokens"]
    counted = counters(own)["users"].get(user, 0)
    if counted != used:
        yield f"the user was counted {counted} tokens of {used}"


def concerned(target: Target) -> list[Operation]:
    """The claimed operations that the clause at hand speaks of."""
    if target.clause is None:
        raise ValueError("expected a clause that is looked at, got none")
    return target.operations(target.clause)


def unsampled(operation: Operation) -> bool:
    """Whether the spec knows no id that this operation could name without harm."""
    return "{" in operation.path and "path" not in operation.sample


def asked(target: Target, operation: Operation, **edge: Any) -> Answer:
    """The answer to the sample; without one, to an id that names nothing."""
    if unsampled(operation):
        return target.send(operation.method, filled(operation.path), **edge)
    return target.call(operation.id, **edge)


def answers(target: Target) -> Iterator[tuple[str, Answer]]:
    """What each operation answers, and what an unknown path does."""
    for operation in concerned(target):
        yield operation.name, asked(target, operation)
    yield "an unknown path", target.get(NOWHERE)


def lawful(target: Target, operation: Operation) -> Answer:
    """The answer to the sample; raises Unserved where it was refused."""
    answer = target.call(operation.id)
    answer.served()
    return answer


def served(answer: Answer) -> bool:
    """Whether a lawful request was; raises Limited where a limit was in its way."""
    if answer.status == 429:
        answer.served()
    return 200 <= answer.status < 300


def stranger(target: Target) -> str:
    """A key of the usual form that nobody has."""
    drawn = target.random.choices(string.ascii_letters + string.digits, k=48)
    return "sk-" + "".join(drawn)


def foreign(target: Target) -> str:
    """An organisation of the usual form that no key belongs to."""
    return "org-" + stranger(target)[3:27]


def header(answer: Answer, name: str) -> str:
    """One header; raises Absent where the answer has none of that name."""
    if name not in answer.headers:
        raise Absent(f"{name} header")
    return str(answer.headers[name])


def organization(answer: Answer) -> str:
    answer.served()
    return header(answer, "openai-organization")


def spent(target: Target, house: str) -> int:
    """All tokens that the control page counted for one organisation."""
    page = target.get("/_assay/counters", headers={"OpenAI-Organization": house})
    usage = page.json()["usage"]
    return int(usage["prompt_tokens"]) + int(usage["completion_tokens"])


def speaking(operation: Operation) -> str:
    """The field of the sample that holds its text."""
    return next(name for name in operation.sample if name != "model")


def broken(operation: Operation) -> dict[str, Any]:
    """The sample's text as an object, which no operation takes."""
    return {speaking(operation): {"no": "text"}}


def refusals(target: Target) -> Iterator[tuple[str, Answer]]:
    """How each operation refuses, and an unknown path; at least one does."""
    seen = 0
    for name, answer in (*faulty(target), ("an unknown path", target.get(NOWHERE))):
        if answer.refused:
            seen += 1
            yield name, answer
    if not seen:
        raise Absent("refusal")


def errors(target: Target) -> Iterator[tuple[str, View]]:
    """The error objects of the refusals that have one; at least one has."""
    seen = 0
    for name, answer in refusals(target):
        error = told(answer)
        if error is not None:
            seen += 1
            yield name, error
    if not seen:
        raise Absent("refusal with an error object")


def told(answer: Answer) -> View | None:
    """The error object of a refusal, if it has one."""
    error = answer.body.get("error") if isinstance(answer.body, View) else None
    return error if isinstance(error, View) else None


def served_paths(target: Target) -> set[str]:
    """The paths at which something answers."""
    return {
        operation.path
        for operation in concerned(target)
        if asked(target, operation).status not in GONE
    }


def faulty(target: Target) -> Iterator[tuple[str, Answer]]:
    """A fault of each kind: in the body, in the path, or in the key."""
    for operation in concerned(target):
        if operation.body is not None:
            answer = target.call(operation.id, **broken(operation))
        elif "{" in operation.path:
            answer = target.send(operation.method, filled(operation.path))
        else:
            answer = asked(target, operation, key=stranger(target))
        yield operation.name, answer


def assaults(target: Target, operation: Operation) -> Iterator[tuple[str, Answer]]:
    """Bodies that break a parser or what stands behind it."""
    for what, raw in (
        ("bytes that are no UTF-8", b'{"model": "\xff\xfe"}'),
        ("100,000 open brackets", b"[" * 100_000),
    ):
        yield what, target.call(operation.id, content=raw)
    field = speaking(operation)
    texts: tuple[tuple[str, Any], ...] = (
        ("a number that is none", float("nan")),
        ("half a surrogate pair", said(operation, "a\ud800b")),
        ("a NUL character", said(operation, "a\x00b")),
    )
    for what, value in texts:
        yield what, target.call(operation.id, **{field: value})


def said(operation: Operation, text: str) -> Any:
    """``text`` in the form in which the operation takes texts."""
    if speaking(operation) == "messages":
        return [{"role": "user", "content": text}]
    return text


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
