"""Faults that nobody writes: one for each fact that a server can forget."""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from io import BytesIO
from typing import Any

from mockserver.deviation import MOMENT, Body, Deviation
from mockserver.faults import body_of, chunks
from mockserver.registry import built
from mockserver.reply import Refuse, Reply
from mockserver.uploads import FORM, Upload
from spec import Clause, Operation, Refusal, Spec
from spec.model import Pointer
from spec.schema import Schema

Json = Any
OTHER = "id-"  # how ids begin that begin otherwise
FORGIVEN = "forgiven"
FIELD = frozenset(
    {
        "required",
        "type",
        "minimum",
        "maximum",
        "minItems",
        "maxItems",
        "enum",
        "pattern",
        "minLength",
        "maxLength",
        "maxProperties",
        "propertyNames",
        "values",
        "additionalProperties",
    }
)


def derive(spec: Spec) -> Iterator[Deviation]:
    """Every derived deviation of what is built in an edition."""
    served, known = built(spec), list[Json]()
    for clause in spec.clauses.values():
        for kind in clause.derive:
            for operation in spec.concerned(clause):
                if operation.id not in served:
                    continue
                if kind == "reply":
                    yield from _lacking(clause, operation, known)
                yield from _of(clause, kind, operation, _kin(operation, spec))


def _kin(operation: Operation, spec: Spec) -> tuple[str, ...]:
    """The operations that show or take the ids that this one gives."""
    return tuple(
        one.id
        for one in spec.operations.values()
        if one.resource == operation.resource
        or any(link.source == operation.id for link in spec.links.get(one.id, ()))
    )


def _of(
    clause: Clause, kind: str, operation: Operation, kin: tuple[str, ...]
) -> Iterator[Deviation]:
    fault = partial(Deviation, noticed_by=clause.id, operations=(operation.id,))
    resource = clause.resource
    if kind in FIELD:
        yield fault(
            f"{clause.id}:{kind}-unenforced",
            also=(
                f"{resource}.fuzz-invalid",
                "api.invalid-is-400",
                "api.stream-refused-as-json",
                *_siblings(clause),
            ),
            on_body=_noted(_forgiving(clause.pointer, kind)),
            on_refusal=_as_if_there,
        )
    match kind:
        case "accept":
            yield fault(
                f"{clause.id}:refused",
                also=(f"{resource}.*", "api.*"),
                on_body=_refusing(clause.pointer),
            )
        case "rule":
            yield fault(f"{clause.id}:forgotten", forget=frozenset({clause.id}))
        case "id":
            yield fault(
                f"{clause.id}:other-prefix",
                operations=kin,
                on_request=_with_ids(OTHER, operation.id_prefix or ""),
                on_reply=body_of(_ids(operation.id_prefix or "", OTHER)),
            )
        case "stream":
            assert operation.stream is not None
            for path in _required(operation.stream.chunk, []):
                yield fault(
                    f"{clause.id}:without-{'.'.join(path)}",
                    also=(
                        f"{resource}.stream-*",
                        f"{resource}.stop-*",
                        f"{resource}.logprobs-streamed",
                    ),
                    on_events=chunks(_omit(path)),
                )
        case "fuzz-valid":
            yield fault(
                f"{clause.id}:ascii-only",
                on_body=_ascii_only,
                also=("api.*", f"{resource}.stream-whole-characters"),
            )
        case "fuzz-invalid":
            yield fault(
                f"{clause.id}:all-accepted",
                also=(f"{resource}.*", "api.*"),
                on_body=_noted(_all_accepted),
                on_refusal=_as_if_there,
            )
            yield fault(
                f"{clause.id}:refusals-made-200",
                also=(f"{resource}.*", "api.*"),
                on_refusal=lambda refusal: Reply(refusal.envelope),
            )


def _siblings(clause: Clause) -> tuple[str, ...]:
    """Clauses of the same field: a type and a range may notice the same value."""
    name = clause.id.rpartition("-")[0]
    return (f"{name}-*",)


# What a request may get away with


def _forgiving(pointer: Pointer, keyword: str) -> Callable[[Operation, Body], Body]:
    """Takes a field that breaks ``keyword`` as if it had not been sent."""

    def forgive(operation: Operation, body: Body) -> Body:
        if keyword == "additionalProperties":
            return {k: v for k, v in body.items() if k in operation.fields}
        narrowed = _narrowed(operation.field(pointer), keyword)
        mended: Body = _mended(body, pointer, keyword, narrowed, operation.sample)
        return mended

    return forgive


def _mended(
    value: Json, pointer: Pointer, keyword: str, narrowed: Schema, sample: Json
) -> Json:
    """``value`` with what breaks the keyword at ``pointer`` taken from the sample."""
    step, *rest = pointer
    if step == "[]":
        if not isinstance(value, list):
            return value
        model = sample[0] if isinstance(sample, list) and sample else None
        return [_mended(item, tuple(rest), keyword, narrowed, model) for item in value]
    if not isinstance(value, Mapping):
        return value
    inner = sample.get(step) if isinstance(sample, Mapping) else None
    changed = dict(value)
    if rest:
        if step in changed:
            changed[step] = _mended(
                changed[step], tuple(rest), keyword, narrowed, inner
            )
    elif _broken(changed, step, keyword, narrowed):
        changed.pop(step, None)
        if inner is not None:
            changed[step] = _held(inner)
    return changed


def _held(value: Json) -> Json:
    """A value of the sample; a file, which is only described there, is empty."""
    described = isinstance(value, Mapping) and "filename" in value
    return Upload(BytesIO(), value) if described else value


