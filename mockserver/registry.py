"""Which function serves which operation, and how a request becomes its argument."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, get_type_hints

from mockserver.context import Context
from mockserver.reply import Reply, Stream
from spec import Operation, Spec
from spec.validation import coerced

Handler = Callable[[Any, Context], Reply | Stream]


@dataclass(frozen=True)
class Bound:
    """A handler and the frozen class of its requests."""

    request: type[Any]
    handler: Handler
    until: str
    """The first edition that asks more of the operation than the handler does."""


HANDLERS: dict[str, Bound] = {}
EVER = "~"  # later than any edition


def handles(operation_id: str, until: str = EVER) -> Callable[[Handler], Handler]:
    """Register the function as the one that serves ``operation_id``."""

    def register(handler: Handler) -> Handler:
        if operation_id in HANDLERS:
            raise ValueError(f"expected one handler of {operation_id!r}, got two")
        hints = get_type_hints(handler)
        HANDLERS[operation_id] = Bound(hints["request"], handler, until)
        return handler

    return register


def handler_of(operation_id: str, edition: str) -> Bound | None:
    """What serves the operation in this edition; None where it is not built."""
    found = HANDLERS.get(operation_id)
    return found if found is not None and edition < found.until else None


def built(spec: Spec) -> frozenset[str]:
    """The operations of this edition that have a handler."""
    import mockserver.handlers  # noqa: F401  # importing it registers

    return frozenset(id for id in spec.operations if handler_of(id, spec.edition))


def bind(
    request: type[Any],
    operation: Operation,
    body: Mapping[str, Any],
    query: Mapping[str, str],
    path: Mapping[str, str],
) -> Any:
    """The request as its handler's class: what was sent, else the spec's default."""
    asked = operation.query.node["properties"]
    known = {name: text for name, text in query.items() if name in asked}
    sent = {**coerced(asked, known), **body, **path}
    values = {}
    for slot in fields(request):
        schema = operation.fields.get(slot.name, asked.get(slot.name, {}))
        value = sent.get(slot.name)
        if value is None:
            value = schema.get("default")
        if value is None and slot.default is not MISSING:
            value = slot.default
        values[slot.name] = whole(value) if _integral(schema) else value
    return request(**values)


def whole(value: Any) -> Any:
    """JSON Schema counts 4.0 as an integer; Python does not."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _integral(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type", ())
    return "integer" in ([kind] if isinstance(kind, str) else kind)
