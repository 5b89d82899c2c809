"""Faults of seeds and fingerprints, for completions and for chat."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

from mockserver.deviation import Deviation
from mockserver.deviations.streams import OPERATIONS
from mockserver.faults import body_of, changed, without
from mockserver.reply import Reply

NAME = "system_fingerprint"


def told(change: Callable[[str], str]) -> Callable[[Reply], Reply]:
    """Changes the fingerprint of an answer."""
    return body_of(lambda body: {**body, NAME: change(body[NAME])})


def _of(resource: str, operation: str) -> Iterator[Deviation]:
    def fault(name: str, clause: str, *also: str, **seams: Any) -> Deviation:
        patterns = tuple(f"{resource}.{pattern}" for pattern in also)
        id, noticed = f"{resource}.{name}", f"{resource}.{clause}"
        return Deviation(id, noticed, (operation,), patterns, **seams)

    yield fault("seed-ignored", "seed-repeats", on_request=changed(seed=lambda _: None))
    yield fault(
        "seed-fixed", "seed-differs", on_request=changed(seed=lambda seed: seed and 1)
    )
    yield fault(
        "fingerprint-none",
        "fingerprint",
        on_reply=body_of(lambda body: without(body, NAME)),
    )
    yield fault(
        "fingerprint-empty",
        "fingerprint",
        "fingerprint-prefix",
        on_reply=told(lambda _: ""),
    )
    yield fault(
        "fingerprint-bare",
        "fingerprint-prefix",
        on_reply=told(lambda name: name.removeprefix("fp_")),
    )
    yield fault(
        "fingerprint-anew",  # it names the request
        "fingerprint-stays",
        on_reply=told(lambda _: f"fp_{secrets.token_hex(5)}"),
    )


DEVIATIONS = tuple(deviation for pair in OPERATIONS.items() for deviation in _of(*pair))
