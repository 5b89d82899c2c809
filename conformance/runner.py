"""Puts the checks to a server and decides what became of each clause."""

import re
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from threading import Thread

import httpx

from conformance.answer import Limited, Unserved
from conformance.probe import choose_models
from conformance.registry import Check
from conformance.results import Outcome, Result, kept
from conformance.target import Target
from conformance.view import Absent, View
from conformance.wire import BudgetSpent, Tape
from spec import Clause

Progress = Callable[[Result], None]

REPEATS = 3
GRACE = 2.0  # seconds for what is being looked at, once nobody wants the result
SILENCES = 5  # checks in a row without an answer, after which nothing more is asked
SIGNATURE = re.compile(r"\(\) (missing|takes|got)")
DETERMINISTIC = "deterministic"


def run(
    target: Target,
    checks: Mapping[str, Check],
    progress: Progress | None = None,
    *,
    clauses: Iterable[Clause] | None = None,
    workers: int = 1,
) -> Iterator[Result]:
    """What became of each clause, in the order of the spec.

    By default the clauses are those of ``checks``; ``workers`` are looked at at once.
    Raises ValueError for a clause that is said, but observed by nothing.
    """
    wanted = set(checks) if clauses is None else {clause.id for clause in clauses}
    chosen = [clause for id, clause in target.spec.clauses.items() if id in wanted]
    complete(chosen, checks)
    told = progress or (lambda result: None)
    return _results(target, checks, chosen, told, workers)


def complete(clauses: Iterable[Clause], checks: Mapping[str, Check]) -> None:
    """Raises ValueError for a clause that is said, but observed by nothing."""
    silent = [c.id for c in clauses if c.id not in checks and not c.unobservable]
    if silent:
        raise ValueError(f"expected a check of each clause, got none of {silent}")


def _results(
    target: Target,
    checks: Mapping[str, Check],
    clauses: Iterable[Clause],
    progress: Progress,
    workers: int,
) -> Iterator[Result]:
    silences = 0

    def judge(clause: Clause) -> Result:
        nonlocal silences
        if silences >= SILENCES:
            reason = "the server had stopped answering"
            return Result(clause, "untestable", reason=reason)
        result = judged(target, clause, checks.get(clause.id))
        silences = silences + 1 if _silent(result) else 0
        return result

    for result in _mapped(judge, clauses, workers):
        progress(result)
        yield result


def _mapped(
    judge: Callable[[Clause], Result], clauses: Iterable[Clause], workers: int
) -> Iterator[Result]:
    """The results in the order of the clauses, with so many threads at work.

    An interruption is not held up by what is being looked at: threads of an executor
    would be waited for.
    """
    if workers == 1:
        yield from map(judge, clauses)
        return
    found = [(Future[Result](), clause) for clause in clauses]
    waiting = deque(found)

    def work() -> None:
        while waiting:
            with suppress(IndexError):  # another one was faster
                future, clause = waiting.popleft()
                try:
                    future.set_result(judge(clause))
                except BaseException as error:  # told where the result is asked for
                    future.set_exception(error)

    threads = [Thread(target=work, daemon=True) for _ in range(workers)]
    try:
        for thread in threads:
            thread.start()
        for future, _ in found:
            yield future.result()
    finally:
        waiting.clear()
        for thread in filter(Thread.is_alive, threads):
            thread.join(GRACE / workers)


def _silent(result: Result) -> bool:
    """Whether the server was asked and never answered."""
    return bool(result.exchanges) and all(
        one.status is None for one in result.exchanges
    )


def judged(target: Target, clause: Clause, check: Check | None) -> Result:
    """What became of one clause, asked or not."""
    if clause.unobservable:
        return Result(clause, "unobservable", reason=clause.unobservable)
    unclaimed = _unclaimed(target, clause)
    if unclaimed:
        return Result(clause, "not claimed", reason=unclaimed)
    if check is None:
        raise ValueError(f"expected a check of {clause.id!r}, got none")
    lacking = _lacking(target, check)
    if lacking:
        return Result(clause, "untestable", reason=lacking)
    return observed(target, clause, check)


def _unclaimed(target: Target, clause: Clause) -> str | None:
    if clause.capability and clause.capability not in target.claims.capabilities:
        return f"the capability {clause.capability} is not claimed"
    if not target.operations(clause):
        concerned = (operation.name for operation in target.spec.concerned(clause))
        return f"the server does not claim {', '.join(concerned)}"
    return None


