"""The command ``assay``."""

import argparse
import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from conformance import account, options
from conformance.baseline import Baseline
from conformance.embedded import embedded
from conformance.exchange import curl
from conformance.probe import built, from_yaml, probe, to_yaml
from conformance.progress import progress
from conformance.registry import Check, all_checks
from conformance.results import Result, exit_code, run_json
from conformance.runner import run
from conformance.session import (
    Claimed,
    Unreachable,
    matching,
    opened,
    prepared,
    reach,
    selected,
)
from conformance.target import Target
from conformance.vocabulary import tokenizer
from reports import summary
from spec import Clause, Spec, load
from spec.pages import editions

WEIGHTS = "reference-weights"
DEFAULT_HTML = Path("reports/out/index.html")
USAGE = 2
UNREACHED = 3
STOPPED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """0 conformant, 1 not, 2 our fault or usage, 3 incomplete."""
    chosen = options.parsed(options.parser(COMMANDS), argv)
    try:
        return int(chosen.handler(chosen))
    except (ValueError, OSError) as error:
        print(f"assay: {account.shown(str(error))}", file=sys.stderr)
        return USAGE
    except Unreachable as error:
        print(f"assay: {account.shown(str(error))}", file=sys.stderr)
        return UNREACHED
    except KeyboardInterrupt:
        print("assay: stopped", file=sys.stderr)
        return STOPPED


def check(chosen: argparse.Namespace) -> int:
    """Judges a server, or our own mock where none is named."""
    spec = load(chosen.edition)
    checks = all_checks(spec)
    clauses = selected(spec, checks, options.only(chosen), quick=chosen.quick)
    baseline = Baseline.read(chosen.baseline, spec) if chosen.baseline else Baseline({})
    started, begun = datetime.now(UTC), time.monotonic()
    with _target(chosen, spec) as target:
        results = _results(target, checks, clauses, options.workers(chosen))
    judged = baseline.verdict(results)
    record = run_json(
        target,
        results,
        started=started,
        seconds=time.monotonic() - begun,
        command=_command(chosen, full=True),
        judged=judged,
    )
    written = write(record, _papers(chosen))
    _tell(target, record, results, baseline, written)
    return exit_code(judged)


@contextmanager
def _target(chosen: argparse.Namespace, spec: Spec) -> Iterator[Target]:
    """The server of the command line, ready; or the mock, which claims all it has."""
    if chosen.url:
        claimed = _claimed(chosen, spec)
        with _tidy(), _ready(chosen, spec, chosen.url, None, claimed) as target:
            yield target
        return
    with (
        _tidy(),
        embedded(chosen.edition) as (url, key),
        _ready(chosen, spec, url, key, built) as target,
    ):
        yield target


def _claimed(chosen: argparse.Namespace, spec: Spec) -> Claimed:
    """How the server's claims are learned: from the file that is named, or from it."""
    if not chosen.claims:
        return probe
    claims = from_yaml(chosen.claims.read_text("utf-8"), spec)
    return lambda target: claims


@contextmanager
def _tidy() -> Iterator[None]:
    """Lets SIGTERM end what was started, as Ctrl-C does."""
    before = signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(128 + int(signal.SIGTERM))
    )
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _ready(
    chosen: argparse.Namespace,
    spec: Spec,
    url: str,
    key: str | None,
    claimed: Claimed,
) -> Iterator[Target]:
    target = opened(
        options.server(chosen, url, key),
        spec,
        seed=chosen.seed,
        models=options.models(chosen, spec.resources),
        organization=os.environ.get("OPENAI_ORGANIZATION"),
        command=_command(chosen),
    )
    try:
        yield _weighed(chosen, prepared(_spelled(chosen, target), claimed))
    finally:
        for path in target.close():
            print(f"assay: could not take away {account.shown(path)}", file=sys.stderr)


def _spelled(chosen: argparse.Namespace, target: Target) -> Target:
    """The target with its tokenizer, where the options name one that can be read."""
    if chosen.tokenizer:
        tokenizer(chosen.tokenizer)
    return replace(target, tokenizer=chosen.tokenizer)


def _weighed(chosen: argparse.Namespace, target: Target) -> Target:
    """The target that claims our weights, where the options say so."""
    if not chosen.reference_weights:
        return target
    if find_spec("torch") is None:
        raise ValueError("expected torch for --reference-weights, got none")
    claims = target.claims
    capabilities = claims.capabilities | {WEIGHTS}
    return replace(
        target,
        claims=replace(claims, capabilities=capabilities),
        precision=chosen.reference_weights,
    )


def _results(
    target: Target,
    checks: Mapping[str, Check],
    clauses: Sequence[Clause],
    workers: int,
) -> list[Result]:
    with progress(len(clauses)) as tell:
        return list(run(target, checks, tell, clauses=clauses, workers=workers))


def _command(chosen: argparse.Namespace, *, full: bool = False) -> str:
    """The command line without what is secret; ``full`` with what one check drops."""
    words = ["assay", "check", *([chosen.url] if chosen.url else [])]
    words += ["--edition", chosen.edition] if chosen.edition else []
    words += ["--claims", str(chosen.claims)] if chosen.claims else []
    words += ["--tokenizer", chosen.tokenizer] if chosen.tokenizer else []
    if chosen.reference_weights:
        words += ["--reference-weights", chosen.reference_weights]
    for model in chosen.model:
        words += ["--model", model]
    if full:
        words += [word for name in options.only(chosen) for word in ("--only", name)]
        words += ["--quick"] if chosen.quick else []
        words += ["--seed", str(chosen.seed)]
    return shlex.join(words)


