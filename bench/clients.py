"""Drives the mock with clients that are not ours, and prints what became of it.

python -m bench.clients [--edition E ...] [--only CLIENT ...]

The clients are three generations of the official library for Python, two of that for
Node, and the command lines of the API reference. Exits with 1 where one of them saw
something else than a plain request does.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.drivers import (
    CLIENTS,
    NOT_BUILT,
    OK,
    PLAIN,
    Client,
    Told,
    operation,
    serving,
    told,
    verdicts,
)
from spec import load
from spec.pages import editions

LEGEND = """
ok: it saw what a plain request sees; bare: so it did by the library's general request,
for it has no method; not built: 501; -: not asked."""


def main() -> int:
    """Print a table for each edition; 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [client.name for client in CLIENTS]
    parser.add_argument("--edition", action="append", choices=editions())
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    options = parser.parse_args()
    chosen = [client for client in CLIENTS if client.name in options.only]
    for client in chosen:
        if client.absent:
            print(f"{client.name} is left out: no {client.program} on this machine")
    sound = True
    for edition in options.edition or editions():
        fit = [c for c in chosen if edition in c.editions and not c.absent]
        sound &= _driven(fit, edition)
    print(LEGEND)
    return 0 if sound else 1


def _driven(clients: Sequence[Client], edition: str) -> bool:
    """Whether all is well in an edition; its table is printed."""
    heads, columns, faults = [], [], []
    with serving(edition) as base_url, tempfile.TemporaryDirectory() as room:
        plain = told(PLAIN, base_url, edition, Path(room))
        for client in clients:
            saw = told(client, base_url, edition, Path(room))
            found = list(verdicts(client, saw, plain, edition))
            heads.append((client.name, saw.version))
            columns.append(_column(found, saw))
            faults += [
                f"{client.name}: {step}: {verdict}"
                for step, verdict in found
                if verdict not in (OK, NOT_BUILT)
            ]
    _print(edition, heads, columns)
    print("".join(f"\n{fault}" for fault in faults))
    return not faults


def _column(found: Sequence[tuple[str, str]], saw: Told) -> Mapping[str, str]:
    """A word for each operation that was asked."""
    column: dict[str, str] = {}
    for step, verdict in found:
        asked = operation(step)
        if verdict == OK:
            column.setdefault(asked, "bare" if asked in saw.bare else OK)
        elif column.get(asked) != "FAILED":
            column[asked] = NOT_BUILT if verdict == NOT_BUILT else "FAILED"
    return column


def _print(
    edition: str,
    heads: Sequence[tuple[str, str]],
    columns: Sequence[Mapping[str, str]],
) -> None:
    asked = [op for op in load(edition).operations.values() if not op.capability]
    for first, row in zip(("", edition), zip(*heads, strict=True), strict=True):
        print(f"{first:30}" + "".join(f"{cell:>15}" for cell in row))
    for op in asked:
        cells = (column.get(op.id, "-") for column in columns)
        print(f"{op.id:30}" + "".join(f"{cell:>15}" for cell in cells))


if __name__ == "__main__":
    sys.exit(main())
