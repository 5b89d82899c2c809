"""The headers of every answer."""

import re

from conformance.registry import Findings, check
from conformance.sweep import (
    answers,
    concerned,
    header,
    lawful,
    served,
    stranger,
)
from conformance.target import Target
from conformance.view import Absent

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


@check("api.answer-content-type")
def answer_content_type(target: Target) -> Findings:
    """What an operation gives that is not JSON may look like it: a file of records."""
    other = {operation.name for operation in concerned(target) if not operation.reply}
    for name, answer in answers(target):
        if name in other and served(answer):
            continue
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
