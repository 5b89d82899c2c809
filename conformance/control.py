"""What checks ask of a control page: a key of their own, scripts, counters."""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conformance.target import Target

STEPS = (60, 24 * 60 * 60)  # seconds that a clock is moved, one after the other
PAUSE = 0.2  # seconds between two looks at what cannot be hurried


def apart(target: "Target", role: str = "owner") -> "Target":
    """The same server, seen by a new key of a new organisation.

    What a check sets or counts there meets no other check, not even one that runs at
    the same time.
    """
    house = f"org-check-{secrets.token_hex(6)}"
    made = target.post("/_assay/keys", organizations=[house], role=role).json()
    return replace(target, key=made["key"], organization=house)


def alone(target: "Target") -> "Target":
    """The same server apart, if it has a control page; else as it is."""
    return apart(target) if controlled(target) else target


def controlled(target: "Target") -> bool:
    """Whether the server claims a control page."""
    return "control" in target.claims.capabilities


def waits(target: "Target") -> Iterator[Callable[[], object]]:
    """Ways to let time pass: on the server's own clock where that can be moved."""
    if controlled(target):
        for seconds in STEPS:
            yield partial(target.post, "/_assay/clock", seconds=seconds)
        return
    while time.monotonic() < target.deadline:
        yield partial(time.sleep, PAUSE)


@contextmanager
def scripted(
    target: "Target",
    texts: Sequence[str] = (),
    tokens: Sequence[Sequence[int]] = (),
    delay: float = 0.0,
) -> Iterator["Target"]:
    """The server as a new key sees it whose next choices are scripted."""
    own = apart(target)
    own.post(
        "/_assay/script",
        texts=list(texts),
        tokens=[list(t) for t in tokens],
        delay=delay,
    ).json()
    yield own


def govern(target: "Target", **policy: Any) -> None:
    """Set what the target's organisation may ask and generate; all else is lifted."""
    target.post("/_assay/policy", **policy).json()


def counters(target: "Target") -> Any:
    """The counters of the target's key."""
    return target.get("/_assay/counters").json()
