"""The command ``assay-mock``."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from mockserver import logs
from mockserver.config import Config, add_flags, settled


class Parser(argparse.ArgumentParser):
    """One that tells what is off in one line."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; see --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until stopped; 0 after that, 2 where the call's words are off.

    1 where the server fails again and again.
    """
    logs.to_stderr()
    try:
        options = _parser().parse_args(argv)
        config = settled(vars(options), os.environ)
        if options.list_deviations:
            return _list(config)
        if options.list_unbuilt:
            return _list_unbuilt(config)
        from mockserver.production import serve

        return serve(config)
    except (ValueError, OSError) as fault:
        print(f"assay-mock: {fault}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="assay-mock",
        description="A reference mock of the OpenAI HTTP API.",
        epilog="Each setting may be a variable, as ASSAY_MOCK_PORT, or in the file.",
        allow_abbrev=False,
    )
    add_flags(parser)
    parser.add_argument("--list-deviations", action="store_true")
    parser.add_argument(
        "--list-unbuilt", action="store_true", help="what is answered with 501"
    )
    return parser


def _list(config: Config) -> int:
    from mockserver.deviations import deviations
    from spec import load

    for deviation in deviations(load(config.edition)).values():
        print(f"{deviation.id:60} {deviation.noticed_by}")
    return 0


def _list_unbuilt(config: Config) -> int:
    from mockserver.registry import built
    from spec import load

    spec = load(config.edition)
    served = built(spec)
    for operation in spec.operations.values():
        if operation.id not in served:
            print(f"{operation.id:32} {operation.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
