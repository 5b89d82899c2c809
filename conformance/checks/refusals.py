"""How every operation says no: envelope, statuses, hostile bodies."""

from typing import Any

from conformance.probe import NOBODY, NOWHERE, filled
from conformance.registry import Findings, check
from conformance.sweep import (
    asked,
    assaults,
    broken,
    concerned,
    errors,
    refusals,
    served,
    served_paths,
    speaking,
    stranger,
    told,
)
from conformance.target import Target
from conformance.view import Absent, View

KEYS = ("message", "type", "param", "code")
WORDS = ("None", "null", "nil", "undefined")  # a missing value, printed


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
