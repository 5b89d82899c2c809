"""Faults that any operation may have: bodies, refusals, limits, routes."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from mockserver.deviation import MOMENT, Body, Deviation
from mockserver.faults import forgiven, told
from mockserver.reply import Refuse, Reply
from spec import Operation, Refusal
from spec.validation import refusal as refusal_of

Told = Refusal | Reply | None

POSTS = ("createCompletion", "createChatCompletion", "createEmbedding")
JSON = (*POSTS, "createModeration")
MODERATION_FAULTS = (
    "moderations.fuzz-invalid",
    "moderations.input-*",
    "moderations.model-optional",
)


def sent(name: str) -> str:
    """A header of the request that is being answered."""
    return MOMENT.get().headers.get(name, "")


def answered(name: str, body: Any, status: int = 200) -> Callable[[Refusal], Told]:
    """Answers ``body`` where the refusal ``name`` would be told."""
    return lambda no: Reply(body, status) if no.name == name else no


def flat(no: Refusal) -> Told:
    return Reply({"object": "error", **no.envelope["error"]}, no.status)


def string(no: Refusal) -> Told:
    return Reply({"error": no.message}, no.status)


def without_param(no: Refusal) -> Told:
    error = {k: v for k, v in no.envelope["error"].items() if k != "param"}
    return Reply({"error": error}, no.status)


def detail_404(no: Refusal) -> Told:
    """The web framework answers before the API's own error handler is asked."""
    if no.name != "unknown-url":
        return no
    return Reply({"detail": "Not Found"}, no.status)


def internal_message(no: Refusal) -> Told:
    error = {**no.envelope["error"], "internal_message": "KeyError: 'model'"}
    return Reply({"error": error}, no.status)


def numbered(no: Refusal) -> Told:
    """The code repeats the status wherever there is none of its own."""
    error = {**no.envelope["error"], "code": no.code or no.status}
    return Reply({"error": error}, no.status)


def printed(no: Refusal) -> Told:
    """Nothing, in a language of its own: None."""
    return replace(no, param=str(no.param))


def detail_422(no: Refusal) -> Told:
    if no.name != "schema":
        return no
    return Reply({"detail": [{"loc": ["body"], "msg": no.message}]}, 422)


def front_page(no: Refusal) -> Told:
    """A web application that answers its own page on every path it does not know."""
    if no.name != "unknown-url" or " /v1/" not in no.message:
        return no
    return Reply(
        b"<!doctype html><title>App</title>", 200, {"content-type": "text/html"}
    )


def listed_at_root(no: Refusal) -> Told:
    if no.name != "unknown-url" or "(GET /models)" not in no.message:
        return no
    return Reply({"object": "list", "data": []})


def refused_where(unwanted: Callable[[], bool]) -> Callable[[Reply], Reply]:
    """Answers 401 where the headers of a request that was served are ``unwanted``."""
    error = {"message": "No.", "type": "invalid_request_error"}
    body = {"error": {**error, "param": None, "code": None}}
    no = Reply(body, 401)
    return lambda reply: no if reply.status == 200 and unwanted() else reply


def late(operation: Operation, body: Body) -> Body:
    """A stream is begun, and only then is the request looked at."""
    found = refusal_of(operation, body)
    if body.get("stream") is True and found is not None and found.name == "schema":
        raise Refuse(replace(found, name="late"))
    return body


def in_the_stream(no: Refusal) -> Told:
    if no.name != "late":
        return no
    event = f"data: {json.dumps(no.envelope)}\n\n".encode()
    return Reply(event, 200, {"content-type": "text/event-stream"})


def no_nul(operation: Operation, body: Body) -> Body:
    """The text is stored for the record, and the database holds no NUL in a text."""
    if "\\u0000" in json.dumps(body):
        raise Refuse(operation.refusals["server-fault"])
    return body


def one_life(operation: Operation, body: Body) -> Body:
    """Deep nesting ends the worker; the next request finds nobody.

    What happened is noted with the server, so that no other knows of it.
    """
    notes = MOMENT.get().notes
    if notes.pop("worker-died", False):
        raise Refuse(operation.refusals["server-fault"])
    if "[" * 100 in json.dumps(body):
        notes["worker-died"] = True
    return body


def without_user(request: Any) -> Any:
    return replace(request, user=None)


def fault(
    id: str, noticed_by: str, operations: tuple[str, ...] = (), **seams: Any
) -> Deviation:
    """A deviation of the resource ``api``."""
    return Deviation(f"api.{id}", f"api.{noticed_by}", operations, **seams)


