"""What the tests of the reports share: one realistic run, and the schema of runs."""

import json
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from sample_run import sample


@pytest.fixture
def run() -> dict[str, Any]:
    return sample()


@pytest.fixture(scope="session")
def schema() -> Draft202012Validator:
    return Draft202012Validator(
        json.loads((files("reports") / "run.schema.json").read_text("utf-8"))
    )
