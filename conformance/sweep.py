"""The same request, or the same fault, put to every operation."""

import re
import string
from collections.abc import Iterator
from typing import Any

from conformance.answer import Answer
from conformance.probe import NOWHERE, filled
from conformance.target import Target
from conformance.view import Absent, View
from spec import Operation

GONE = (404, 405, 501)


def concerned(target: Target) -> list[Operation]:
    """The claimed operations that the clause at hand speaks of."""
    if target.clause is None:
        raise ValueError("expected a clause that is looked at, got none")
    return target.operations(target.clause)


def unsampled(target: Target, operation: Operation) -> bool:
    """Whether no id is known that this operation could name without harm.

    Where the spec says what makes such an id, that has to be claimed; the one in the
    sample is then a mere example.
    """
    holes = set(re.findall(r"{(\w+)}", operation.path))
    links = target.spec.links.get(operation.id, ())
    if not links:
        return bool(holes) and "path" not in operation.sample
    claimed = (link for link in links if link.source in target.claims.operations)
    return not holes.issubset(name for link in claimed for name in link.path)


def asked(target: Target, operation: Operation, **edge: Any) -> Answer:
    """The answer to the sample; without one, to an id that names nothing."""
    if unsampled(target, operation):
        return target.send(operation.method, filled(operation.path), **edge)
    return target.call(operation.id, **edge)


def answers(target: Target) -> Iterator[tuple[str, Answer]]:
    """What each operation answers, and what an unknown path does."""
    for operation in concerned(target):
        yield operation.name, asked(target, operation)
    yield "an unknown path", target.get(NOWHERE)


def lawful(target: Target, operation: Operation) -> Answer:
    """The answer to the sample; raises Unserved where it was refused."""
    answer = target.call(operation.id)
    answer.served()
    return answer


def served(answer: Answer) -> bool:
    """Whether a lawful request was; raises Limited where a limit was in its way."""
    if answer.status == 429:
        answer.served()
    return 200 <= answer.status < 300


def header(answer: Answer, name: str) -> str:
    """One header; raises Absent where the answer has none of that name."""
    if name not in answer.headers:
        raise Absent(f"{name} header")
    return str(answer.headers[name])


def speaking(operation: Operation) -> str:
    """The field of the sample's body that holds its text; else the first there is."""
    names = (*operation.body_sample, *operation.fields)
    return next(name for name in names if name != "model")


def broken(operation: Operation) -> dict[str, Any]:
    """The sample's text as an object, which no operation takes."""
    return {speaking(operation): {"no": "text"}}


def refusals(target: Target) -> Iterator[tuple[str, Answer]]:
    """How each operation refuses, and an unknown path; at least one does."""
    seen = 0
    for name, answer in (*faulty(target), ("an unknown path", target.get(NOWHERE))):
        if answer.refused:
            seen += 1
            yield name, answer
    if not seen:
        raise Absent("refusal")


def errors(target: Target) -> Iterator[tuple[str, View]]:
    """The error objects of the refusals that have one; at least one has."""
    seen = 0
    for name, answer in refusals(target):
        error = told(answer)
        if error is not None:
            seen += 1
            yield name, error
    if not seen:
        raise Absent("refusal with an error object")


def told(answer: Answer) -> View | None:
    """The error object of a refusal, if it has one."""
    error = answer.body.get("error") if isinstance(answer.body, View) else None
    return error if isinstance(error, View) else None


def served_paths(target: Target) -> set[str]:
    """The paths at which something answers."""
    return {
        operation.path
        for operation in concerned(target)
        if asked(target, operation).status not in GONE
    }


def faulty(target: Target) -> Iterator[tuple[str, Answer]]:
    """A fault of each kind: in the body, in the path, or in the key."""
    for operation in concerned(target):
        if operation.body is not None:
            answer = target.call(operation.id, **broken(operation))
        elif "{" in operation.path:
            answer = target.send(operation.method, filled(operation.path))
        else:
            answer = asked(target, operation, key=stranger(target))
        yield operation.name, answer


def assaults(target: Target, operation: Operation) -> Iterator[tuple[str, Answer]]:
    """Bodies that break a parser or what stands behind it."""
    for what, raw in (
        ("bytes that are no UTF-8", b'{"model": "\xff\xfe"}'),
        ("100,000 open brackets", b"[" * 100_000),
    ):
        yield what, target.call(operation.id, content=raw)
    field = speaking(operation)
    texts: tuple[tuple[str, Any], ...] = (
        ("a number that is none", float("nan")),
        ("half a surrogate pair", said(operation, "a\ud800b")),
        ("a NUL character", said(operation, "a\x00b")),
    )
    for what, value in texts:
        yield what, target.call(operation.id, **{field: value})


def said(operation: Operation, text: str) -> Any:
    """``text`` in the form in which the operation takes texts."""
    if speaking(operation) == "messages":
        return [{"role": "user", "content": text}]
    return text


def stranger(target: Target) -> str:
    """A key of the usual form that nobody has."""
    drawn = target.random.choices(string.ascii_letters + string.digits, k=48)
    return "sk-" + "".join(drawn)
