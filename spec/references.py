"""Follows the references of a document."""

from collections.abc import Mapping
from typing import Any

from spec.model import Pointer

METHODS = ("get", "post", "delete", "put", "patch")


def resolve(
    node: Any,
    document: Mapping[str, Any],
    seen: Pointer = (),
    known: dict[str, Any] | None = None,
) -> Any:
    """``node`` with every reference replaced by what it names.

    ``known`` keeps what a reference was replaced by: most are met many times. Raises
    ValueError for a reference that leads back to itself or nowhere.
    """
    known = {} if known is None else known
    if isinstance(node, list):
        return [resolve(item, document, seen, known) for item in node]
    if not isinstance(node, dict):
        return node
    ref = node.get("$ref")
    if ref is None:
        return {k: resolve(value, document, seen, known) for k, value in node.items()}
    if ref in seen:
        raise ValueError(f"expected no cycle of references, got {ref!r} in itself")
    if ref not in known:
        known[ref] = resolve(_at(ref, document), document, (*seen, ref), known)
    beside = {key: value for key, value in node.items() if key != "$ref"}
    if not beside:
        return known[ref]
    return {**known[ref], **resolve(beside, document, seen, known)}


def _at(ref: str, document: Mapping[str, Any]) -> Any:
    """What a reference names. Raises ValueError where it names nothing."""
    target: Any = document
    for part in ref.removeprefix("#/").split("/"):
        part = part.replace("~1", "/")
        if part not in target:
            raise ValueError(f"expected a known reference, got {ref!r}")
        target = target[part]
    return target


def present(document: dict[str, Any]) -> dict[str, Any]:
    """``document`` without the paths and components that this edition has not."""
    paths = {
        path: item
        for path, item in document["paths"].items()
        if not set(item).isdisjoint(METHODS)
    }
    used: set[Pointer] = set()
    _use(paths, document, used)
    components = {
        kind: {
            name: part
            for name, part in parts.items()
            if (kind, name) in used or kind == "securitySchemes"
        }
        for kind, parts in document["components"].items()
    }
    return {**document, "paths": paths, "components": components}


def _use(node: Any, document: Mapping[str, Any], used: set[Pointer]) -> None:
    """Adds the kind and the name of every component that ``node`` leads to."""
    if isinstance(node, list):
        for item in node:
            _use(item, document, used)
    elif isinstance(node, dict):
        ref = node.get("$ref")
        if isinstance(ref, str):
            component = tuple(ref.split("/")[2:4])
            if component not in used:
                used.add(component)
                kind, name = component
                _use(document["components"][kind].get(name), document, used)
        for value in node.values():
            _use(value, document, used)
