"""Writes an edition as plain OpenAPI 3.1, for readers that know no x- key of ours."""

from collections.abc import Mapping
from typing import Any

from spec.model import Spec

KEPT = ("x-beta",)


def export(spec: Spec) -> dict[str, Any]:
    """The document without our keys and without the control page."""
    document = dict(spec.document)
    document["info"] = {**document["info"], "version": spec.edition}
    document["paths"] = {
        path: item
        for path, item in document["paths"].items()
        if not any(
            "x-capability" in op for op in item.values() if isinstance(op, Mapping)
        )
    }
    plain: dict[str, Any] = _plain(document)
    return plain


def _plain(node: Any) -> Any:
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    return {
        key: _plain(value)
        for key, value in node.items()
        if not str(key).startswith("x-") or key in KEPT
    }
