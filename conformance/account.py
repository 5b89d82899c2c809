"""Clauses and results in words, for a terminal."""

import inspect
import unicodedata
from collections.abc import Iterator, Mapping
from textwrap import fill
from typing import Any

from conformance.registry import Check
from conformance.results import sources
from spec import Clause, Spec

FINDINGS = 10  # of one clause


def shown(text: str) -> str:
    """``text`` without what a server could steer a terminal with."""
    return "".join(
        character
        if unicodedata.category(character)[0] != "C"
        else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def failure(row: Mapping[str, Any], line: str | None = None) -> str:
    """A failing clause: what is said, what was seen, and how to see it again.

    ``line`` is the curl line of the request that told.
    """
    return "\n".join(_failure(row, line))


def _failure(row: Mapping[str, Any], line: str | None) -> Iterator[str]:
    yield f"FAILS {row['level']} {row['clause']}"
    yield f"  {row['sentence']}"
    findings = row["findings"]
    for finding in findings[:FINDINGS]:
        yield f"  - {shown(finding)}"
    if len(findings) > FINDINGS:
        yield f"  - and {len(findings) - FINDINGS} more"
    if row["cause"]:
        yield f"  likely cause: {row['cause']}"
    for source in dict.fromkeys(map(cited, row["source"])):
        yield f"  source: {source}"
    if line:
        yield f"  request: {shown(line)}"
    yield f"  reproduce: {row['reproduce']}"


def unjudged(row: Mapping[str, Any]) -> str:
    """One line for a clause that could not be judged."""
    word = row["outcome"].upper()
    return f"{word} {row['level']} {row['clause']}: {shown(row['reason'] or '')}"


def cited(source: Mapping[str, Any]) -> str:
    link = f" <{source['url']}>" if source["url"] else ""
    return f"{source['document']} ({source['date']}), {source['section']}{link}"


def listed(clause: Clause, spec: Spec) -> str:
    """One clause on one line."""
    found = sources(clause, spec)
    places = "; ".join(
        dict.fromkeys(f"{row['document']}, {row['section']}" for row in found)
    )
    return f"{clause.level:6} {clause.id:42} {clause.says} [{places}]"


def explained(clause: Clause, check: Check | None, spec: Spec) -> str:
    """One clause fully."""
    return "\n".join(_explained(clause, check, spec))


def _explained(clause: Clause, check: Check | None, spec: Spec) -> Iterator[str]:
    yield f"{clause.id} ({clause.level}, {clause.basis})"
    yield fill(clause.says, 88, initial_indent="  ", subsequent_indent="  ")
    for source in dict.fromkeys(map(cited, sources(clause, spec))):
        yield f"  source: {source}"
    names = [operation.name for operation in spec.concerned(clause)]
    yield f"  operations: {', '.join(names) if clause.operations else 'all'}"
    if clause.capability:
        yield f"  capability: {clause.capability}"
    if clause.cause:
        yield f"  likely cause of a failure: {clause.cause}"
    yield f"  how it is checked: {observation(clause, check)}"


def observation(clause: Clause, check: Check | None) -> str:
    """How a clause is looked at: what the check's docstring says, or where it is."""
    if clause.unobservable:
        return f"not at all. {clause.unobservable}"
    if check is None:
        return "not yet"
    function = getattr(check.function, "func", check.function)  # inside a partial
    words = inspect.getdoc(function)
    return words or f"{function.__module__}.{getattr(function, '__qualname__', '')}"
