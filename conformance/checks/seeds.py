"""Seeds and fingerprints: what makes an answer one that comes again."""

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from conformance.dialect import Dialect, both
from conformance.registry import Findings
from conformance.view import Absent

if TYPE_CHECKING:
    from conformance.target import Target

SEEDS = (11, 42, 2023, 999_983)
TIMES = 3


@both("seed-repeats")
def seed_repeats(target: "Target", dialect: Dialect) -> Findings:
    """Answers of another system_fingerprint are left out; none at all is one too."""
    seen = defaultdict(list)
    for _ in range(TIMES):
        reply = drawn(target, dialect, n=2, seed=SEEDS[0])
        texts = tuple(dialect.text(choice) for choice in reply["choices"])
        seen[str(reply.get("system_fingerprint"))].append(texts)
    compared = max(seen.values(), key=len)
    if len(compared) < 2:
        raise Absent("two answers of one system_fingerprint")
    if len(set(compared)) > 1:
        yield f"{len(compared)} answers to one seed were {sorted(set(compared))}"


@both("seed-differs")
def seed_differs(target: "Target", dialect: Dialect) -> Findings:
    said = {
        dialect.text(drawn(target, dialect, seed=seed)["choices"][0]) for seed in SEEDS
    }
    if len(said) == 1:
        yield f"{len(SEEDS)} seeds at temperature 2 all gave {said.pop()!r}"


@both("fingerprint")
def fingerprint(target: "Target", dialect: Dialect) -> Findings:
    found = dialect.ask(target).json().get("system_fingerprint")
    if not isinstance(found, str) or not found:
        yield f"the system_fingerprint was {found!r}"


@both("fingerprint-prefix")
def fingerprint_prefix(target: "Target", dialect: Dialect) -> Findings:
    found = told(target, dialect)
    if not found.startswith("fp_"):
        yield f"the system_fingerprint was {found!r}"


@both("fingerprint-stays")
def fingerprint_stays(target: "Target", dialect: Dialect) -> Findings:
    first, second = (told(target, dialect) for _ in range(2))
    if first != second:
        yield f"two answers had the system_fingerprints {first!r} and {second!r}"


def drawn(target: "Target", dialect: Dialect, **changes: Any) -> Any:
    """An answer in which chance has the largest part."""
    return dialect.ask(target, temperature=2, max_tokens=12, **changes).json()


def told(target: "Target", dialect: Dialect) -> str:
    """The fingerprint of an answer; raises Absent where there is none."""
    return str(dialect.ask(target).json()["system_fingerprint"])
