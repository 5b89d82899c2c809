from xml.etree import ElementTree

import pytest
from any_run import RUNS
from hypothesis import given

from reports import junit
from reports.summary import counts, total


def parsed(run):
    return ElementTree.fromstring(junit.render(run).encode())


@given(RUNS)
def test_any_run_is_xml_with_the_right_counts(run):
    tally = counts(run)

    root = parsed(run)

    failures = tally["fails", "MUST"] + tally["untestable", "MUST"]
    assert int(root.get("tests")) == len(run["results"])
    assert int(root.get("failures")) == failures
    assert int(root.get("errors")) == total(tally, "broken check")


@given(RUNS)
def test_the_suites_add_up(run):
    root = parsed(run)

    for name in ("tests", "failures", "errors", "skipped"):
        assert sum(int(s.get(name)) for s in root) == int(root.get(name))


@pytest.mark.parametrize(
    ("outcome", "level", "tag", "kind"),
    [
        ("fails", "MUST", "failure", "nonconformant"),
        ("fails", "SHOULD", "system-out", None),
        ("fails", "MAY", "system-out", None),
        ("untestable", "MUST", "failure", "incomplete"),
        ("untestable", "SHOULD", "skipped", None),
        ("not claimed", "MUST", "skipped", None),
        ("unobservable", "MUST", "skipped", None),
        ("broken check", "MAY", "error", "broken check"),
    ],
)
def test_an_outcome_has_its_element(run, outcome, level, tag, kind):
    run["results"] = [run["results"][0] | {"outcome": outcome, "level": level}]

    (remark,) = parsed(run).find("testsuite/testcase")

    assert (remark.tag, remark.get("type")) == (tag, kind)


def test_a_failure_tells_how_to_see_it_again(run):
    case = parsed(run).find(".//testcase[@name='completions.stream-done']/failure")

    assert case.get("message") == "the stream ended without [DONE]"
    assert "Reproduce: assay check" in case.text


def test_what_holds_is_silent(run):
    case = parsed(run).find(".//testcase[@name='completions.echo']")

    assert list(case) == []
