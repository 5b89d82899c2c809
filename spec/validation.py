"""Says how the API refuses a request: what our mock asks, and any server may."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from spec.load import load
from spec.model import Json, Model, Operation, Refusal, Spec
from spec.rules import broken
from spec.schema import cut

NAMED = 80  # characters of a media type that a message quotes


@dataclass(frozen=True)
class Request:
    """A request as a server has it before it decides anything."""

    body: Mapping[str, Json] | bytes | None = None
    """The bytes as they came, or an object; each file of a form is described, see
    ``spec.load.FILE``, and its other values may still be texts."""
    content_type: str | None = None
    """The header; None stands for what the operation takes."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def validate(
    edition: str | None,
    operation: str,
    request: Request | Mapping[str, Json],
    models: Mapping[str, Model] | None = None,
) -> Refusal | None:
    """The refusal that ``request`` meets, or None where it is lawful.

    A mapping is a request of this body. ``operation`` is an operationId, or a method
    and a path such as ``POST /completions``; ``models`` are those that the server
    serves, by default the registry of the edition. Keys and limits are not judged.
    Raises ValueError for an edition or an operation that the spec does not know.
    """
    spec = load(edition)
    asked = request if isinstance(request, Request) else Request(request)
    known = spec.models if models is None else models
    return next(_refusals(spec, spec.named(operation), asked, known), None)


def _refusals(
    spec: Spec, operation: Operation, request: Request, models: Mapping[str, Model]
) -> Iterator[Refusal]:
    """Every reason to refuse, in the order in which the live API finds them."""
    yield from outside(operation, request.query, request.headers)
    if operation.body is None:
        return
    wrong = misdirected(spec, operation, request.content_type)
    if wrong is not None:
        yield wrong
    body = request.body
    if not isinstance(body, Mapping):
        try:
            body = parsed(body or b"")
        except ValueError:
            yield spec.refusals["not-json"]
            return
    if operation.media_type != "application/json":
        body = coerced(operation.fields, body)
    asked = body.get("model")
    if "model" in operation.fields and isinstance(asked, str):
        if asked not in models:
            yield spec.refusals["model-not-found"].worded(model=cut(asked))
        elif operation.resource not in models[asked].endpoints:
            yield misfit(operation, models[asked])
    found = refusal(operation, body)
    if found is not None:
        yield found


def outside(
    operation: Operation, query: Mapping[str, str], headers: Mapping[str, str]
) -> Iterator[Refusal]:
    """How the query and the headers are refused: what stands outside a body."""
    named = {name.lower(): value for name, value in headers.items()}
    if not operation.headers.valid(named):
        beta = (r for r in operation.refusals.values() if r.code == "invalid_beta")
        yield next(beta, _plain("A header is missing or wrong."))
    asked = coerced(operation.query.node["properties"], query)
    if not operation.query.valid(asked):
        yield _plain(next(operation.query.faults(asked), "The query is wrong."))


def misdirected(
    spec: Spec, operation: Operation, content_type: str | None
) -> Refusal | None:
    """The refusal of a body of another media type than the operation takes."""
    if content_type is None:
        return None
    media_type = content_type.split(";")[0].strip()
    if media_type.lower() == operation.media_type:
        return None
    told = repr(media_type[:NAMED])
    wrong = spec.refusals["wrong-media-type"].worded(media_type=told)
    return operation.refusals.get("not-a-form", wrong)


def misfit(operation: Operation, model: Model) -> Refusal:
    """The refusal of a model that serves another endpoint."""
    known = operation.refusals
    if "not-chat-model" in known:
        return known["not-chat-model"]
    if "fine-tune-base-model" in known:
        return known["fine-tune-base-model"].worded(model=model.id)
    if "not-completion-model" in known and "chat" in model.endpoints:
        return known["not-completion-model"]
    plain = _plain("The model {model} does not serve this endpoint.")
    return known.get("wrong-endpoint", plain).worded(model=model.id)


def refusal(
    operation: Operation, body: Mapping[str, Json], forgotten: Collection[str] = ()
) -> Refusal | None:
    """The refusal that ``body`` meets, or None; ``forgotten`` rules are not asked."""
    found = _schema_refusal(operation, body)
    if found is not None:
        return found
    rules = (rule for rule in operation.rules if rule.id not in forgotten)
    return next((rule.refuse for rule in broken(rules, body)), None)


def _schema_refusal(operation: Operation, body: Mapping[str, Json]) -> Refusal | None:
    schema, known = operation.request, operation.refusals
    if schema is None or schema.valid(body):
        return None
    if (
        "missing-model" in known
        and body.get("model") is None
        and ("model" in schema.node["required"])
    ):
        return known["missing-model"]
    foreign = sorted(set(body) - set(schema.node["properties"]))
    if foreign and "unknown-argument" in known:
        return known["unknown-argument"].worded(names=cut(", ".join(foreign)))
    fault = next(schema.faults(body), "The body breaks the schema.")
    if "schema" in known:
        return known["schema"].worded(fault=fault)
    return _plain(fault)


def _plain(fault: str) -> Refusal:
    return Refusal("schema", 400, "invalid_request_error", None, None, fault)


def parsed(raw: bytes) -> dict[str, Any]:
    """The one JSON object in ``raw``; of keys that come twice the last counts.

    Raises ValueError for anything else, also for what JSON has but no number or text
    can hold: NaN, 1e400, half of a surrogate pair, endless nesting.
    """
    try:
        body = json.loads(raw.decode("utf-8"), parse_constant=_no, parse_float=_finite)
        if b"\\u" in raw:
            json.dumps(body, ensure_ascii=False).encode()
    except RecursionError as fault:
        raise ValueError("nested too deeply") from fault
    if not isinstance(body, dict):
        raise ValueError(f"expected an object, got {type(body).__name__}")
    return body


def _no(word: str) -> float:
    raise ValueError(f"expected a number, got {word}")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"expected a number that a double holds, got {text[:40]}")
    return value


def coerced(
    fields: Mapping[str, Mapping[str, Json]], sent: Mapping[str, Json]
) -> dict[str, Json]:
    """``sent`` with each text that a field takes as a number or a truth made one.

    A query and a form know texts only; what cannot be read stays a text, and breaks
    the schema.
    """
    return {
        name: _read(value, fields.get(name, {})) if isinstance(value, str) else value
        for name, value in sent.items()
    }


def _read(text: str, node: Mapping[str, Json]) -> Json:
    kinds = node.get("type", ())
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if kinds & {"integer", "number"} and re.fullmatch(r"-?\d{1,18}", text):
        return int(text)
    if "number" in kinds and re.fullmatch(r"-?\d{1,18}\.\d{1,18}", text):
        return float(text)
    if "boolean" in kinds and text in ("true", "false"):
        return text == "true"
    return text
