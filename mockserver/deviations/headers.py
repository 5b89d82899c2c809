"""Faults of headers that any operation may have: keys, organisations, our own."""

import re
from dataclasses import replace

from mockserver.deviation import Body, Deviation, mended
from mockserver.deviations.api import JSON, Told, fault, refused_where, sent
from mockserver.faults import body_of, forgiven, told
from spec import Refusal

LIST = (
    "models.*",
    "engines.list-models",
    "fine-tunes.model-listed",
    "api.bearer-*",
    "api.organization-*",
    "api.foreign-organization-refused",
    "api.only-under-v1",
    "api.client-headers",
    "chat.completion-model-refused",
    "completions.chat-model-refused",
    "completions.context-*",
)
"""What a server breaks that does not answer GET /models."""


def echoing(no: Refusal) -> Told:
    if no.name != "wrong-key":
        return no
    return replace(no, message=f"Incorrect API key provided: {sent('authorization')}.")


def any_scheme(no: Refusal) -> Told:
    """The key is looked for in the header, whatever stands before it."""
    return None if no.name == "missing-key" and sent("authorization") else no


def as_alias(headers: dict[str, str]) -> dict[str, str]:
    """Names the model that was asked for, not the snapshot that answered."""
    alias = re.sub(r"-\d{4}$", "", headers.get("openai-model", ""))
    return mended(headers, openai_model=alias or None)


def always_ours(headers: dict[str, str]) -> dict[str, str]:
    """Middleware adds the headers, whether or not it knows who called."""
    return {"openai-version": "2020-10-01", "openai-processing-ms": "1", **headers}


def uncounted(body: Body) -> Body:
    """Usage is counted by key, so an organisation that is named has none."""
    if not sent("openai-organization"):
        return body
    return {**body, "usage": dict.fromkeys(body["usage"], 0)}


def said(id: str, noticed_by: str, operation: str, **headers: str | None) -> Deviation:
    """A deviation that says these headers, or leaves them out where they are None."""
    return fault(
        id,
        noticed_by,
        (operation,),
        on_headers=lambda before: mended(before, **headers),
    )


def titled(headers: dict[str, str]) -> dict[str, str]:
    """The organisation's title stands where its id should."""
    known = "openai-organization" in headers
    return mended(headers, openai_organization="acme" if known else None)


def prefixed_id(headers: dict[str, str]) -> dict[str, str]:
    return mended(headers, x_request_id=f"req_{headers.get('x-request-id')}")


KEYS = (
    fault(
        "some-routes-open",  # a route was added behind the list of guarded ones
        "key-required",
        ("createModeration",),
        on_refusal=forgiven("missing-key"),
    ),
    fault(
        "bearer-refused",  # the key is looked for in a header of the maker's own
        "bearer-accepted",
        ("listModels",),
        also=LIST,
        on_reply=refused_where(lambda: True),
    ),
    fault(
        "any-key",
        "wrong-key-refused",
        ("listModels",),
        on_refusal=forgiven("wrong-key"),
    ),
    fault(
        "wrong-key-no-code",
        "wrong-key-code",
        ("listModels",),
        on_refusal=told("wrong-key", code=None),
    ),
    fault("any-scheme", "bearer-only", ("listModels",), on_refusal=any_scheme),
    fault("key-echoed", "key-not-echoed", ("listModels",), on_refusal=echoing),
    fault(
        "body-before-key",  # the key is looked at by the handler, not before it
        "key-before-body",
        JSON,
        on_refusal=forgiven("wrong-key"),
    ),
)
ORGANIZATIONS = (
    fault(
        "organization-refused",
        "organization-accepted",
        ("listModels",),
        on_reply=refused_where(lambda: bool(sent("openai-organization"))),
    ),
    fault(
        "organization-required",
        "organization-optional",
        ("listModels",),
        also=LIST,
        on_reply=refused_where(lambda: not sent("openai-organization")),
    ),
    fault(
        "organization-uncounted",
        "organization-usage",
        ("controlCounters",),
        on_reply=body_of(uncounted),
    ),
    fault(
        "organization-named",
        "organization-id",
        ("listModels",),
        on_headers=titled,
    ),
    fault(
        "any-organization",
        "foreign-organization-refused",
        ("listModels",),
        on_refusal=forgiven("wrong-organization"),
    ),
    fault(
        "orphan-key-forbidden",
        "orphan-key-refused",
        ("listModels",),
        on_refusal=told("no-organization", status=403),
    ),
    fault(
        "orphan-key-no-code",
        "orphan-key-refused",
        ("listModels",),
        on_refusal=told("no-organization", code=None),
    ),
)
HEADERS = (
    said(
        "content-type-text",
        "answer-content-type",
        "createModeration",
        content_type="text/plain",
    ),
    said(
        "content-type-none",
        "answer-content-type",
        "createModeration",
        content_type=None,
    ),
    said("request-id-none", "request-id", "createModeration", x_request_id=None),
    said(
        "request-id-constant", "request-id-unique", "listModels", x_request_id="0" * 32
    ),
    fault(
        "request-id-prefixed",
        "request-id-form",
        ("listModels",),
        on_headers=prefixed_id,
    ),
    said("version-none", "version-header", "createEmbedding", openai_version=None),
    said(
        "processing-none",
        "processing-time",
        "createEmbedding",
        openai_processing_ms=None,
    ),
    said(
        "processing-seconds",
        "processing-time",
        "createEmbedding",
        openai_processing_ms="0.012",
    ),
    said(
        "transport-security-none",
        "transport-security",
        "listModels",
        strict_transport_security=None,
    ),
    said(
        "cross-origin-none",
        "cross-origin",
        "listModels",
        access_control_allow_origin=None,
    ),
    fault(
        "model-header-alias",
        "model-header",
        ("createChatCompletion",),
        on_headers=as_alias,
    ),
    said(
        "rate-limit-none",
        "rate-limit-headers",
        "createEmbedding",
        x_ratelimit_limit_requests=None,
        x_ratelimit_remaining_requests=None,
    ),
    said(
        "rate-limit-number",
        "rate-limit-reset",
        "createEmbedding",
        x_ratelimit_reset_requests="1682899200",
    ),
    fault(
        "unauthorized-known",
        "unauthorized-headers",
        ("listModels",),
        on_headers=always_ours,
    ),
    fault(
        "client-headers-refused",  # a firewall's list of headers is older than they are
        "client-headers",
        ("listModels",),
        on_reply=refused_where(lambda: bool(sent("x-stainless-lang"))),
    ),
)
DEVIATIONS = (*KEYS, *ORGANIZATIONS, *HEADERS)
