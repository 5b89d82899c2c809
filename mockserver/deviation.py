"""What a deliberate fault is: a clause that must notice it, and a change at a seam."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mockserver.reply import Reply
from spec import Operation, Refusal

if TYPE_CHECKING:
    from reference_model.engine import Job

Body = dict[str, Any]


@dataclass(frozen=True)
class Moment:
    """The request that is being answered, for faults that hang on more than a seam."""

    headers: Mapping[str, str]
    notes: dict[str, Any]
    """What deviations of this server noted at earlier requests."""
    operation: str = ""
    """Its operationId."""


MOMENT: ContextVar[Moment] = ContextVar("moment")


@dataclass(frozen=True)
class Deviation:
    """One way to be wrong. A seam that is None is left as it is.

    Seams, in the order a request meets them: ``on_body`` (parsed, before validation),
    ``forget`` (rules that are not asked), ``on_request`` (the handler's argument),
    ``on_job`` (sampling), ``on_answer`` (the body and its whole answer), ``on_reply``
    (an answer or a refusal) or ``on_events`` (the terminator is its last item),
    ``on_refusal`` (None: go on as if nothing were wrong), ``on_headers``, ``on_bytes``
    (of a stream).
    """

    id: str
    noticed_by: str
    operations: tuple[str, ...] = ()
    """The operations that deviate; empty: all of them."""
    also: tuple[str, ...] = ()
    """Patterns of clauses that may well notice it too."""
    forget: frozenset[str] = frozenset()
    on_body: Callable[[Operation, Body], Body] | None = None
    on_request: Callable[[Any], Any] | None = None
    on_job: Callable[["Job"], "Job"] | None = None
    on_answer: Callable[[Body, Reply], Reply] | None = None
    on_reply: Callable[[Reply], Reply] | None = None
    on_events: Callable[[Iterator[Any]], Iterator[Any]] | None = None
    on_refusal: Callable[[Refusal], Refusal | Reply | None] | None = None
    on_headers: Callable[[dict[str, str]], dict[str, str]] | None = None
    on_bytes: Callable[[Iterator[bytes]], Iterator[bytes]] | None = None
    routes: Callable[[str], bool] | None = None
    """Whether a path is served; for routes that are missing or too many."""

    def touches(self, operation: Operation) -> bool:
        return not self.operations or operation.id in self.operations


class Seams:
    """The deviations of a server, applied one after another."""

    def __init__(self, deviations: Iterable[Deviation] = ()) -> None:
        self._deviations = tuple(deviations)

    def of(self, operation: Operation) -> "Seams":
        """The seams that ``operation`` meets."""
        if not self._deviations:
            return self
        return Seams(d for d in self._deviations if d.touches(operation))

    @property
    def everywhere(self) -> "Seams":
        """The seams that even a request for no operation meets."""
        return Seams(d for d in self._deviations if not d.operations)

    @property
    def forgotten(self) -> frozenset[str]:
        return frozenset().union(*(d.forget for d in self._deviations))

    def body(self, operation: Operation, body: Body) -> Body:
        for change in self._at("on_body"):
            body = change(operation, body)
        return body

    def answer(self, body: Body, reply: Reply) -> Reply:
        for change in self._at("on_answer"):
            reply = change(body, reply)
        return reply

    def refusal(self, refusal: Refusal) -> Refusal | Reply | None:
        told: Refusal | Reply | None = refusal
        for change in self._at("on_refusal"):
            if isinstance(told, Refusal):
                told = change(told)
        return told

    def pass_through(self, seam: str, value: Any) -> Any:
        """``value`` after every change at ``seam``."""
        for change in self._at(seam):
            value = change(value)
        return value

    def serves(self, path: str) -> bool:
        return all(d.routes(path) for d in self._deviations if d.routes)

    def _at(self, seam: str) -> Iterator[Callable[..., Any]]:
        for deviation in self._deviations:
            change = getattr(deviation, seam)
            if change is not None:
                yield change


def mended(headers: Mapping[str, str], **changes: str | None) -> dict[str, str]:
    """``headers`` with some replaced; None drops one. ``_`` stands for ``-``."""
    kept = dict(headers)
    for name, value in changes.items():
        kept.pop(name.replace("_", "-"), None)
        if value is not None:
            kept[name.replace("_", "-")] = value
    return kept
