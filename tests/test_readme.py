"""What the README prints is true: its commands run, its table is the spec's."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bench.readme import README, renewed
from spec import load

pytestmark = pytest.mark.xdist_group("readme")  # one installation for all

ROOT = README.parent
COMMANDS = re.findall(r"```sh\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".cache", "__pycache__", ".*_cache", "*.egg-info", "out"
)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources as a new user has them, where the first command was run."""
    there = tmp_path_factory.mktemp("clone") / "assay"
    shutil.copytree(ROOT, there, ignore=LEFT_OUT)
    return there


def run(command: str, where: Path) -> subprocess.CompletedProcess[str]:
    """A shell command as a new user would give it: nothing of this environment."""
    bare = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "HOME") or name.startswith(("PIP_", "SSL_", "PYENV"))
    }
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=where,
        env=bare,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def first(clone: Path) -> subprocess.CompletedProcess[str]:
    """The first command, given in the clone."""
    return run(COMMANDS[0], clone)


def test_the_first_command_works_as_printed(
    clone: Path, first: subprocess.CompletedProcess[str]
) -> None:
    done = first

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert (clone / "reports/out/index.html").stat().st_size > 100_000
    assert re.search(r"^\d+ clauses: \d+ hold", done.stdout.splitlines()[-1])


@pytest.mark.usefixtures("first")
def test_what_was_installed_works_without_the_sources(
    clone: Path, tmp_path: Path
) -> None:
    assay = clone / ".venv/bin/assay"

    listed = run(f"{assay} list && {assay} spec export --edition 2023-04", tmp_path)
    judged = run(f"{assay} check --quick --only models --html m.html", tmp_path)

    assert listed.returncode == 0, listed.stderr
    assert "completions.stream-done" in listed.stdout
    assert judged.returncode == 0, judged.stdout + judged.stderr


@pytest.mark.usefixtures("first")
def test_the_suite_alone_needs_nothing_of_the_mock(clone: Path, tmp_path: Path) -> None:
    assay, pip = clone / ".venv/bin/assay", clone / ".venv/bin/pip"
    gone = run(
        f"{pip} uninstall -q -y cheroot flask safetensors sqlalchemy tokenizers "
        "torch numpy",
        tmp_path,
    )
    assert gone.returncode == 0, gone.stderr

    listed = run(f"{assay} list", tmp_path)
    unreached = run(f"{assay} check http://127.0.0.1:9/v1", tmp_path)
    lacking = run(f"{assay} check", tmp_path)

    assert listed.returncode == 0, listed.stderr
    assert unreached.returncode == 3, unreached.stderr
    assert lacking.returncode == 2
    assert "openai-assay[mock]" in lacking.stderr


def test_the_table_of_clauses_is_the_specs() -> None:
    text = README.read_text("utf-8")

    assert renewed(text, load()) == text
