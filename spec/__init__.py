"""The machine-readable description of the API, and its reader."""

from spec.load import load
from spec.model import Clause, Operation, Refusal, Rule, Source, Spec, Stream

__all__ = [
    "Clause",
    "Operation",
    "Refusal",
    "Rule",
    "Source",
    "Spec",
    "Stream",
    "load",
]
