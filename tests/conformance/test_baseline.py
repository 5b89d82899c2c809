import pytest

from conformance.baseline import Baseline
from conformance.results import Result

FAILING, OTHER = "completions.stream-done", "chat.stream-done"


@pytest.fixture
def written(tmp_path, spec):
    def write(text):
        path = tmp_path / "baseline.txt"
        path.write_text(text)
        return Baseline.read(path, spec)

    return write


def test_an_expected_failure_does_not_count(written, spec):
    baseline = written(f"# known\n\n{FAILING}  # no terminator yet\n")
    results = [Result(spec.clauses[FAILING], "fails", ("x",))]

    assert baseline.verdict(results) == "conformant"
    assert list(baseline.stale(results)) == []


def test_another_failure_counts(written, spec):
    baseline = written(f"{FAILING}  # no terminator yet\n")

    assert baseline.verdict([Result(spec.clauses[OTHER], "fails")]) == "nonconformant"


def test_a_stale_line_fails_the_run(written, spec):
    baseline = written(f"{FAILING}  # no terminator yet\n")
    results = [Result(spec.clauses[FAILING], "holds")]

    assert baseline.verdict(results) == "nonconformant"
    assert list(baseline.stale(results)) == [
        f"stale: {FAILING} is in the baseline, and holds"
    ]


def test_a_broken_check_voids_any_run(written, spec):
    baseline = written(f"{FAILING}  # no terminator yet\n")

    assert baseline.verdict([Result(spec.clauses[FAILING], "broken check")]) == "void"


@pytest.mark.parametrize(
    "line", [FAILING, f"{FAILING} #", f"{FAILING} why", "no.such-clause  # why"]
)
def test_a_line_that_cannot_be_meant_is_refused(written, line):
    with pytest.raises(ValueError, match="expected"):
        written(line)
