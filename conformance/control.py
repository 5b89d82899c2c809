"""What checks ask of a control page: a key of their own, scripts, counters."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conformance.target import Target


def apart(target: "Target", role: str = "owner") -> "Target":
    """The same server, seen by a new key of a new organisation.

    What a check sets or counts there meets no other check, not even one that runs at
    the same time.
    """
    house = f"org-check-{secrets.token_hex(6)}"
    made = target.post("/_assay/keys", organizations=[house], role=role).json()
    return replace(target, key=made["key"], organization=house)


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
