"""The machine-readable description of the API, and its reader."""

from spec.load import load
from spec.model import (
    Clause,
    Lifecycle,
    Operation,
    Refusal,
    Rule,
    Source,
    Spec,
    Stream,
)
from spec.validation import Request, validate

__all__ = [
    "Clause",
    "Lifecycle",
    "Operation",
    "Refusal",
    "Request",
    "Rule",
    "Source",
    "Spec",
    "Stream",
    "load",
    "validate",
]
