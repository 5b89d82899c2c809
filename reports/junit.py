"""The run as JUnit XML: a suite per resource, a case per clause."""

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from reports.summary import by_resource
from reports.text import printable

Results = list[Mapping[str, Any]]


def render(run: Mapping[str, Any]) -> str:
    root = Element("testsuites", name=f"OpenAI API {run['edition']}")
    for resource, results in by_resource(run).items():
        root.append(suite(run, resource, results))
    tally(root, run["seconds"])
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, "unicode")}\n'


def suite(run: Mapping[str, Any], resource: str, results: Results) -> Element:
    """A resource; JUnit wants its timestamp without a zone."""
    started = run["started"][:19]
    element = Element("testsuite", name=printable(resource), timestamp=started)
    properties = SubElement(element, "properties")
    for name, value in properties_of(run).items():
        SubElement(properties, "property", name=name, value=printable(value))
    element.extend(map(case, results))
    tally(element, sum(result["seconds"] for result in results))
    return element


def properties_of(run: Mapping[str, Any]) -> dict[str, str]:
    return {
        "target": run["target"]["url"],
        "edition": run["edition"],
        "seed": str(run["seed"]),
        "suite": run["suite"],
        "verdict": run["verdict"],
    }


def case(result: Mapping[str, Any]) -> Element:
    element = Element(
        "testcase",
        classname=printable(result["resource"]),
        name=printable(result["clause"]),
        time=f"{result['seconds']:.3f}",
    )
    if result["outcome"] != "holds":
        element.append(remark(result))
    return element


def remark(result: Mapping[str, Any]) -> Element:
    """What CI is told: only a MUST can fail a build, only our own bug is an error."""
    match result["outcome"], result["level"]:
        case "fails", "MUST":
            return stated("failure", "nonconformant", result)
        case "untestable", "MUST":
            return stated("failure", "incomplete", result)
        case "broken check", _:
            return stated("error", "broken check", result)
        case "fails", level:
            output = Element("system-out")
            output.text = f"{level}: {account(result)}"
            return output
        case outcome, _:
            reason = f"{outcome}: {result['reason']}" if result["reason"] else outcome
            return Element("skipped", message=printable(reason))


def stated(tag: str, kind: str, result: Mapping[str, Any]) -> Element:
    element = Element(tag, type=kind, message=printable(headline(result)))
    element.text = account(result)
    return element


def headline(result: Mapping[str, Any]) -> str:
    return str(next(iter(result["findings"]), result["reason"] or result["outcome"]))


def account(result: Mapping[str, Any]) -> str:
    """The clause, what was seen, and how to see it again."""
    lines = [result["sentence"], *(f"- {finding}" for finding in result["findings"])]
    named = {
        "Reason": result["reason"],
        "Likely cause": result["cause"],
        "Reproduce": result["reproduce"],
    }
    lines += [f"{name}: {value}" for name, value in named.items() if value]
    return printable("\n".join(lines))


def tally(element: Element, seconds: float) -> None:
    """Write the counts of the cases within."""
    element.set("tests", str(len(list(element.iter("testcase")))))
    element.set("failures", str(len(list(element.iter("failure")))))
    element.set("errors", str(len(list(element.iter("error")))))
    element.set("skipped", str(len(list(element.iter("skipped")))))
    element.set("time", f"{seconds:.3f}")
