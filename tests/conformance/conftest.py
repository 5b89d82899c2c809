"""What the suite's tests share: the spec, and targets that are closed again."""

import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import httpx
import pytest

from conformance.target import Claims, Target
from conformance.wire import Budget, Tape
from spec import Spec, load


@pytest.fixture(scope="session")
def spec() -> Spec:
    return load()


@pytest.fixture(scope="session")
def run_schema() -> dict[str, Any]:
    return json.loads((files("reports") / "run.schema.json").read_text("utf-8"))


@pytest.fixture
def target_at(spec: Spec) -> Iterator[Callable[..., Target]]:
    """Builds targets, by default with all claims."""
    built: list[Target] = []

    def build(url: str, budget: Budget | None = None, **rest: object) -> Target:
        tape = Tape(
            httpx.HTTPTransport(verify=False, trust_env=False),
            budget,
            sleep=rest.pop("sleep", lambda seconds: None),
        )
        settings = {"key": "sk-right-key", "timeout": 2.0} | rest
        settings.setdefault("claims", Claims.everything(spec))
        built.append(Target(base_url=url, spec=spec, tape=tape, **settings))
        return built[-1]

    yield build
    for target in built:
        target.close()
