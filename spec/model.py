"""The frozen values that the pages become: one Spec per edition."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any, Literal
from urllib.parse import quote

from spec.schema import Schema

Json = Any
Level = Literal["MUST", "SHOULD", "MAY"]
RESPONSE = "$response.body#/"
Pointer = tuple[str, ...]
"""Where a field stands in a body: property names, ``[]`` for an item, ``{}`` for a
map's value."""


@dataclass(frozen=True)
class Source:
    """Where a clause was read: a document, its date, a section, a public link."""

    id: str
    document: str
    date: str
    section: str
    url: str | None


@dataclass(frozen=True)
class Clause:
    """One testable sentence about a server."""

    id: str
    level: Level
    says: str
    basis: str
    source: tuple[str, ...]
    resource: str
    operations: tuple[str, ...] = ()
    """The operations it speaks of; empty where it speaks of every one."""
    derive: tuple[str, ...] = ()
    """What a derived check exercises; empty where a check is written by hand."""
    pointer: Pointer = ()
    """The request field that it speaks of, where it was said on a field."""
    capability: str | None = None
    unobservable: str | None = None
    cause: str | None = None
    """What usually makes a server break it."""


@dataclass(frozen=True)
class Refusal:
    """How the API says no: a status and the four keys of the error envelope."""

    name: str
    status: int
    type: str
    param: str | None
    code: str | None
    message: str

    def worded(self, **words: object) -> "Refusal":
        """The same refusal with ``words`` put into its message."""
        return replace(self, message=self.message.format(**words))

    @property
    def envelope(self) -> dict[str, Json]:
        """The body that tells it."""
        keys = ("message", "type", "param", "code")
        return {"error": {key: getattr(self, key) for key in keys}}


@dataclass(frozen=True)
class Rule:
    """A relation between fields, in CEL, its refusal and two witnesses."""

    id: str
    holds: str
    refuse: Refusal
    accept: Mapping[str, Json]
    reject: Mapping[str, Json]
    fields: tuple[str, ...]
    """The fields that the expression names; it is handed these and no others."""


@dataclass(frozen=True)
class Stream:
    """How an operation streams: when, what ends it, and how chunks add up."""

    when: str
    terminator: str
    fold: Mapping[str, Json]
    chunk: Mapping[str, Json]
    """The schema of one chunk."""

    @cached_property
    def part(self) -> Schema:
        """The schema of one chunk, with its validators."""
        return Schema(self.chunk)


@dataclass(frozen=True)
class Lifecycle:
    """The states that an object passes through: in which field, and by what moves."""

    name: str
    """The schema of the object."""
    field: str
    start: str
    moves: Mapping[str, tuple[str, ...]]
    terminal: tuple[str, ...]
    walk: tuple[str, ...] = ()
    """One way from the start to an end."""

    @property
    def states(self) -> tuple[str, ...]:
        """All states, in the order of the page."""
        return tuple(self.moves)

    def legal(self, before: str, after: str) -> bool:
        """Whether ``after`` may directly follow ``before``."""
        return after in self.moves[before]

    def reachable(self, before: str, after: str) -> bool:
        """Whether a reader who saw ``before`` may see ``after`` next.

        Who polls misses states: any number of legal moves may lie between.
        """
        seen, front = {before}, [before]
        while front:
            new = [s for s in self.moves[front.pop()] if s not in seen]
            seen.update(new)
            front += new
        return after in seen


@dataclass(frozen=True)
class Page:
    """How a list is paged: the names of its query parameters, and its order."""

    after: str
    limit: str
    by: str
    """The field that orders the list."""
    first: Literal["newest", "oldest"]
    before: str | None = None
    order: str | None = None


@dataclass(frozen=True)
class Link:
    """Where an operation gets what it asks for: from another one's answer."""

    source: str
    """The operation that makes it."""
    path: Mapping[str, Json]
    """Path parameter -> an expression such as ``$response.body#/id``."""
    body: Mapping[str, Json]
    """The request's field -> an expression, or a value that holds some."""

    def given(
        self, names: Iterable[str], answer: Mapping[str, Json]
    ) -> dict[str, Json]:
        """The values of the named parameters and fields, out of the source's answer."""
        asked = {**self.path, **self.body}
        return {name: _pointed(asked[name], answer) for name in names if name in asked}


def _pointed(expression: Json, answer: Json) -> Json:
    """What an expression of OpenAPI's links names in an answer."""
    if isinstance(expression, list):
        return [_pointed(one, answer) for one in expression]
    if isinstance(expression, Mapping):
        return {key: _pointed(one, answer) for key, one in expression.items()}
    if not str(expression).startswith(RESPONSE):
        return expression
    for step in expression.removeprefix(RESPONSE).split("/"):
        answer = answer[int(step) if isinstance(answer, list) else step]
    return answer


@dataclass(frozen=True)
class Retention:
    """How long the content of an operation is kept, and whether it need be."""

    operations: tuple[str, ...]
    days: int | None
    """None where it is kept until the customer deletes it."""
    zero: Literal["always", "eligible", "no"]
    """Whether nothing is kept: always, on request, or never."""
    source: str
    apart: str | None = None
    """What is not eligible although the rest is."""


