"""False alarms of the laboratory on the faithful mock, and its coefficients.

python -m bench.laboratory [--runs 100] [--edition E]

Every run has another seed: other draws of the server, other pairs of tokens.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

from bench.selfcheck import KEY, judging, mind, served, shared_socket
from conformance.dialect import CHAT, COMPLETIONS
from conformance.registry import Check
from conformance.results import Result
from conformance.runner import run
from conformance.slopes import slope
from conformance.target import Target
from conformance.titration import balance
from conformance.wire import Tape
from mockserver.app import application, house
from spec import Spec, load

PENALTIES = ("frequency_penalty", "presence_penalty")
VALUES = ((0, 2), (0.5, 2), (1, 2))


@dataclass
class Tally:
    """What came of all runs."""

    outcomes: Counter[str] = field(default_factory=Counter)
    alarms: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)

    def add(self, seed: int, result: Result) -> None:
        self.outcomes[result.outcome] += 1
        if result.outcome != "holds":
            told = result.findings[:1] or (result.reason,)
            self.alarms.append(f"seed {seed}: {result.clause.id}: {told[0]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--edition", help="of the API, such as 2023-04")
    options = parser.parse_args()
    spec, tally = load(options.edition), Tally()
    checks = laboratory(spec)
    for seed in range(options.runs):
        begun = time.monotonic()
        for result in run(target(spec, seed), checks):
            tally.add(seed, result)
        tally.seconds.append(time.monotonic() - begun)
        for error, requests in coefficients(target(spec, seed)):
            tally.errors.append(error)
            tally.requests.append(requests)
    tell(tally, len(checks))


def laboratory(spec: Spec) -> dict[str, Check]:
    """The checks that measure."""
    return {
        id: check
        for id, check in judging(spec).items()
        if check.slow
        and spec.clauses[id].resource in ("completions", "chat")
        and not spec.clauses[id].derive
    }


def target(spec: Spec, seed: int) -> Target:
    """A faithful server whose draws nobody drew before."""
    socket = shared_socket()
    socket.app = application(house(spec, keys=(KEY,), mind=mind()))
    return Target(
        socket.url,
        spec,
        key=KEY,
        claims=served(spec),
        seed=seed,
        deterministic=True,
        tape=Tape(httpx.HTTPTransport(verify=False, trust_env=False)),
    )


def coefficients(server: Target) -> Iterator[tuple[float, int]]:
    """How far from 1 the error bars of each reach, and in how many requests."""
    for dialect in (COMPLETIONS, CHAT):
        if dialect.operation not in server.claims.operations:
            continue
        scale = balance(server, dialect)
        for name in PENALTIES:
            found = slope(scale, name, 1, VALUES)
            yield max(abs(end - 1) for end in found.figure.ends), found.requests


def tell(tally: Tally, clauses: int) -> None:
    runs, times = len(tally.seconds), sorted(tally.seconds)
    print(f"{runs} runs of {clauses} clauses: {dict(tally.outcomes)}")
    print(*tally.alarms, sep="\n")
    middle = times[runs // 2]
    print(f"seconds a run: {times[0]:.1f} to {times[-1]:.1f}, median {middle:.1f}")
    print(
        f"{len(tally.errors)} coefficients: at most {max(tally.errors):.4f} off, "
        f"in at most {max(tally.requests)} requests"
    )


if __name__ == "__main__":
    main()