def _papers(chosen: argparse.Namespace) -> dict[str, Path]:
    """The reports that are asked for; a run of our mock leaves a page to look at."""
    forms = ("json", "html", "junit")
    asked = {form: getattr(chosen, form) for form in forms if getattr(chosen, form)}
    return asked if chosen.url else {"html": DEFAULT_HTML, **asked}


def write(run: Mapping[str, Any], papers: Mapping[str, Path]) -> list[Path]:
    """Writes a run in each form; gives the paths, a page to look at first."""
    for form, path in papers.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_rendered(run, form), encoding="utf-8", errors="replace")
    return sorted(papers.values(), key=lambda path: path != papers.get("html"))


def _rendered(run: Mapping[str, Any], form: str) -> str:
    if form == "json":
        return json.dumps(run, indent=1) + "\n"
    return str(import_module(f"reports.{form}").render(run))


def _tell(
    target: Target,
    record: Mapping[str, Any],
    results: Sequence[Result],
    baseline: Baseline,
    written: Sequence[Path],
) -> None:
    """What needs a reader, and the line worth pasting last."""
    for row, result in zip(record["results"], results, strict=True):
        if result.outcome == "fails" and not baseline.expects(result):
            one = result.telling
            line = curl(one, target.secrets) if one else None
            print(account.failure(row, line), end="\n\n")
    for row in record["results"]:
        if row["outcome"] in ("untestable", "broken check"):
            print(account.unjudged(row))
    for line in baseline.stale(results):
        print(line)
    report = f" Report: {written[0]}" if written else ""
    print(summary.line(record) + report)


def list_clauses(chosen: argparse.Namespace) -> int:
    spec = load(chosen.edition)
    for clause in matching(spec, options.only(chosen)):
        print(account.listed(clause, spec))
    return 0


def explain(chosen: argparse.Namespace) -> int:
    spec = load(chosen.edition)
    if chosen.clause not in spec.clauses:
        raise ValueError(f"expected the id of a clause, got {chosen.clause!r}")
    checks = all_checks(spec)
    clause = spec.clauses[chosen.clause]
    print(account.explained(clause, checks.get(clause.id), spec))
    return 0


def probe_server(chosen: argparse.Namespace) -> int:
    spec = load(chosen.edition)
    target = opened(options.server(chosen, chosen.url), spec)
    try:
        reach(target)
        claims = to_yaml(probe(target))
    finally:
        target.close()
    if chosen.claims:
        chosen.claims.write_text(claims, "utf-8")
    else:
        print(claims, end="")
    return 0


def report(chosen: argparse.Namespace) -> int:
    """Renders a run, which may come from elsewhere and is looked at first."""
    record = json.loads(chosen.run.read_text("utf-8"))
    _validate(record, chosen.run)
    forms = ("html", "junit", "markdown", "badge")
    papers = {form: getattr(chosen, form) for form in forms if getattr(chosen, form)}
    if not papers:
        raise ValueError("expected one of --html, --junit, --markdown, --badge")
    for path in write(record, papers):
        print(path)
    return 0


def _validate(record: Any, path: Path) -> None:
    from jsonschema import Draft202012Validator

    schema = json.loads((files("reports") / "run.schema.json").read_text("utf-8"))
    error = next(Draft202012Validator(schema).iter_errors(record), None)
    if error is not None:
        raise ValueError(
            f"expected a run in {path}, got {error.json_path}: {error.message[:200]}"
        )


def spec_page(chosen: argparse.Namespace) -> int:
    return int(PAGES[chosen.what](chosen))


def _editions(chosen: argparse.Namespace) -> list[Spec]:
    """The edition that is named, else each."""
    named = [chosen.edition] if chosen.edition else editions()
    return [load(edition) for edition in named]


def lint_spec(chosen: argparse.Namespace) -> int:
    from spec.lint import lint

    faults = dict.fromkeys(f for spec in _editions(chosen) for f in lint(spec))
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def export_spec(chosen: argparse.Namespace) -> int:
    from spec.export import export

    document = export(load(chosen.edition))
    if chosen.format == "yaml":
        print(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), end="")
    else:
        print(json.dumps(document, indent=2))
    return 0


def diff_spec(chosen: argparse.Namespace) -> int:
    from spec.compare import told

    print(told(load(chosen.before), load(chosen.after)))
    return 0


def tell_clauses(chosen: argparse.Namespace) -> int:
    from spec.tables import tables

    print(tables(_editions(chosen), chosen.resource), end="")
    return 0


PAGES = {
    "lint": lint_spec,
    "export": export_spec,
    "diff": diff_spec,
    "clauses": tell_clauses,
}
COMMANDS = {
    "check": check,
    "list": list_clauses,
    "explain": explain,
    "probe": probe_server,
    "report": report,
    "spec": spec_page,
}


if __name__ == "__main__":
    sys.exit(main())
