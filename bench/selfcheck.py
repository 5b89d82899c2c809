"""Every deviation against every check: which clause notices what.

python -m bench.selfcheck [GLOB ...] [--edition E] [--workers 2] [--json FILE]
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any

import httpx

from conformance.registry import Check, all_checks
from conformance.results import Result
from conformance.runner import run
from conformance.target import Claims, Target
from conformance.wire import Tape
from mockserver.app import application, house
from mockserver.deviation import Deviation
from mockserver.deviations import deviations
from mockserver.ids import Ids
from mockserver.mind import Mind
from mockserver.registry import built
from mockserver.server import listen, url
from spec import Spec, load

KEY = "sk-assay-selfcheck-0001"
FAMILIES = ("unenforced", "refused")  # derived for single fields
TOGETHER = 8  # derived deviations that share a server
HEAVY = ("embeddings.input-count",)  # the answer has 60 MB
WEIGHED = "*.weights-*"  # compare with the model, and so tell of any fault
NEAR = 3  # checks of its own operations that a deviation is put to
OTHERS = 1  # checks of other operations


class FewSeeds(Ids):
    """Draws begin at one of eight seeds, so that the model remembers most replies.

    Single tokens are drawn to be counted: eight seeds would bend their shares.
    """

    def seed(self, tokens: int) -> int:
        drawn = super().seed(tokens)
        return drawn if tokens == 1 else drawn % 8


@cache
def mind() -> Mind:
    """One model for all servers of this process: it remembers its replies."""
    shared = Mind()
    shared.wait()
    return shared


def results(
    spec: Spec,
    checks: Mapping[str, Check],
    deviant: Iterable[Deviation] = (),
    claims: Claims | None = None,
) -> list[Result]:
    """What the checks say of a server with these deviations."""
    rooms = replace(house(spec, keys=(KEY,), mind=mind()), ids=FewSeeds(1))
    socket = shared_socket()
    socket.app = application(rooms, deviant)
    target = Target(
        socket.url,
        spec,
        key=KEY,
        claims=claims or served(spec),
        deterministic=True,
        organization="org-assay",
        tape=Tape(httpx.HTTPTransport(verify=False, trust_env=False)),
    )
    try:
        return list(run(target, checks))
    finally:
        target.tape.inner.close()  # what was made goes with the house
        rooms.jobs.close()


def served(spec: Spec) -> Claims:
    """What our mock claims in this edition: everything that it has built."""
    return Claims(built(spec), Claims.everything(spec).capabilities)


@cache
def due(spec: Spec) -> frozenset[str]:
    """The clauses that have to be observed and broken: of all that is built."""
    ready = built(spec)
    return frozenset(
        clause.id
        for clause in spec.clauses.values()
        if not clause.unobservable
        and (not clause.operations or any(name in ready for name in clause.operations))
    )


def judging(spec: Spec) -> dict[str, Check]:
    """The checks of what is built."""
    return {id: check for id, check in all_checks(spec).items() if id in due(spec)}


class Socket:
    """One listening socket, behind which the application changes."""

    def __init__(self) -> None:
        self.app: Any = None
        self.url = ""
        # What a daemon thread starts is daemonic too, and holds no process up.
        opening = Thread(target=self._open, daemon=True)
        opening.start()
        opening.join()

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.app(environ, start_response)

    def _open(self) -> None:
        server = listen(self, "127.0.0.1", 0, threads=8)
        self.url = url(server)
        Thread(target=server.serve).start()


@cache
def shared_socket() -> Socket:
    """The socket of this process: opening one for each deviation costs 0.1 s."""
    return Socket()


def touching(spec: Spec, group: Collection[Deviation]) -> dict[str, Check]:
    """The checks that must notice, and a seeded few of those that must not.

    Most of the few are of the deviations' operations; the complete map asks them all.
    A deviation of all operations touches every check: it is put to those that speak of
    all operations, and to more of the others. What is slow is put to the deviations
    that name it: fuzzing finds what others already do. Beside the default edition, what
    that says too is one of the others: there it was put to faults of the operation.
    """
    named = {deviation.noticed_by for deviation in group}
    names = {name for deviation in group for name in deviation.operations}
    must, touched, others = {}, {}, {}
    for id, check in judging(spec).items():
        clause = spec.clauses[id]
        concerned = {operation.id for operation in spec.concerned(clause)}
        near = concerned & names if names else not clause.operations
        slow = check.slow or id in HEAVY
        if id in named or (near and not names):
            must[id] = check
        elif near and not slow and id in own(spec):
            touched[id] = check
        elif not slow:
            others[id] = check
    draw = random.Random(min(named))
    few = OTHERS if names else NEAR
    return must | _drawn(touched, NEAR, draw) | _drawn(others, few, draw)


def _drawn(
    checks: Mapping[str, Check], few: int, draw: random.Random
) -> dict[str, Check]:
    """Some of the checks."""
    chosen = draw.sample(sorted(checks), min(few, len(checks)))
    return {id: checks[id] for id in chosen}


def red(found: Iterable[Result]) -> dict[str, tuple[str, ...]]:
    """The clauses that failed, with what was found."""
    return {
        result.clause.id: result.findings
        for result in found
        if result.outcome == "fails"
    }


def broken(found: Iterable[Result]) -> dict[str, str | None]:
    """The checks that are themselves at fault."""
    return {
        result.clause.id: result.reason
        for result in found
        if result.outcome == "broken check"
    }


@cache
def own(spec: Spec) -> frozenset[str]:
    """What is due in this edition and not said in the default one; there, all."""
    usual = load()
    ours = due(spec)
    return ours if spec.edition == usual.edition else ours - set(usual.clauses)


def groups(spec: Spec) -> list[tuple[str, ...]]:
    """The deviations from an edition's own clauses, alone or in groups, by id.

    Faults that the spec derives for single fields share a server, up to eight of them
    and never two of one field: what a clause says of a field, only that field's fault
    can break. Every other deviation has a server of its own.
    """
    found: list[list[Deviation]] = []
    for deviation in deviations(spec).values():
        if deviation.noticed_by not in own(spec):
            continue
        room = next((g for g in found if _may_join(deviation, g)), None)
        if room is None:
            found.append([deviation])
        else:
            room.append(deviation)
    return [tuple(deviation.id for deviation in group) for group in found]


def _may_join(deviation: Deviation, group: Sequence[Deviation]) -> bool:
    first = group[0]
    family = deviation.id.rpartition("-")[2].rpartition(":")[2]
    return (
        len(group) < TOGETHER
        and family in FAMILIES
        and first.id.endswith(family)
        and deviation.operations == first.operations
        and not any(_field(deviation) == _field(one) for one in group)
    )


def _field(deviation: Deviation) -> str:
    return deviation.noticed_by.rpartition("-")[0]


def faults(
    ids: Collection[str], everything: bool = False, edition: str | None = None
) -> list[str]:
    """What is wrong with how deviations are noticed; nothing where all is well."""
    spec = load(edition)
    group = [deviations(spec)[id] for id in ids]
    if everything:
        found = results(spec, judging(spec), group)
    else:
        checks = touching(spec, group)
        found = results(spec, checks, group, claimed(spec, group, checks))
    return list(_faults(group, found))


def claimed(spec: Spec, group: Collection[Deviation], checks: Iterable[str]) -> Claims:
    """The deviations' operations, those that single clauses are about, and what makes
    the ids that they ask for.

    What is said of all operations is then asked of the deviations' alone; all where
    the deviations are of all.
    """
    single = (
        name
        for id in checks
        for name in spec.clauses[id].operations
        if len(spec.clauses[id].operations) == 1
    )
    names = {name for deviation in group for name in deviation.operations}
    whole = served(spec)
    if not names:
        return whole
    asked = making = {*names, *single}
    while making:
        making = {one for name in making for one in _makers(spec, name)} - asked
        asked |= making
    return Claims(whole.operations & asked, whole.capabilities)


def _makers(spec: Spec, name: str) -> Iterator[str]:
    """What makes that which an operation asks for or lists."""
    yield from (link.source for link in spec.links.get(name, ()))
    listing = f"POST {spec.operations[name].path}"
    yield from (one.id for one in spec.operations.values() if one.name == listing)


def _faults(group: Collection[Deviation], found: Sequence[Result]) -> Iterator[str]:
    noticed = red(found)
    outcomes = {result.clause.id: result for result in found}
    patterns = [WEIGHED, *(p for one in group for p in (one.noticed_by, *one.also))]
    for deviation in group:
        if deviation.noticed_by not in noticed:
            result = outcomes[deviation.noticed_by]
            yield f"{deviation.id}: {result.outcome} ({result.reason})"
    for id, findings in noticed.items():
        if not any(fnmatch(id, pattern) for pattern in patterns):
            yield f"{id} failed too: {findings[:1]}"
    for id, reason in broken(found).items():
        yield f"{id} broke: {reason}"


def main() -> int:
    """Print the map; 1 where a deviation is not noticed, or by the wrong checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("globs", nargs="*", default=["*"])
    parser.add_argument("--edition", help="of the API, such as 2023-04")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--near", action="store_true", help="only what it touches")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    spec = load(options.edition)
    chosen = [
        id
        for id, one in deviations(spec).items()
        if one.noticed_by in due(spec) and any(fnmatch(id, g) for g in options.globs)
    ]
    began, tally, log = time.monotonic(), Counter[str](), {}
    with ProcessPoolExecutor(options.workers) as pool:
        asked = {
            id: pool.submit(faults, (id,), not options.near, options.edition)
            for id in chosen
        }
        for id, one in asked.items():
            log[id] = wrong = one.result()
            tally["wrong" if wrong else "noticed"] += 1
            if wrong:
                print(id, *wrong, sep="\n    ", flush=True)
    print(
        f"{len(chosen)} deviations: {tally['noticed']} as they should be, "
        f"{tally['wrong']} not, in {time.monotonic() - began:.0f} s"
    )
    if options.json:
        options.json.write_text(json.dumps(log, indent=1))
    return 1 if tally["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
