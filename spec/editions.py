"""Editions: what a page says on a given date.

Pages are plain dicts and lists; to ask for a Mapping would take a third of the time.
"""

from typing import Any

EDITION_KEYS = ("x-since", "x-until", "x-editions")


def in_force(node: Any, edition: str) -> bool:
    """Whether ``node`` exists in ``edition``; ``x-until`` is the first without it."""
    if not isinstance(node, dict):
        return True
    since, until = node.get("x-since", ""), node.get("x-until", "~")
    return str(since) <= edition < str(until)


def at(node: Any, edition: str) -> Any:
    """``node`` as it is in ``edition``, with no edition key left in it."""
    if isinstance(node, list):
        return [at(item, edition) for item in node if in_force(item, edition)]
    if not isinstance(node, dict):
        return node
    merged = dict(node)
    for date, changes in sorted(node.get("x-editions", {}).items()):
        if date <= edition:
            merged |= changes
    return {
        key: at(value, edition)
        for key, value in merged.items()
        if key not in EDITION_KEYS and in_force(value, edition)
    }
