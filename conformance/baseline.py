"""Failures that are expected, each with its reason; a stale line fails the run."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from conformance.results import Result, Verdict, verdict
from spec import Spec

LINE = re.compile(r"(?P<id>\S+)\s+#\s*(?P<reason>\S.*)")


@dataclass(frozen=True)
class Baseline:
    """The clauses that are known to fail, with the reason of each."""

    reasons: Mapping[str, str]

    @classmethod
    def read(cls, path: Path, spec: Spec) -> "Baseline":
        """What a file says; raises ValueError for a line that cannot be meant."""
        reasons = dict(_lines(path.read_text(encoding="utf-8")))
        strangers = sorted(set(reasons) - set(spec.clauses))
        if strangers:
            raise ValueError(f"expected ids of clauses in {path}, got {strangers}")
        return cls(reasons)

    def verdict(self, results: Iterable[Result]) -> Verdict:
        """The verdict without the failures that are expected."""
        seen = list(results)
        if verdict(seen) == "void":
            return "void"
        if any(self.stale(seen)):
            return "nonconformant"
        return verdict(result for result in seen if not self.expects(result))

    def expects(self, result: Result) -> bool:
        return result.outcome == "fails" and result.clause.id in self.reasons

    def stale(self, results: Iterable[Result]) -> Iterator[str]:
        """A sentence for each listed clause that holds."""
        for result in results:
            if result.outcome == "holds" and result.clause.id in self.reasons:
                yield f"stale: {result.clause.id} is in the baseline, and holds"


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = LINE.fullmatch(line.strip())
        if match is None:
            raise ValueError(
                f"expected 'clause-id  # reason' in line {number}, got {line!r}"
            )
        yield match["id"], match["reason"]
