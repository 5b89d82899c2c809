"""Who may import whom."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {"spec", "mockserver", "conformance", "reference_model", "reports"}
MAY: dict[str, set[str]] = {
    "spec": set(),
    "reference_model": set(),
    "reports": set(),
    "mockserver": {"spec", "reference_model"},
    "conformance": {"spec"},
}
DOORS = {
    "conformance/__main__.py": {"reports"},
    "conformance/oracle.py": {"reference_model"},
}


def imported(path: Path) -> Iterator[str]:
    """The first name of every module that a file imports, wherever it does so."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_imports_only_what_it_may(room: str) -> None:
    for path in (ROOT / room).rglob("*.py"):
        name = path.relative_to(ROOT).as_posix()
        allowed = MAY[room] | {room} | DOORS.get(name, set())

        assert set(imported(path)) & ROOMS <= allowed, name
