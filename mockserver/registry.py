"""Which function serves which operation, and how a request becomes its argument."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, get_type_hints

from mockserver.context import Context
from mockserver.reply import Reply, Stream
from spec import Operation

Handler = Callable[[Any, Context], Reply | Stream]


@dataclass(frozen=True)
class Bound:
    """A handler and the frozen class of its requests."""

    request: type[Any]
    handler: Handler


HANDLERS: dict[str, Bound] = {}


def handles(operation_id: str) -> Callable[[Handler], Handler]:
    """Register the function as the one that serves ``operation_id``."""

    def register(handler: Handler) -> Handler:
        if operation_id in HANDLERS:
            raise ValueError(f"expected one handler of {operation_id!r}, got two")
        hints = get_type_hints(handler)
        HANDLERS[operation_id] = Bound(hints["request"], handler)
        return handler

    return register


def bind(
    request: type[Any],
    operation: Operation,
    body: Mapping[str, Any],
    path: Mapping[str, str],
) -> Any:
    """The request as its handler's class: what was sent, else the spec's default."""
    values = {}
    for slot in fields(request):
        schema = operation.fields.get(slot.name, {})
        value = path.get(slot.name, body.get(slot.name))
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
