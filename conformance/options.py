"""The words of the command ``assay``, and the values that they stand for."""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from conformance.session import COURTESY, Server

Handler = Callable[[argparse.Namespace], int]
AT_ONCE = 3  # clauses that our own mock is asked about: more wait for each other


def parser(commands: Mapping[str, Handler]) -> argparse.ArgumentParser:
    """The parser; what it gives has the command's function as ``handler``."""
    top = argparse.ArgumentParser(
        prog="assay", description="Checks a server against the OpenAI HTTP API."
    )
    rooms = top.add_subparsers(metavar="command", required=True)
    for name, (add, words) in COMMANDS.items():
        sub = rooms.add_parser(name, help=words, description=f"assay {name} {words}.")
        sub.set_defaults(handler=commands[name])
        add(sub)
    return top


def _check(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("url", nargs="?", help="ends in /v1; without it, our own mock")
    _server(sub)
    _choice(sub)
    sub.add_argument("--claims", type=Path, metavar="FILE", help="what is served")
    sub.add_argument(
        "--quick",
        action="store_true",
        help="leave out what is slow: fuzz, training, pictures, sounds",
    )
    sub.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help=f"clauses that are looked at at once: 1, or {AT_ONCE} of our own mock",
    )
    sub.add_argument("--seed", type=int, default=0, help="of what is drawn by chance")
    sub.add_argument(
        "--tokenizer",
        metavar="FILE|NAME",
        help="the server's tokenizer.json, or an encoding that tiktoken knows",
    )
    sub.add_argument(
        "--reference-weights",
        nargs="?",
        const="float32",
        choices=("float32", "float16", "bfloat16"),
        metavar="PRECISION",
        help="the server has loaded the exported weights and computes in float32 (the "
        "default), float16 or bfloat16: compare it with the reference model",
    )
    sub.add_argument("--baseline", type=Path, metavar="FILE", help="expected failures")
    for form in ("json", "html", "junit"):
        sub.add_argument(f"--{form}", type=Path, metavar="FILE", help="write a report")


def _server(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--api-key", metavar="KEY", help="default: OPENAI_API_KEY")
    sub.add_argument("--edition", help="of the API, such as 2023-04")
    sub.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="RESOURCE=NAME",
        help="the model to ask for",
    )
    sub.add_argument("--timeout", type=float, default=30.0, metavar="SECONDS")
    sub.add_argument(
        "--header",
        action="append",
        default=[],
        metavar="'NAME: VALUE'",
        help="sent with every request",
    )
    sub.add_argument("--ca", type=Path, metavar="FILE", help="certificates to trust")
    sub.add_argument(
        "--budget",
        default="",
        metavar="requests=N,tokens=N,seconds=N",
        help="what a run may ask for",
    )


def _choice(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="GLOB",
        nargs="+",
        help="ids of clauses or names of resources",
    )


def _list(sub: argparse.ArgumentParser) -> None:
    _choice(sub)
    sub.add_argument("--edition", help="of the API, such as 2023-04")


def _explain(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("clause", help="the id of a clause")
    sub.add_argument("--edition", help="of the API, such as 2023-04")


def _probe(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("url", help="ends in /v1")
    _server(sub)
    sub.add_argument(
        "--claims", type=Path, metavar="FILE", help="write them there, not to stdout"
    )


def _report(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("run", type=Path, help="a run.json")
    for form in ("html", "junit", "markdown", "badge"):
        sub.add_argument(f"--{form}", type=Path, metavar="FILE", help="write it")


def _spec(sub: argparse.ArgumentParser) -> None:
    whats = sub.add_subparsers(dest="what", required=True)
    edition = "of the API, such as 2023-04"
    lint = whats.add_parser("lint", help="tells what is wrong with the pages")
    lint.add_argument("--edition", help=f"{edition}; by default each")
    export = whats.add_parser("export", help="writes an edition as plain OpenAPI 3.1")
    export.add_argument("--edition", help=edition)
    export.add_argument("--format", choices=["json", "yaml"], default="json")
    diff = whats.add_parser("diff", help="tells what changed between two editions")
    diff.add_argument("before", metavar="A", help=edition)
    diff.add_argument("after", metavar="B", help=edition)
    clauses = whats.add_parser("clauses", help="writes the clauses as tables")
    clauses.add_argument("--edition", help=f"{edition}; by default each")
    clauses.add_argument("--resource", help="such as chat; by default each")


COMMANDS: Mapping[str, tuple[Callable[[argparse.ArgumentParser], None], str]] = {
    "check": (_check, "judges a server"),
    "list": (_list, "names the clauses"),
    "explain": (_explain, "tells all about one clause"),
    "probe": (_probe, "finds out what a server serves and writes its claims"),
    "report": (_report, "renders a run.json"),
    "spec": (_spec, "checks, exports, compares or lists the spec"),
}


def parsed(
    parser: argparse.ArgumentParser, argv: Sequence[str] | None
) -> argparse.Namespace:
    """The options; a URL that was taken for another pattern of --only is the URL."""
    options = parser.parse_args(argv)
    if getattr(options, "url", "") is None:
        for group in options.only:
            if "://" in group[-1]:
                options.url = group.pop()
    return options


def only(options: argparse.Namespace) -> list[str]:
    return [pattern for group in options.only for pattern in group]


def workers(options: argparse.Namespace) -> int:
    """How many clauses are looked at at once.

    A server of others is not put under load unless that is asked for.
    """
    if options.workers is None:
        return 1 if options.url else AT_ONCE
    if options.workers < 1:
        raise ValueError(f"expected at least one worker, got {options.workers}")
    return int(options.workers)


def server(options: argparse.Namespace, url: str, key: str | None = None) -> Server:
    """The server that the options speak of."""
    if not options.timeout > 0:
        raise ValueError(f"expected a timeout above 0, got {options.timeout:g}")
    return Server(
        url=url,
        key=key or options.api_key or os.environ.get("OPENAI_API_KEY") or None,
        timeout=options.timeout,
        headers=pairs(options.header, ":", "a header like 'Name: value'"),
        ca=options.ca,
        budget=budget(options.budget),
    )


def pairs(texts: Sequence[str], sign: str, form: str) -> dict[str, str]:
    """``name sign value`` of each text, by name."""
    found = {}
    for text in texts:
        name, between, value = text.partition(sign)
        if not (name.strip() and between and value.strip()):
            raise ValueError(f"expected {form}, got {text!r}")
        found[name.strip()] = value.strip()
    return found


def models(options: argparse.Namespace, resources: Sequence[str]) -> dict[str, str]:
    """The model for each resource that is named."""
    named = pairs(options.model, "=", "a model like chat=gpt-4")
    for resource in named:
        if resource not in resources:
            known = ", ".join(resources)
            raise ValueError(f"expected a resource of {known}, got {resource!r}")
    return named


def budget(text: str) -> dict[str, int]:
    """What is said of requests, tokens and seconds."""
    parts = [part for part in text.split(",") if part.strip()]
    named = pairs(parts, "=", "a budget like requests=100,tokens=5000")
    for name, value in named.items():
        if name not in COURTESY or not value.isdecimal():
            raise ValueError(f"expected a budget like requests=100, got {name}={value}")
    return {name: int(value) for name, value in named.items()}
