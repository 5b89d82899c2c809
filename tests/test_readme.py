"""What the README prints is true: its commands run, its table is the spec's."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from bench.readme import PAGE, README, page, renewed
from spec import load

ROOT = README.parent
COMMANDS = re.findall(r"```sh\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".cache", "__pycache__", ".*_cache", "*.egg-info", "out"
)


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


def test_the_first_command_works_as_printed_and_installs_a_whole_suite(
    tmp_path: Path,
) -> None:
    clone, elsewhere = tmp_path / "assay", tmp_path / "elsewhere"
    shutil.copytree(ROOT, clone, ignore=LEFT_OUT)
    elsewhere.mkdir()

    done = run(COMMANDS[0], clone)

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert (clone / "reports/out/index.html").stat().st_size > 100_000
    assert re.search(r"^\d+ clauses: \d+ hold", done.stdout.splitlines()[-1])
    _works_without_the_sources(clone / ".venv/bin", elsewhere)
    _needs_nothing_of_the_mock(clone / ".venv/bin", elsewhere)


def _works_without_the_sources(bin: Path, elsewhere: Path) -> None:
    listed = run(f"{bin}/assay list && {bin}/assay spec export", elsewhere)
    judged = run(f"{bin}/assay check --quick --only models --html m.html", elsewhere)

    assert listed.returncode == 0, listed.stderr
    assert "completions.stream-done" in listed.stdout
    assert judged.returncode == 0, judged.stdout + judged.stderr


def _needs_nothing_of_the_mock(bin: Path, elsewhere: Path) -> None:
    """The suite without the packages of ``[mock]``."""
    theirs = "cheroot flask safetensors sqlalchemy tokenizers torch numpy"
    gone = run(f"{bin}/pip uninstall -q -y {theirs}", elsewhere)
    assert gone.returncode == 0, gone.stderr

    listed = run(f"{bin}/assay list", elsewhere)
    unreached = run(f"{bin}/assay check http://127.0.0.1:9/v1", elsewhere)
    lacking = run(f"{bin}/assay check", elsewhere)

    assert listed.returncode == 0, listed.stderr
    assert unreached.returncode == 3, unreached.stderr
    assert lacking.returncode == 2
    assert "openai-assay[mock]" in lacking.stderr


def test_the_table_of_clauses_is_the_specs() -> None:
    text = README.read_text("utf-8")

    assert renewed(text, load()) == text


def test_the_page_of_clauses_is_the_specs() -> None:
    assert PAGE.read_text("utf-8") == page()
