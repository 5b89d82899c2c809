"""Writes an edition as plain OpenAPI 3.1, for readers that know no x- key of ours."""

from collections.abc import Mapping
from typing import Any

from spec.model import Spec
from spec.references import resolve

KEPT = ("x-beta",)
COMPONENT = 3  # slashes in #/components/schemas/Name


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
    plain: dict[str, Any] = _plain(document, spec.document)
    return plain


def _plain(node: Any, document: Mapping[str, Any]) -> Any:
    """``node`` without our keys.

    Many readers follow a reference to a whole component only, so one that leads deeper
    is replaced by what it names.
    """
    if isinstance(node, list):
        return [_plain(item, document) for item in node]
    if not isinstance(node, Mapping):
        return node
    if str(node.get("$ref", "")).count("/") > COMPONENT:
        return _plain(resolve(node, document), document)
    return {
        key: _plain(value, document)
        for key, value in node.items()
        if not str(key).startswith("x-") or (key in KEPT and value)
    }
