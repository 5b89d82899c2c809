"""The command ``assay-mock``."""

import argparse
import logging
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted; 0 after that, 2 where the call's words are off."""
    options = _parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    try:
        if options.list_deviations:
            return _list(options.edition)
        if options.list_unbuilt:
            return _list_unbuilt(options.edition)
    except ValueError as fault:
        print(f"assay-mock: {fault}", file=sys.stderr)
        return 2
    return _serve(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="assay-mock", description="A reference mock of the OpenAI HTTP API."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one")
    parser.add_argument(
        "--api-key",
        action="append",
        default=[],
        help="a key to accept; with none, any key is",
    )
    parser.add_argument("--edition", help="the edition to serve, such as 2023-04")
    parser.add_argument(
        "--deviation",
        action="append",
        default=[],
        metavar="ID",
        help="deviate deliberately; see --list-deviations",
    )
    parser.add_argument("--seed", type=int, help="make ids and draws repeatable")
    parser.add_argument("--list-deviations", action="store_true")
    parser.add_argument(
        "--list-unbuilt", action="store_true", help="what is answered with 501"
    )
    return parser


def _list(edition: str | None) -> int:
    from mockserver.deviations import deviations
    from spec import load

    for deviation in deviations(load(edition)).values():
        print(f"{deviation.id:60} {deviation.noticed_by}")
    return 0


def _list_unbuilt(edition: str | None) -> int:
    from mockserver.registry import built
    from spec import load

    spec = load(edition)
    served = built(spec)
    for operation in spec.operations.values():
        if operation.id not in served:
            print(f"{operation.id:32} {operation.name}")
    return 0


def _serve(options: argparse.Namespace) -> int:
    from mockserver.app import application, house
    from mockserver.server import listen, url
    from spec import load

    try:
        spec = load(options.edition)
        rooms = house(spec, keys=tuple(options.api_key), seed=options.seed)
        chosen = []
        if options.deviation:
            from mockserver.deviations import deviations

            known = deviations(spec)
            chosen = [known[name] for name in options.deviation]
        server = listen(application(rooms, chosen), options.host, options.port)
    except (ValueError, OSError, KeyError) as fault:
        print(f"assay-mock: {_words(fault)}", file=sys.stderr)
        return 2
    print(f"ready {url(server)}", flush=True)
    rooms.mind.warm()
    try:
        server.serve()
    except KeyboardInterrupt:
        server.stop()
    return 0


def _words(fault: Exception) -> str:
    if isinstance(fault, KeyError):
        return f"unknown deviation {fault.args[0]!r}; see --list-deviations"
    return str(fault)


if __name__ == "__main__":
    sys.exit(main())