def _lacking(target: Target, check: Check) -> str | None:
    """What the method of checking needs and the server has not."""
    for need in check.requires:
        if need == DETERMINISTIC:
            if target.deterministic is False:
                return "the server does not repeat itself at temperature 0"
        elif need not in target.claims.capabilities:
            return f"the check needs the capability {need}, which is not claimed"
    return None


def observed(target: Target, clause: Clause, check: Check) -> Result:
    """What one check saw."""
    tape = Tape(target.tape.inner, target.tape.budget)
    findings: list[str] = []
    places: list[int] = []
    begun = time.monotonic()
    error: Exception | None = None
    looking = target.over(tape, clause)
    try:
        for finding in check.function(looking):
            findings.append(finding)  # kept if an error follows
            places.append(len(tape.exchanges) - 1)
    # Broad: a fault of one check must cost the run its verdict, not its other clauses.
    except Exception as caught:
        error = caught
    finally:
        target.left(tape)
    target.halt()
    outcome, reason = _outcome(error, findings, tape)
    if len(findings) > len(places):  # a lawful request was not served
        places.append(len(tape.exchanges) - 1)
    told = [place for place in places if place >= 0]
    return Result(
        clause,
        outcome,
        tuple(findings),
        reason,
        kept(tape.exchanges, told),
        time.monotonic() - begun,
        tape.exchanges[told[0]] if told else None,
        looking.notebook,
    )


def _outcome(
    error: Exception | None, findings: list[str], tape: Tape
) -> tuple[Outcome, str | None]:
    """The outcome and its reason; a lawful request unserved becomes a finding."""
    if isinstance(error, Unserved):
        findings.append(str(error))
    elif error is not None:
        reason = untestable(error, tape)
        if reason is None:
            return "broken check", _place(error)
        if not findings:
            return "untestable", reason
    if not tape.exchanges:
        return "broken check", "the check made no request"
    return ("fails" if findings else "holds"), None


def untestable(error: Exception, tape: Tape) -> str | None:
    """Why the server, and not the check, is behind ``error``; None where it is not."""
    match error:
        case Absent() | Limited() | BudgetSpent():
            return str(error)
        case httpx.LocalProtocolError() | UnicodeError():
            return (
                f"what the server gave cannot be sent back: {error}"
                if (tape.exchanges)
                else None
            )
        case httpx.TimeoutException():
            return f"the server did not answer in time: {_asked(tape)}"
        case httpx.HTTPError():
            return f"the connection failed: {_asked(tape)}: {error}".rstrip(": ")
        case TypeError() | AttributeError() | RecursionError() | OverflowError():
            return _form(error) if tape.exchanges else None
    return None


def _form(error: Exception) -> str | None:
    """A reply of another form than the check reads.

    The checks are typed strictly, so what has the wrong type at run time is JSON that
    a server sent: a null in the place of an object, a text in that of a number. A
    call that does not fit its function is the check's own fault.
    """
    json = (dict, list, str, int, float, type(None))
    if isinstance(error, AttributeError) and not isinstance(error.obj, json):
        return None
    if SIGNATURE.search(str(error)):
        return None
    return f"the reply has another form than the check reads: {_place(error)}"


def _asked(tape: Tape) -> str:
    if not tape.exchanges:
        return "no request was sent"
    last = tape.exchanges[-1]
    return f"{last.method} {httpx.URL(last.url).path}"


def _place(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    name = frame.filename.replace("\\", "/").rpartition("/")[2]
    return f"{type(error).__name__}: {error} ({name}:{frame.lineno})"


def find_out(target: Target) -> Target:
    """The target with its models chosen, and whether it repeats itself."""
    chosen = replace(target, models=choose_models(target))
    deterministic = repeats(chosen)
    note = "Whether it repeats itself at temperature 0 could not be found out."
    notes = (*chosen.notes, note) if deterministic is None else chosen.notes
    return replace(chosen, deterministic=deterministic, notes=notes)


def repeats(target: Target) -> bool | None:
    """Whether the same request at temperature 0 has the same answer each time.

    None where no operation that generates text is claimed, or where it does not serve.
    """
    for operation in ("createChatCompletion", "createCompletion"):
        if operation not in target.claims.operations:
            continue
        try:
            seen = [_choices(target, operation) for _ in range(REPEATS)]
        except (Unserved, Limited, Absent, BudgetSpent, httpx.HTTPError):
            continue
        return all(one == seen[0] for one in seen)
    return None


def _choices(target: Target, operation: str) -> list[object]:
    reply = target.call(operation, temperature=0, max_tokens=16).json()
    return [_said(choice) for choice in reply["choices"]]


def _said(choice: object) -> object:
    return choice.get("message", choice.get("text")) if isinstance(choice, View) else 0
