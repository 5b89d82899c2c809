from typing import Any

import pytest
from any_run import RUNS
from hypothesis import HealthCheck, given, settings


def nodes(value: Any) -> list[Any]:
    match value:
        case dict():
            return [value, *(n for child in value.values() for n in nodes(child))]
        case list():
            return [n for child in value for n in nodes(child)]
    return []


def test_the_schema_is_a_schema(schema):
    schema.check_schema(schema.schema)


def test_every_object_is_closed(schema):
    kinds = [node for node in nodes(schema.schema) if node.get("type") == "object"]

    assert len(kinds) > 10
    assert [kind for kind in kinds if "additionalProperties" not in kind] == []


def test_the_sample_is_a_run(schema, run):
    assert [error.message for error in schema.iter_errors(run)] == []


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(run=RUNS)
def test_generated_runs_are_runs(schema, run):
    assert [error.message for error in schema.iter_errors(run)] == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("edition", "april"),
        ("spec", "abc"),
        ("started", "2026-11-20T12:00:00+01:00"),
        ("verdict", "passed"),
        ("seconds", -1),
        ("extra", 1),
    ],
)
def test_a_wrong_value_is_no_run(schema, run, key, value):
    run[key] = value

    assert not schema.is_valid(run)


def test_a_body_is_text_or_base64(schema, run):
    body = run["results"][0]["exchanges"][0]["response"]["body"]

    body["base64"] = ""

    assert not schema.is_valid(run)
