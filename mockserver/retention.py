"""What is kept of a request and its answer, and for how long."""

import logging
import time
from enum import Enum
from typing import TYPE_CHECKING

from mockserver.database import Unavailable
from mockserver.records import Policy
from mockserver.store import Store
from spec import Operation, Spec

if TYPE_CHECKING:
    from mockserver.accounts import Accounts

DAY = 24 * 60 * 60  # seconds
PACE = 60 * 60  # seconds between two looks at what has come to its end
log = logging.getLogger("assay.mock")


class Keeping(Enum):
    """Where the content of a request may be noted."""

    STORED = "stored"
    MEMORY = "memory"
    """In this process, until the key's next request: it is never stored."""
    NOTHING = "nothing"


def keeping(operation: Operation, policy: Policy, spec: Spec) -> Keeping:
    """What the retention of ``operation`` allows, and the operator asks for."""
    kept = spec.retention.get(operation.id)
    if kept is None or kept.zero == "no":
        return Keeping.STORED
    if kept.zero == "always":
        return Keeping.MEMORY
    return Keeping.NOTHING if policy.zero_retention else Keeping.STORED


def ends(operation: Operation, spec: Spec, now: int) -> int | None:
    """When what is stored of a request of ``now`` is thrown away; None is never."""
    kept = spec.retention.get(operation.id)
    return now + kept.days * DAY if kept and kept.days else None


class Broom:
    """Throws away what has come to its end: as the clock moves, and once an hour."""

    def __init__(self, store: Store, accounts: "Accounts") -> None:
        self._store, self._accounts = store, accounts
        self._due = 0.0

    def pass_by(self) -> None:
        """Sweep, if it is time. A store that fails is swept another time."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + PACE
        try:
            self.sweep(int(time.time()))  # nobody's clock is behind this one
        except Unavailable as fault:
            log.warning("nothing was swept: %s", fault)

    def sweep(self, now: int, organization: str | None = None) -> None:
        """Throw away what has come to its end; of all, or of one organisation."""
        self._store.expire(now, organization)
        self._accounts.expire(now, organization)
