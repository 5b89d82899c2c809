"""Requests that schemathesis makes from the schemas, sent over our wire."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from conformance.registry import Findings
from spec import Clause, Operation, Spec
from spec.export import export
from spec.rules import broken

if TYPE_CHECKING:
    from conformance.target import Target

EXAMPLES = 20  # requests of each kind to each operation
MOST = 3  # findings: one fault shows itself many times
LONG = 100  # characters of a fault: a longer one quotes what was drawn by chance
SMALLEST = {"max_tokens": 3, "n": 2, "best_of": 2, "logprobs": 5, "n_epochs": 1}
"""Values that a fuzzed request is cut down to: fuzz asks for variety, not for work."""
DRAWING = Lock()
"""Hypothesis keeps its state for the whole process."""
FILES = ("training_file", "validation_file")
"""Where a request names a file that was uploaded before."""
PICTURE = "256x256"  # the size of a fuzzed request's images, for the same reason


def valid(clause: Clause, operation: Operation, target: "Target") -> Findings:
    """Every lawful request is served."""
    yield from _limited(_unserved(operation, target))


def invalid(clause: Clause, operation: Operation, target: "Target") -> Findings:
    """Every request that breaks the schema is refused."""
    yield from _limited(_unrefused(operation, target))


def _unserved(operation: Operation, target: "Target") -> Findings:
    sent, sample = set(), target.ready(operation.id)
    for body in _bodies(target.spec, operation, "POSITIVE", target.seed):
        if isinstance(body, dict):
            tame = _tame(body, operation, sample)
            raw = _raw(tame)
            if raw in sent or any(broken(operation.rules, tame)):
                continue
            sent.add(raw)
            answer = target.request("POST", operation.path, **tame)
            if answer.status != 200:
                told = f"{answer.status}: {answer.message}"
                yield f"a lawful request of {', '.join(tame)} was answered {told}"


def _unrefused(operation: Operation, target: "Target") -> Findings:
    assert operation.request is not None
    for body in _bodies(target.spec, operation, "NEGATIVE", target.seed):
        if isinstance(body, dict):
            if isinstance(body.get("model"), str):
                body["model"] = target.sample(operation.id).get("model", body["model"])
            known = {
                name: value for name, value in body.items() if name in operation.fields
            }
            if operation.request.valid(known):
                continue  # only an unknown parameter: a clause of its own
            body = _cheap(body, operation)
        answer = target.request("POST", operation.path, content=_raw(body))
        if not answer.refused:
            yield f"{_fault(body, operation)} was answered {answer.status}"


def _bodies(spec: Spec, operation: Operation, mode: str, seed: int) -> Iterator[Any]:
    """Bodies of one mode, the same ones for the same seed."""
    from hypothesis import HealthCheck, Phase, configuration, given, settings
    from hypothesis import seed as seeded
    from schemathesis import GenerationMode

    # hypothesis keeps tables of characters: not in whatever folder we are called in
    configuration.set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "assay")
    drawn: list[Any] = []
    strategy = _fuzzed(spec, operation.path).as_strategy(
        generation_mode=GenerationMode[mode]
    )

    @seeded(seed)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(case: Any) -> None:
        drawn.append(case.body)

    with DRAWING:
        draw()
    yield from drawn


@cache
def _fuzzed(spec: Spec, path: str) -> Any:
    import schemathesis

    return schemathesis.openapi.from_dict(export(spec))[path]["POST"]


def _tame(
    body: dict[str, Any], operation: Operation, sample: Mapping[str, Any]
) -> dict[str, Any]:
    """A lawful body that asks for little, and for tokens that any vocabulary has."""
    known = _documented(body, operation.body or {})
    tame = {key: value for key, value in known.items() if key != "model"}
    tame |= {key: sample[key] for key in ("model",) if key in sample}
    tame |= {key: sample[FILES[0]] for key in FILES if tame.get(key) is not None}
    tame["stream"] = False
    if "stream" not in operation.fields:
        del tame["stream"]
    if "max_tokens" in operation.fields:
        tame["max_tokens"] = SMALLEST["max_tokens"]
    for name, most in SMALLEST.items():
        if tame.get(name) is not None:
            tame[name] = min(int(tame[name]), most)
    if "size" in operation.fields:
        tame["size"] = PICTURE
    for name in ("prompt", "input"):
        if name in tame:
            tame[name] = _few(tame[name])
    if isinstance(tame.get("logit_bias"), dict):
        tame["logit_bias"] = {
            str(int(key) % 1000): value for key, value in tame["logit_bias"].items()
        }
    if isinstance(tame.get("stop"), str | list):
        tame["stop"] = "\n\n\n"
    return tame


def _cheap(body: dict[str, Any], operation: Operation) -> dict[str, Any]:
    """The body asking for as little as it can while it breaks the schema.

    A server that does not refuse it goes to work.
    """
    assert operation.request is not None
    for name, most in SMALLEST.items():
        if name in operation.fields and _dear(name, body.get(name)):
            cheap = {**body, name: most}
            body = body if operation.request.valid(cheap) else cheap
    return body


def _fault(body: Any, operation: Operation) -> str:
    """What is wrong with a request, in a few words."""
    assert operation.request is not None
    if not isinstance(body, dict):
        return "a body that is no object"
    fault = next(operation.request.faults(body), "no fault")
    told = fault if len(fault) < LONG else fault.rpartition(" - ")[2]
    return f"a faulty body ({told})"


def _dear(name: str, value: Any) -> bool:
    """Whether a field asks for more work than it needs to."""
    if value is None:
        return name == "max_tokens"
    return type(value) is int and value > SMALLEST[name]


def _documented(value: Any, schema: Mapping[str, Any]) -> Any:
    """``value`` without the properties that the schema of their object has not."""
    if isinstance(value, list) and "items" in schema:
        return [_documented(item, schema["items"]) for item in value]
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        return {
            name: _documented(one, known[name])
            for name, one in value.items()
            if name in known
        }
    return value


def _few(value: Any) -> Any:
    """At most two items, and token ids below 1000."""
    if isinstance(value, list):
        return [_few(item) for item in value[:2]]
    return int(value) % 1000 if isinstance(value, int | float) else value


def _raw(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body, default=str).encode()


def _limited(findings: Findings) -> Findings:
    """The first few, each once."""
    said: set[str] = set()
    for finding in findings:
        if finding not in said:
            said.add(finding)
            yield finding
        if len(said) == MOST:
            return
