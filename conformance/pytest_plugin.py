"""`pytest --target URL`: one item per clause; without the option, nothing at all."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conformance.registry import Check
    from conformance.results import Result
    from conformance.target import Target
    from spec import Clause

PLUGIN = "assay-target"
OUTPUT = "assay"


class AssayWarning(pytest.PytestWarning):
    """A SHOULD that fails."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("assay", "conformance to the OpenAI HTTP API")
    add = group.addoption
    add("--target", metavar="URL", help="the server to check; ends in /v1")
    add("--assay-key", metavar="KEY", help="its key; default: OPENAI_API_KEY")
    add("--assay-edition", metavar="DATE", help="of the API, such as 2023-04")
    add(
        "--assay-only",
        action="append",
        default=[],
        metavar="GLOB",
        help="ids of clauses or names of resources",
    )
    add("--assay-seed", type=int, default=0, metavar="N", help="of what is drawn")
    add("--assay-html", metavar="FILE", help="write the report")
    add("--assay-json", metavar="FILE", help="write the run")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("--target"):
        return
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args[:] = []
    config.pluginmanager.register(Session(config), PLUGIN)


class Session:
    """The items of one process, and what became of them."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.started = datetime.now(UTC)
        self.begun = time.monotonic()
        self.results: list[Result] = []
        self.runs: list[dict[str, Any]] = []
        self._target: Target | None = None

    @property
    def target(self) -> Target:
        """The server, found out about when the first item needs it."""
        if self._target is None:
            self._target = _prepared(self.config)
        return self._target

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        """Adds our items before -k and -m look at them."""
        parent = Clauses.from_parent(session, name="assay", nodeid="assay")
        items.extend(parent.collect())
        session.testscollected = len(items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object | None) -> None:
        """Takes what an xdist worker saw."""
        text = getattr(node, "workeroutput", {}).get(OUTPUT)
        if text:
            self.runs.append(json.loads(text))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._target is not None:
            self._target.close()
            if self.results:
                self.runs.append(self.record(self._target))
        output = getattr(self.config, "workeroutput", None)
        if output is not None:
            output[OUTPUT] = json.dumps(self.runs[0]) if self.runs else ""
        elif self.runs:
            self.write()

    def record(self, target: Target) -> dict[str, Any]:
        """What this process saw, in the form of run.json."""
        from conformance.results import run_json

        return run_json(
            target,
            self.results,
            started=self.started,
            seconds=time.monotonic() - self.begun,
            command=f"pytest --target {target.base_url}",
        )

    def write(self) -> None:
        """Writes one report of all processes."""
        asked = {
            form: Path(self.config.getoption(f"--assay-{form}"))
            for form in ("html", "json")
            if self.config.getoption(f"--assay-{form}")
        }
        if asked:
            # The reports are the command's business; this is its only door to them.
            from conformance.__main__ import write

            write(merged(self.runs), asked)


class Clauses(pytest.Collector):
    """All clauses that are asked for."""

    def collect(self) -> Iterator[ClauseItem]:
        from conformance.registry import all_checks
        from conformance.session import base, selected
        from spec import load

        try:
            base(self.config.getoption("--target"))
            spec = load(self.config.getoption("--assay-edition"))
            checks = all_checks(spec)
            clauses = selected(spec, checks, self.config.getoption("--assay-only"))
        except ValueError as error:
            raise pytest.UsageError(str(error)) from None
        for clause in clauses:
            yield ClauseItem.from_parent(
                self, name=clause.id, clause=clause, check=checks.get(clause.id)
            )


class ClauseItem(pytest.Item):
    """One clause, put to the server."""

    def __init__(self, *, clause: Clause, check: Check | None, **rest: Any) -> None:
        super().__init__(**rest)
        self.clause = clause
        self.check = check

    def runtest(self) -> None:
        from conformance.runner import judged

        session = self.config.pluginmanager.get_plugin(PLUGIN)
        assert isinstance(session, Session)
        result = judged(session.target, self.clause, self.check)
        session.results.append(result)
        told(result, session.target)

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None
    ) -> Any:
        if isinstance(excinfo.value, Unkept):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[str, None, str]:
        return "assay", None, f"{self.clause.level} {self.clause.id}"


class Unkept(AssertionError):  # noqa: N818  # the word of the house
    """A clause that fails its item."""


def told(result: Result, target: Target) -> None:
    """Tells pytest what became of a clause, in its own ways."""
    from conformance.account import failure, unjudged
    from conformance.exchange import curl
    from conformance.results import row

    match result.outcome, result.clause.level:
        case "holds", _:
            return
        case "fails", "MUST":
            line = curl(result.telling, target.secrets) if result.telling else None
            raise Unkept(failure(row(result, target), line))
        case ("broken check", _) | ("untestable", "MUST"):
            raise Unkept(unjudged(row(result, target)))
        case "fails", "SHOULD":
            found = f"{result.clause.id}: {'; '.join(result.findings)}"
            warnings.warn(AssayWarning(found), stacklevel=2)
        case "fails", _:
            pytest.skip(f"noted: {'; '.join(result.findings)}")
        case _:
            pytest.skip(f"{result.outcome}: {result.reason}")


def _prepared(config: pytest.Config) -> Target:
    """The server as the options name it; ends the session where there is none."""
    import os

    from conformance.session import Server, Unreachable, opened, prepared
    from spec import load

    key = config.getoption("--assay-key") or os.environ.get("OPENAI_API_KEY")
    try:
        target = opened(
            Server(config.getoption("--target"), key),
            load(config.getoption("--assay-edition")),
            seed=config.getoption("--assay-seed"),
        )
        return prepared(target)
    except ValueError as error:
        pytest.exit(str(error), returncode=2)
    except Unreachable as error:
        pytest.exit(str(error), returncode=3)


def merged(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The runs of several processes as one, in the order of the spec."""
    from conformance.results import overall
    from spec import load

    order = list(load(runs[0]["edition"]).clauses)
    rows = [row for run in runs for row in run["results"]]
    rows.sort(key=lambda row: order.index(row["clause"]))
    return {
        **runs[0],
        "started": min(run["started"] for run in runs),
        "seconds": max(run["seconds"] for run in runs),
        "verdict": overall((row["outcome"], row["level"]) for row in rows),
        "results": rows,
    }