BODIES = (
    fault(
        "charset-refused",  # the header is compared whole
        "json-content-type",
        ("createEmbedding",),
        on_reply=refused_where(lambda: sent("content-type") != "application/json"),
    ),
    fault(
        "any-media-type",
        "text-plain-refused",
        ("createEmbedding",),
        on_refusal=forgiven("wrong-media-type"),
    ),
    fault(
        "not-json-unprocessable",
        "not-json",
        JSON,
        also=("api.not-an-object",),
        on_refusal=told("not-json", status=422),
    ),
    fault(
        "array-crashes",  # a field is read of what was never asked to be an object
        "not-an-object",
        JSON,
        also=("api.not-json", "api.hostile-bodies", "*.fuzz-invalid"),
        on_refusal=told("not-json", status=500, type="server_error"),
    ),
    fault("nul-crashes", "hostile-bodies", ("createModeration",), on_body=no_nul),
    fault(
        "worker-dies",
        "answers-after-hostile",
        ("createModeration",),
        on_body=one_life,
    ),
    fault(
        "late-validation",
        "stream-refused-as-json",
        ("createCompletion", "createChatCompletion"),
        also=("completions.fuzz-invalid", "chat.fuzz-invalid"),
        on_body=late,
        on_refusal=in_the_stream,
    ),
)
REFUSALS = (
    fault("error-flat", "error-envelope", on_refusal=flat),
    fault("error-string", "error-envelope", on_refusal=string),
    fault("error-without-param", "error-envelope", on_refusal=without_param),
    fault("error-detail", "error-envelope", on_refusal=detail_404),
    fault("error-code-number", "error-code-type", on_refusal=numbered),
    fault("error-none-words", "error-code-type", on_refusal=printed),
    fault(
        "error-class-name",
        "error-type",
        JSON,
        on_refusal=told("schema", type="BadRequestError"),
    ),
    fault(
        "error-internal-message",
        "error-no-internal-message",
        on_refusal=internal_message,
    ),
    fault(
        "error-422",
        "invalid-is-400",
        JSON,
        also=("api.error-envelope",),
        on_refusal=detail_422,
    ),
    fault(
        "error-as-200",
        "invalid-is-400",
        ("createModeration",),
        also=MODERATION_FAULTS,
        on_refusal=lambda no: Reply(no.envelope) if no.name == "schema" else no,
    ),
    fault(
        "error-as-500",
        "invalid-is-400",
        ("createModeration",),
        also=MODERATION_FAULTS,
        on_refusal=told("schema", status=500),
    ),
    fault(
        "warming-up",  # the model is not loaded yet: a conflict, says the gateway
        "never-conflict",
        ("createCompletion", "createEmbedding"),
        also=("*.model-unknown",),
        on_refusal=told("model-not-found", status=409),
    ),
    fault(
        "any-path",
        "unknown-path",
        also=("engines.retrieve-needs-id",),  # without the id it is such a path
        on_refusal=front_page,
    ),
    fault(
        "wrong-method-404",  # the router knows pairs of method and path
        "wrong-method",
        on_refusal=told("wrong-method", status=404),
    ),
    fault("prefix-optional", "only-under-v1", on_refusal=listed_at_root),
)


def silent(events: Iterator[Any]) -> Iterator[Any]:
    """Leaves out the event that tells of a fault."""
    return (one for one in events if not (isinstance(one, dict) and "error" in one))


LIMITS = (
    fault("stream-fault-silent", "stream-fault", on_events=silent),
    fault(
        "request-rate-type",
        "request-rate",
        also=("safety.user-limit",),  # one user's excess is told by the same refusal
        on_refusal=told("request-rate", type="rate_limit_error"),
    ),
    fault(
        "request-rate-unlimited",
        "request-rate",
        ("controlLimits",),
        on_request=lambda request: replace(request, requests=None),
    ),
    fault(
        "token-rate-type", "token-rate", on_refusal=told("token-rate", type="requests")
    ),
    fault(
        "token-rate-unlimited",
        "token-rate",
        ("controlLimits",),
        on_request=lambda request: replace(request, tokens=None),
    ),
    fault("quota-type", "quota", on_refusal=told("quota", type="requests")),
    fault(
        "quota-forbidden",  # no money is no permission, thinks the gateway
        "quota",
        on_refusal=told("quota", status=403),
    ),
    fault(
        "server-fault-type",
        "server-fault",
        on_refusal=told("server-fault", type="internal_error"),
    ),
    fault(
        "server-fault-as-200",
        "server-fault",
        on_refusal=lambda no: Reply(no.envelope) if no.name == "server-fault" else no,
    ),
    fault(
        "overloaded-429",
        "overloaded",
        on_refusal=told("overloaded", status=429),
    ),
    fault(
        "user-uncounted",
        "user-usage",
        ("createCompletion",),
        on_request=without_user,
    ),
)
ROUTES = (
    Deviation(
        "moderations.absent",
        "api.under-v1",
        also=(
            "moderations.*",
            "api.key-required",
            "api.key-before-body",
            "api.json-content-type",
            "api.invalid-is-400",
            "api.not-json",
            "api.not-an-object",
            "api.answers-after-hostile",
        ),
        routes=lambda path: path != "/moderations",
    ),
    Deviation("api.root-empty", "api.welcome", routes=lambda path: path != "/"),
)
DEVIATIONS = (*BODIES, *REFUSALS, *LIMITS, *ROUTES)