def _broken(body: Body, name: str, keyword: str, narrowed: Schema) -> bool:
    if keyword == "required":
        return name not in body
    return name in body and not narrowed.valid(body[name])


def _narrowed(node: Mapping[str, Json], keyword: str) -> Schema:
    """The part of a schema that ``keyword`` is."""
    if keyword == "type":
        return Schema(_types(node))
    if keyword == "values":
        return Schema({"additionalProperties": node["additionalProperties"]})
    bearers = [node, *node.get("anyOf", ())]
    found = next((b[keyword] for b in bearers if keyword in b), None)
    return Schema({} if found is None else {keyword: found})


def _types(node: Mapping[str, Json]) -> dict[str, Json]:
    """A schema that asks for types and nothing else."""
    kept: dict[str, Json] = {}
    if "type" in node:
        kept["type"] = node["type"]
    if "anyOf" in node:
        kept["anyOf"] = [_types(branch) for branch in node["anyOf"]]
    if isinstance(node.get("items"), Mapping):
        kept["items"] = _types(node["items"])
    return kept


def _refusing(pointer: Pointer) -> Callable[[Operation, Body], Body]:
    """Refuses a field that may be sent: its null, or any value where null may not.

    A form has no null.
    """

    def refuse(operation: Operation, body: Body) -> Body:
        nullable = Schema(operation.field(pointer)).valid(None)
        if _sent(body, pointer, nullable and operation.media_type != FORM):
            raise Refuse(replace(operation.refusals["schema"], message="No."))
        return body

    return refuse


def _sent(value: Json, pointer: Pointer, nullable: bool) -> bool:
    step, *rest = pointer
    if step == "[]":
        return isinstance(value, list) and any(
            _sent(item, tuple(rest), nullable) for item in value
        )
    if not isinstance(value, Mapping) or step not in value:
        return False
    if rest:
        return _sent(value[step], tuple(rest), nullable)
    return value[step] is None if nullable else True


def _ascii_only(operation: Operation, body: Body) -> Body:
    """Fails on text beyond ASCII."""
    if not str(body).isascii():
        raise Refuse(replace(operation.refusals["schema"], message="Not ASCII."))
    return body


def _all_accepted(operation: Operation, body: Body) -> Body:
    """Answers whatever is sent as if it were the sample."""
    if operation.request is None or operation.request.valid(body):
        return body
    lawful: Body = {**operation.sample}
    return lawful


def _noted(
    forgive: Callable[[Operation, Body], Body],
) -> Callable[[Operation, Body], Body]:
    """Notes the request in which something was forgiven."""

    def seam(operation: Operation, body: Body) -> Body:
        after = forgive(operation, body)
        if after != body:
            MOMENT.get().notes[FORGIVEN] = MOMENT.get()
        return after

    return seam


def _as_if_there(no: Refusal) -> Refusal | Reply:
    """A sample may name what is not there: who forgives more does not mind."""
    here = MOMENT.get().notes.get(FORGIVEN) is MOMENT.get()
    return Reply({}) if no.status == 404 and here else no


# How ids begin


def _ids(before: str, after: str) -> Callable[[Json], Json]:
    """Lets every id in a body that begins one way begin another way."""

    def change(value: Json, name: str = "") -> Json:
        match value:
            case dict():
                return {key: change(one, key) for key, one in value.items()}
            case list():
                return [change(one, name) for one in value]
            case str() if name.endswith("id") and value.startswith(before):
                return after + value.removeprefix(before)
        return value

    return change


def _with_ids(before: str, after: str) -> Callable[[Any], Any]:
    """The same for the ids that a handler is asked for, in whatever field."""

    def seam(asked: Any) -> Any:
        ids = {
            name: after + value.removeprefix(before)
            for name, value in vars(asked).items()
            if isinstance(value, str) and value.startswith(before)
        }
        return replace(asked, **ids)

    return seam


# What a reply may lack


def _lacking(
    clause: Clause, operation: Operation, known: list[Json]
) -> Iterator[Deviation]:
    """A reply without one of its fields."""
    for path in _required(operation.reply, known):
        yield Deviation(
            f"{clause.id}:without-{'.'.join(path)}",
            clause.id,
            (operation.id,),
            also=(f"{clause.resource}.*", "api.*"),
            on_reply=body_of(_omit(path)),
        )


def _required(
    schema: Mapping[str, Json], known: list[Json], path: Pointer = ()
) -> Iterator[Pointer]:
    """The paths of all required fields, the outer ones first.

    Of an object that is ``known`` from another operation there is the first one alone.
    Lists of the same kind count once: of several, some may be empty. An entry of a list
    may lack the lists that the object itself shows.
    """
    always, lists = schema.get("required", ()), list[Json]()
    if always and schema in known:
        yield (*path, always[0])
        return
    known.append(schema)
    for name in always:
        yield (*path, name)
    for name, child in schema.get("properties", {}).items():
        items = child.get("items")
        if items and (items in lists or ("[]" in path and name not in always)):
            continue
        lists.append(items)
        yield from _required(child, known, (*path, name))
    if isinstance(schema.get("items"), Mapping):
        yield from _required(schema["items"], known, (*path, "[]"))


def _omit(path: Pointer) -> Callable[[Json], Json]:
    def omit(body: Json) -> Json:
        changed: Json = copy.deepcopy(body)
        _drop(changed, path)
        return changed

    return omit


def _drop(value: Json, path: Pointer) -> None:
    step, *rest = path
    if step == "[]":
        for item in value if isinstance(value, list) else ():
            _drop(item, tuple(rest))
    elif isinstance(value, dict) and rest:
        _drop(value.get(step), tuple(rest))
    elif isinstance(value, dict):
        value.pop(step, None)
