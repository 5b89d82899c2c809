"""The Flask application: routes come from the spec, everything else is the edge's."""

from collections.abc import Callable, Iterable, Mapping

from flask import Flask, Request, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from mockserver import handlers
from mockserver.accounts import Accounts
from mockserver.clock import Clock
from mockserver.context import House
from mockserver.deviation import Deviation, Seams
from mockserver.edge import LARGEST, Edge, Incoming, Outgoing
from mockserver.forms import Parts, TooLarge, close, form
from mockserver.gallery import PICTURE
from mockserver.ids import Ids
from mockserver.mind import Mind
from mockserver.store import Store
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
LARGEST_FORM = 2 << 30  # bytes: more than any operation takes
DRAINED = 64 * 1024 * 1024  # bytes of a refused body that are read so that it is heard

__all__ = ["application", "handlers", "house"]


def house(
    spec: Spec,
    *,
    keys: tuple[str, ...] = (),
    seed: int | None = None,
    mind: Mind | None = None,
    store: str = "sqlite://",
) -> House:
    """All that one server owns."""
    return House(
        spec,
        mind or Mind(),
        Store(store),
        Clock(spec.edition),
        Ids(seed),
        Accounts(spec, keys),
    )


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
    return app


def _view(
    operation: Operation, edge: Edge, path: str | None = None
) -> Callable[..., Response]:
    def view(**arguments: str) -> Response:
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
