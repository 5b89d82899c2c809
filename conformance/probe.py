"""Finds out what a server serves, where nobody wrote it down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import yaml

from conformance.answer import Answer
from conformance.target import Claims, Key, Target
from conformance.view import View
from spec import Operation, Spec

NOWHERE = "/assay-no-such-path"
NOBODY = "assay-no-such-id"
CONTROL = "/_assay/counters"
NOT_BUILT = 501
ABSENT = (405, NOT_BUILT)


def probe(target: Target) -> Claims:
    """What ``target`` claims by answering.

    A resource is claimed whole if any of its operations answers, save what deletes:
    a server on which nobody makes anything has nothing to delete.
    """
    look = _Look(target)
    plain = [op for op in target.spec.operations.values() if not op.capability]
    answering = {op.resource for op in plain if look.present(op)}
    operations = {
        op.id
        for op in plain
        if op.resource in answering and (op.method != "DELETE" or look.present(op))
    }
    capabilities = set()
    if any(look.guarded(op) for op in plain if op.id in operations):
        capabilities.add("auth")
    if look.controlled():
        capabilities.add("control")
        operations |= {
            op.id
            for op in target.spec.operations.values()
            if op.capability == "control"
        }
    return Claims(frozenset(operations), frozenset(capabilities))


def built(target: Target) -> Claims:
    """What a mock of ours claims: everything, but for what it answers with 501."""
    look, whole = _Look(target), Claims.everything(target.spec)
    operations = (target.spec.operations[id] for id in whole.operations)
    return Claims(
        frozenset(op.id for op in operations if look.built(op)), whole.capabilities
    )


@dataclass
class _Look:
    """Asks what exists; remembers how the server tells of an unknown path."""

    target: Target
    unknown: dict[str, Answer | None] = field(default_factory=dict)

    def present(self, operation: Operation) -> bool:
        """Whether something answers there; a body of {} costs the server nothing."""
        answer = self.answer(operation.method, filled(operation.path))
        if answer is None or answer.status in ABSENT:
            return False
        return answer.status != 404 or not self.like_unknown(operation, answer)

    def built(self, operation: Operation) -> bool:
        """Whether a mock has something behind the path."""
        answer = self.answer(operation.method, filled(operation.path))
        return answer is not None and answer.status != NOT_BUILT

    def like_unknown(self, operation: Operation, answer: Answer) -> bool:
        """Whether a 404 is about the path, not about what the path or body names."""
        if _code(answer) == "model_not_found":
            return False
        method = operation.method
        if method not in self.unknown:
            self.unknown[method] = self.answer(method, NOWHERE)
        unknown = self.unknown[method]
        if unknown is None or unknown.status != 404:
            return False
        return _blank(answer, filled(operation.path)) == _blank(unknown, NOWHERE)

    def guarded(self, operation: Operation) -> bool:
        """Whether a request without a key is refused."""
        answer = self.answer(operation.method, filled(operation.path), key=None)
        return answer is not None and answer.status in (401, 403)

    def controlled(self) -> bool:
        """Whether the control page answers."""
        answer = self.answer("GET", CONTROL)
        return (
            answer is not None
            and answer.status == 200
            and isinstance(answer.body, View)
        )

    def answer(self, method: str, path: str, key: Key = ...) -> Answer | None:
        body: Any = {} if method == "POST" else ...
        try:
            return self.target.send(method, path, body, key=key)
        except httpx.HTTPError:
            return None


def filled(path: str) -> str:
    """The path with an id that names nothing, so that nothing can come to harm."""
    parts = path.split("/")
    return "/".join(NOBODY if part.startswith("{") else part for part in parts)


def _code(answer: Answer) -> object:
    error = answer.body.get("error") if isinstance(answer.body, View) else None
    return error.get("code") if isinstance(error, View) else None


def _blank(answer: Answer, path: str) -> str:
    """What an answer says without the path that it was about."""
    text = answer.message
    for form in (path, quote(path, safe="")):
        text = text.replace(form, "")
    return text


def choose_models(target: Target) -> dict[str, str]:
    """The model to ask for, by resource: as named, as listed, or as the spec prints."""
    listed = models_listed(target)
    chosen = {
        resource: _model(target, resource, listed)
        for resource in target.spec.resources
        if resource in _asking(target.spec)
    }
    return {**chosen, **target.models}


def _asking(spec: Spec) -> set[str]:
    """The resources whose requests name a model, in the body or in the path."""
    return {
        operation.resource
        for operation in spec.operations.values()
        if not operation.capability
        and ("model" in operation.fields or "model" in operation.sample.get("path", {}))
    }


def models_listed(target: Target) -> list[str]:
    """The ids that GET /models names; none where it does not answer with a list."""
    try:
        body = target.get("/models").body
    except httpx.HTTPError:
        return []
    data = body.get("data") if isinstance(body, View) else None
    rows = data if isinstance(data, list) else []
    ids = (row.get("id") for row in rows if isinstance(row, View))
    return [id for id in ids if isinstance(id, str) and id]


def _model(target: Target, resource: str, listed: list[str]) -> str:
    """The printed model if it is listed, else one of the registry, else the first."""
    printed = target.model(resource)
    if printed in listed or not listed:
        return printed
    served = sorted(target.spec.served(resource), key=lambda model: model.legacy)
    known = next((model.id for model in served if model.id in listed), None)
    if known is None and served and not _sampled(target.spec, resource):
        return printed
    return known or listed[0]


def _sampled(spec: Spec, resource: str) -> bool:
    """Whether the resource's sample names a model, so that one must be named."""
    return any(
        "model" in op.sample
        for op in spec.operations.values()
        if op.resource == resource
    )


def to_yaml(claims: Claims) -> str:
    """The claims as a file that ``--claims`` reads."""
    rows = {
        "operations": sorted(claims.operations),
        "capabilities": sorted(claims.capabilities),
    }
    return str(yaml.safe_dump(rows, sort_keys=False))


def from_yaml(text: str, spec: Spec) -> Claims:
    """The claims in a file; raises ValueError for what the spec does not know."""
    try:
        rows = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"expected claims in YAML, got {error}") from None
    if not isinstance(rows, dict) or set(rows) - {"operations", "capabilities"}:
        raise ValueError("expected the keys operations and capabilities in the claims")
    known = Claims.everything(spec)
    return Claims(
        _known("operations", rows, known.operations),
        _known("capabilities", rows, known.capabilities),
    )


def _known(
    name: str, rows: Mapping[str, object], known: frozenset[str]
) -> frozenset[str]:
    given = rows.get(name) or []
    if not isinstance(given, list):
        raise ValueError(f"expected a list of {name}, got {given!r}")
    strangers = sorted(str(one) for one in given if one not in known)
    if strangers:
        raise ValueError(f"expected {name} of the spec, got {strangers}")
    return frozenset(given)
