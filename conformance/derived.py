"""Checks that nobody writes: what a clause derives is read off the spec."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from conformance import fuzz
from conformance.fields import (
    GONE,
    lawful,
    required_at,
    spelled,
    unlawful,
    with_value,
)
from conformance.forms import FORM
from conformance.registry import Check, Findings
from conformance.view import Absent
from spec import Clause, Operation, Spec
from spec.model import Pointer

if TYPE_CHECKING:
    from conformance.target import Answer, Target

Body = dict[str, Any]
MOST = 8  # findings of one kind that a report needs
SLOW = frozenset({"fuzz-valid", "fuzz-invalid"})
LONG = ("speech.input-length",)  # the answer is a sound of five minutes


def derived_checks(spec: Spec) -> Iterator[Check]:
    """A check for every clause that derives one."""
    for clause in spec.clauses.values():
        if clause.derive and not clause.unobservable:
            yield Check(
                clause.id,
                partial(_observe, clause),
                slow=bool(SLOW & set(clause.derive)) or clause.id in LONG,
            )


def _observe(clause: Clause, target: "Target") -> Findings:
    """Everything that the clause derives, on every operation that it speaks of."""
    for operation in target.operations(clause):
        for kind in clause.derive:
            observe = WHOLE.get(kind)
            if observe is not None:
                yield from observe(clause, operation, target)
            else:
                yield from _field(clause, operation, kind, target)


def _reply(clause: Clause, operation: Operation, target: "Target") -> Findings:
    asked = target.ready(operation.id)
    making = _maker(operation, target.spec)
    if making is not None:
        path = {"path": asked["path"]} if "path" in asked else {}
        target.call(making.id, **path)
    body = target.ask(operation, asked).json()
    if making is not None and body.get("data") == []:
        raise Absent("data[0]")  # where nothing is listed, nothing is seen
    yield from _first(operation.answer.faults(body.plain))


def _maker(operation: Operation, spec: Spec) -> Operation | None:
    """What adds to the list that this operation gives; None where it gives none."""
    if operation.method != "GET" or "data" not in operation.reply.get("properties", ()):
        return None
    name = f"POST {operation.path}"
    return next((one for one in spec.operations.values() if one.name == name), None)


def _stream(clause: Clause, operation: Operation, target: "Target") -> Findings:
    assert operation.stream is not None
    chunks = target.stream(
        operation.path, **target.sample(operation.id, stream=True)
    ).chunks
    if not chunks:
        yield "the stream had no chunk"
    faults = (
        f"chunk {place}: {fault}"
        for place, chunk in enumerate(chunks)
        for fault in operation.stream.part.faults(chunk)
    )
    yield from _first(faults)


def _id(clause: Clause, operation: Operation, target: "Target") -> Findings:
    id = target.call(operation.id).json()["id"]
    if not (isinstance(id, str) and id.startswith(operation.id_prefix or "")):
        yield f"the id was {id!r}"


def _rule(clause: Clause, operation: Operation, target: "Target") -> Findings:
    rule = next(rule for rule in operation.rules if rule.id == clause.id)
    served = target.call(operation.id, **_made(rule.accept, operation, target))
    yield from _served(served, f"{rule.accept!r}")
    refused = target.call(operation.id, **_made(rule.reject, operation, target))
    yield from _refused(refused, f"{rule.reject!r}")


def _made(
    witness: Mapping[str, Any], operation: Operation, target: "Target"
) -> dict[str, Any]:
    """A witness that names what is there where the sample's own ids were examples."""
    links = target.spec.links.get(operation.id, ())
    linked = {name for link in links for name in link.body} & operation.fields.keys()
    examples = {name: operation.sample[name] for name in linked & {*operation.sample}}
    if not any(value in examples.values() for value in witness.values()):
        return {**witness}
    ready = target.ready(operation.id)
    there = {example: ready[name] for name, example in examples.items()}
    return {
        name: there.get(value, value) if isinstance(value, str) else value
        for name, value in witness.items()
    }


def _field(
    clause: Clause, operation: Operation, keyword: str, target: "Target"
) -> Findings:
    """One keyword of one field, on both of its sides."""
    sample = target.ready(operation.id)
    for what, body in _lawful(clause.pointer, operation, keyword, sample):
        yield from _served(target.ask(operation, body), what)
    for what, body in _unlawful(clause.pointer, operation, keyword, sample):
        yield from _refused(target.ask(operation, body), what)


def _lawful(
    pointer: Pointer, operation: Operation, keyword: str, sample: Body
) -> Iterator[tuple[str, Body]]:
    """Bodies that the keyword lets pass, each with a name."""
    name = spelled(pointer)
    for value in lawful(operation.field(pointer), keyword):
        if value is not None or operation.media_type != FORM:  # a form has no null
            yield f"{name} = {value!r}", with_value(operation, sample, pointer, value)
    if keyword == "accept" and not required_at(operation, pointer):
        yield f"a body without {name}", with_value(operation, sample, pointer, GONE)


def _unlawful(
    pointer: Pointer, operation: Operation, keyword: str, sample: Body
) -> Iterator[tuple[str, Body]]:
    """Bodies that break the keyword and nothing else, each with a name."""
    name = spelled(pointer)
    if keyword == "additionalProperties":
        yield "an unknown parameter", {**sample, "assay_unknown_parameter": 1}
    if keyword == "required":
        yield f"a body without {name}", with_value(operation, sample, pointer, GONE)
    for value in unlawful(operation.field(pointer), keyword):
        yield f"{name} = {value!r}", with_value(operation, sample, pointer, value)


def _served(answer: "Answer", what: str) -> Findings:
    if answer.status != 200:
        yield f"{_cut(what)} was answered {answer.status}"


def _refused(answer: "Answer", what: str) -> Findings:
    if not answer.refused:
        yield f"{_cut(what)} was answered {answer.status}"


def _cut(text: str) -> str:
    return text if len(text) <= 120 else text[:120] + "…"


def _first(faults: Iterator[str]) -> Findings:
    for place, fault in enumerate(faults):
        if place == MOST:
            yield "and more"
            return
        yield fault


WHOLE: dict[str, Callable[[Clause, Operation, "Target"], Findings]] = {
    "reply": _reply,
    "stream": _stream,
    "id": _id,
    "rule": _rule,
    "fuzz-valid": fuzz.valid,
    "fuzz-invalid": fuzz.invalid,
}
"""What is derived from an operation; every other kind is a keyword of a field."""