@dataclass(frozen=True)
class Operation:
    """One method on one path, with everything the spec says of it."""

    id: str
    method: str
    path: str
    resource: str
    parameters: tuple[Mapping[str, Json], ...]
    media_type: str | None
    """Of the body; None where there is none."""
    body: Mapping[str, Json] | None
    """The body's schema; a file in it is described, see ``spec.load.FILE``."""
    reply: Mapping[str, Json]
    refusals: Mapping[str, Refusal]
    rules: tuple[Rule, ...]
    stream: Stream | None
    sample: Mapping[str, Json]
    capability: str | None
    id_prefix: str | None
    page: Page | None
    deprecated: bool
    beta: bool

    @property
    def name(self) -> str:
        """Method and path, such as ``POST /completions``."""
        return f"{self.method} {self.path}"

    def filled(self, values: Mapping[str, Json]) -> str:
        """The path with values in the place of its parameters."""
        path = self.path
        for name, value in values.items():
            path = path.replace(f"{{{name}}}", quote(str(value), safe=":"))
        return path

    @cached_property
    def body_sample(self) -> Mapping[str, Json]:
        """The body of the sample, without what stands in the path or the query."""
        query = self.query.node["properties"]
        apart = {"path", *query} - set(self.fields)
        return {name: v for name, v in self.sample.items() if name not in apart}

    @cached_property
    def request(self) -> Schema | None:
        """The body's schema, with its validators."""
        return Schema(self.body) if self.body is not None else None

    @cached_property
    def query(self) -> Schema:
        """The schema of the query, as an object of its parameters."""
        return Schema(self._object("query"))

    @cached_property
    def headers(self) -> Schema:
        """The schema of the headers that mean something here, by lower-case name."""
        return Schema(self._object("header"))

    @property
    def header_sample(self) -> Mapping[str, str]:
        """The headers that it cannot do without, besides the key."""
        known = self.headers.node["properties"]
        return {name: known[name]["enum"][0] for name in self.headers.node["required"]}

    def _object(self, place: str) -> dict[str, Json]:
        own = [p for p in self.parameters if p["in"] == place]
        same = str.lower if place == "header" else str
        return {
            "type": "object",
            "required": [same(p["name"]) for p in own if p.get("required")],
            "properties": {same(p["name"]): p["schema"] for p in own},
        }

    @cached_property
    def answer(self) -> Schema:
        """The schema of a whole answer, with its validators."""
        return Schema(self.reply)

    @cached_property
    def fields(self) -> Mapping[str, Mapping[str, Json]]:
        """The schemas of the body's own fields, by name."""
        properties: Mapping[str, Mapping[str, Json]] = (self.body or {}).get(
            "properties", {}
        )
        return properties

    def field(self, pointer: Pointer) -> Mapping[str, Json]:
        """The schema of the body's field at ``pointer``."""
        node: Mapping[str, Json] = self.body or {}
        for step in pointer:
            node = node["items"] if step == "[]" else node["properties"][step]
        return node


@dataclass(frozen=True)
class Model:
    """One row of the model registry."""

    id: str
    owner: str
    created: int
    endpoints: tuple[str, ...]
    context: int | None = None
    """Tokens of input and output together, as the documents state it."""
    limit: int | None = None
    """Tokens that the live API really accepts, where that differs."""
    output: int | None = None
    width: int | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Day -> the snapshot this name stands for from then on."""
    legacy: bool = False
    shutdown: str | None = None
    replacement: str | None = None
    can: tuple[str, ...] = ()
    """What it does beyond its endpoints, such as ``json-mode`` or ``vision``."""

    @property
    def accepts(self) -> int | None:
        """The number of tokens beyond which a request is refused."""
        return self.limit or self.context

    def snapshot(self, day: date) -> str:
        """The id that an answer names on ``day``: an alias answers as its snapshot."""
        reached = [
            to for since, to in sorted(self.aliases.items()) if since <= day.isoformat()
        ]
        return reached[-1] if reached else self.id


@dataclass(frozen=True, eq=False)
class Spec:
    """One edition, with no edition key left in it."""

    edition: str
    document: Mapping[str, Json]
    operations: Mapping[str, Operation]
    clauses: Mapping[str, Clause]
    models: Mapping[str, Model]
    sources: Mapping[str, Source]
    refusals: Mapping[str, Refusal]
    links: Mapping[str, tuple[Link, ...]]
    """By the operation that needs what another one makes."""
    lifecycles: Mapping[str, Lifecycle]
    """By the name of the schema whose objects live it."""
    retention: Mapping[str, Retention]
    """By operation."""
    sha256: str

    @property
    def resources(self) -> tuple[str, ...]:
        """The resources, in the order of their pages; ``api`` is what all share."""
        return tuple(dict.fromkeys(op.resource for op in self.operations.values()))

    def named(self, operation: str) -> Operation:
        """The operation of this id, or of this method and path.

        Raises ValueError where there is none.
        """
        for op in self.operations.values():
            if operation in (op.id, op.name):
                return op
        raise ValueError(f"expected an operation of {self.edition}, got {operation!r}")

    def served(self, endpoint: str) -> tuple[Model, ...]:
        """The models that ``endpoint`` takes."""
        return tuple(m for m in self.models.values() if endpoint in m.endpoints)

    def concerned(self, clause: Clause) -> tuple[Operation, ...]:
        """The operations that ``clause`` speaks of, in the order of the pages."""
        chosen = clause.operations or tuple(
            op.id for op in self.operations.values() if not op.capability
        )
        known = self.operations
        return tuple(known[name] for name in chosen if name in known)
