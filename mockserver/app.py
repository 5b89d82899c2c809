"""The Flask application: routes come from the spec, everything else is the edge's."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from flask import Flask, Request, Response, request
from werkzeug.exceptions import (
    ClientDisconnected,
    HTTPException,
    RequestEntityTooLarge,
)

from mockserver import handlers
from mockserver.accounts import Accounts
from mockserver.clock import Clock
from mockserver.context import House
from mockserver.deviation import Deviation, Seams
from mockserver.edge import LARGEST, Edge, Incoming, Outgoing
from mockserver.forms import Parts, TooLarge, close, form
from mockserver.gallery import PICTURE
from mockserver.ids import Ids
from mockserver.jobs import Jobs
from mockserver.ledger import ledger
from mockserver.mind import Mind
from mockserver.records import Member
from mockserver.store import Store
from mockserver.tuning import FineTunes
from mockserver.turnstile import OPERATION
from mockserver.uploads import FORM
from spec import Operation, Spec

PREFIX = "/v1"
ENGINE = "retrieveEngine"
OLD_URLS = {
    "completions": "createCompletion",
    "embeddings": "createEmbedding",
    "edits": "createEdit",
    "chat/completions": "createChatCompletion",
}
"""Undocumented paths under an engine that client libraries of 2023 still ask (M14)."""
LEFT = 499  # what other servers log of a client that left in the middle of its request
LARGEST_FORM = 2 << 30  # bytes: more than any operation takes
DRAINED = 64 * 1024 * 1024  # bytes of a refused body that are read so that it is heard
log = logging.getLogger("assay.mock")

__all__ = ["application", "handlers", "house"]


def house(
    spec: Spec,
    *,
    keys: Sequence[str] | Mapping[str, Member] = (),
    seed: int | None = None,
    mind: Mind | None = None,
    store: str = "sqlite://",
) -> House:
    """All that one server owns.

    Raises ValueError or OSError where the store is none that we can use.
    """
    rows, mind, clock = Store(store), mind or Mind(), Clock(spec.edition)
    ids = Ids(seed, lasting=not rows.database.private)
    accounts = Accounts(spec, keys, ledger(rows.database))

    def now(organization: str) -> int:
        return clock.later(accounts.organization(organization).moved).now()

    jobs = Jobs(rows, mind.workers, [FineTunes(spec, rows, ids)], now)
    return House(spec, mind, rows, clock, ids, accounts, jobs)


def application(house: House, deviations: Iterable[Deviation] = ()) -> Flask:
    """A WSGI application that serves every operation of the house's spec."""
    app = Flask("assay-mock", static_folder=None)
    edge = Edge(house, Seams(deviations))
    for operation in house.spec.operations.values():
        app.add_url_rule(
            PREFIX + operation.path.replace("{", "<").replace("}", ">"),
            operation.id,
            _view(operation, edge),
            methods=[operation.method],
            provide_automatic_options=False,
        )
    for tail, name in OLD_URLS.items() if ENGINE in house.spec.operations else ():
        app.add_url_rule(
            f"{PREFIX}/engines/<engine_id>/{tail}",
            f"old-{tail}",
            _view(house.spec.operations[name], edge, f"/engines/{{engine_id}}/{tail}"),
            methods=["POST"],
            provide_automatic_options=False,
        )
    app.add_url_rule("/", "welcome", lambda: _response(edge.welcome(_incoming())))
    app.add_url_rule(
        PICTURE.replace("{", "<").replace("}", ">"),
        "picture",
        lambda name: _response(edge.picture(name, _incoming())),
    )
    app.register_error_handler(HTTPException, _refused(house, edge))
    app.register_error_handler(OSError, _failed(house, edge))
    app.register_error_handler(ClientDisconnected, lambda _: Response(status=LEFT))
    return app


def _view(
    operation: Operation, edge: Edge, path: str | None = None
) -> Callable[..., Response]:
    def view(**arguments: str) -> Response:
        request.environ[OPERATION] = operation.id
        if not edge.serves(path or operation.path):
            from werkzeug.exceptions import NotFound

            raise NotFound
        incoming = _incoming(arguments, operation)
        try:
            return _response(edge.answer(operation, incoming))
        finally:
            close(incoming.form or {})

    return view


def _refused(house: House, edge: Edge) -> Callable[[HTTPException], Response]:
    """An unknown path or method, told in the API's envelope."""

    def refused(fault: HTTPException) -> Response:
        name = "wrong-method" if fault.code == 405 else "unknown-url"
        words = {"method": request.method, "path": request.path[:200]}
        refusal = house.spec.refusals[name].worded(**words)
        return _response(edge.refuse(refusal, _incoming()))

    return refused


def _failed(house: House, edge: Edge) -> Callable[[OSError], Response]:
    """A body that could not be received, as where no disk has room for it."""

    def failed(fault: OSError) -> Response:
        log.error("a body for %s was lost: %s", request.path[:200], fault)
        _drain(request)
        incoming = Incoming(request.method, request.path, {}, None)
        return _response(edge.refuse(house.spec.refusals["server-fault"], incoming))

    return failed


def _incoming(
    arguments: Mapping[str, str] | None = None, operation: Operation | None = None
) -> Incoming:
    headers = {name.lower(): value for name, value in request.headers.items()}
    parts, body = _received(request, operation)
    return Incoming(
        request.method,
        request.path,
        headers,
        body,
        arguments or {},
        request.args.to_dict(),
        parts,
        request.host_url.rstrip("/"),
    )


def _received(
    sent: Request, operation: Operation | None
) -> tuple[Parts | None, bytes | None]:
    """The parts of a form where the operation takes one, else the body.

    Neither where it is too large; of a broken form there is an empty body.
    """
    if operation is None or not operation.media_type == FORM == sent.mimetype:
        return None, _read(sent)
    sent.max_content_length = LARGEST_FORM
    try:
        boundary = sent.mimetype_params.get("boundary", "")
        return form(sent.stream, boundary, LARGEST), None
    except (TooLarge, RequestEntityTooLarge):
        left = None
    except ValueError:
        left = b""
    _drain(sent)
    return None, left


def _read(request: Request) -> bytes | None:
    """The body, or None where it is too large.

    A body that is too large is read to its end and dropped: a client that is still
    sending would see a broken connection instead of the refusal.
    """
    if (request.content_length or 0) <= LARGEST:
        body = request.stream.read(LARGEST + 1)
        if len(body) <= LARGEST:
            return body
    _drain(request)
    return None


def _drain(request: Request) -> None:
    request.max_content_length = None
    left = DRAINED
    while left > 0 and (chunk := request.stream.read(1 << 20)):
        left -= len(chunk)


def _response(outgoing: Outgoing) -> Response:
    response = Response(outgoing.body, outgoing.status)
    response.headers.clear()
    for name, value in outgoing.headers.items():
        response.headers[name] = value
    if isinstance(outgoing.body, bytes):
        response.headers["content-length"] = str(len(outgoing.body))
    return response
