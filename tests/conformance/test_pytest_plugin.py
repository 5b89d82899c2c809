import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tiny_server import closed, serving, small_api

import conformance

ROOT = Path(conformance.__file__).parent.parent
SETUP = """
import sys, types
sys.modules["conformance.checks"] = types.ModuleType("conformance.checks")
from conformance import derived, registry

def served(target):
    target.call("createCompletion").json()
    yield from ()

def seen(target):
    yield f"saw {target.get('/models').status}"

derived.derived_checks = lambda spec: iter(())
for id in ("completions.example", "chat.example", "completions.has-choices",
           "models.list-schema", "models.list-owner", "models.list-permission"):
    registry.check(id)(seen if id.startswith("models.") else served)
"""
ONLY = [
    f"--assay-only={id}"
    for id in (
        "completions.example",
        "completions.has-choices",
        "chat.example",
        "chat.beta",
        "models.list-schema",
        "models.list-owner",
        "models.list-permission",
    )
]
INSTALLED = any(
    entry.value == "conformance.pytest_plugin"
    for entry in entry_points(group="pytest11")
)


@pytest.fixture(scope="module")
def api():
    with serving(small_api) as url:
        yield url


@pytest.fixture
def pytested(tmp_path):
    """Runs pytest in a folder with one failing test of its own."""
    (tmp_path / "few_checks.py").write_text(SETUP)
    (tmp_path / "test_own.py").write_text("def test_own():\n    assert 0\n")

    def run(*words):
        load = ["-p", "few_checks", "-p", "no:schemathesis", "-p", "no:cacheprovider"]
        load += [] if INSTALLED else ["-p", "conformance.pytest_plugin"]
        path = os.pathsep.join((str(ROOT), str(tmp_path)))
        return subprocess.run(
            [sys.executable, "-m", "pytest", *load, *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path, "OPENAI_API_KEY": "sk-right-key"},
            timeout=60,
            check=False,
        )

    return run


def test_each_clause_is_an_item(pytested, api):
    done = pytested("--target", api, *ONLY, "-rs", "-v")

    assert done.returncode == 1
    assert "assay::completions.example PASSED" in done.stdout
    assert "assay::models.list-schema FAILED" in done.stdout
    assert "  - saw 200" in done.stdout
    assert "AssayWarning: models.list-owner: saw 200" in done.stdout
    assert "noted: saw 200" in done.stdout
    assert "not claimed: the server does not claim POST /chat/" in done.stdout
    assert "unobservable: The mark is in the documentation only." in done.stdout
    assert "1 failed, 3 passed, 3 skipped, 1 warning" in done.stdout
    assert "test_own" not in done.stdout


def test_items_are_chosen_by_keyword_and_spread_over_workers(pytested, api, tmp_path):
    words = ["-k", "completions or list-schema", "-n", "2", "--junitxml", "j.xml"]
    done = pytested(
        "--target", api, *ONLY, *words, "--assay-html=a.html", "--assay-json=a.json"
    )

    assert "1 failed, 2 passed" in done.stdout
    run = json.loads((tmp_path / "a.json").read_text())
    assert [row["clause"] for row in run["results"]] == [
        "completions.has-choices",
        "completions.example",
        "models.list-schema",
    ]
    assert run["verdict"] == "nonconformant"
    assert "<html" in (tmp_path / "a.html").read_text()
    assert len(list(ElementTree.parse(tmp_path / "j.xml").iter("testcase"))) == 3


def test_tests_that_are_named_run_beside(pytested, api):
    done = pytested("test_own.py", "--target", api, "--assay-only=completions.example")

    assert "1 failed, 1 passed" in done.stdout


def test_without_a_target_the_plugin_does_nothing(pytested):
    done = pytested("-q")

    assert "1 failed" in done.stdout
    assert "assay" not in done.stdout


def test_a_server_that_is_not_there_ends_the_session(pytested):
    done = pytested("--target", closed(), *ONLY)

    assert done.returncode == 3
    assert "did not take the connection" in done.stdout + done.stderr


@pytest.mark.parametrize("words", [["http://h"], ["http://h/v1", "--assay-only=nope"]])
def test_usage_is_told(pytested, words):
    done = pytested("--target", *words)

    assert done.returncode == 4
    assert "expected" in done.stdout + done.stderr


def test_the_plugin_imports_nothing_heavy():
    heavy = "{'httpx', 'yaml', 'spec', 'jsonschema', 'rich', 'conformance.runner'}"
    script = f"import sys, conformance.pytest_plugin; print({heavy} & set(sys.modules))"

    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=20,
        check=True,
    )

    assert done.stdout.strip() == "set()"
