"""Loads the exported spec in tools that are not ours: schemathesis, Prism, a generator.

python -m bench.outside [--edition E ...]

Prism comes from npm and openapi-python-client from PyPI, each into a temporary folder.
Exits with 1 where a tool does not take every operation.
"""

import argparse
import compileall
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from spec import Operation, Spec, load
from spec.export import export
from spec.pages import editions

PATIENCE = 60.0  # seconds for Prism to listen


def main() -> int:
    """Print what each tool took; 1 where that is not everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edition", action="append")
    chosen = parser.parse_args().edition or editions()
    whole = True
    with tempfile.TemporaryDirectory() as folder:
        tools = Path(folder)
        for edition in chosen:
            spec = load(edition)
            asked = [op for op in spec.operations.values() if not op.capability]
            page = tools / f"{edition}.json"
            page.write_text(json.dumps(export(spec)), "utf-8")
            for name, take in (
                ("schemathesis", schemathesis),
                ("Prism", prism),
                ("openapi-python-client", generator),
            ):
                taken, said = take(spec, page, tools)
                whole = whole and taken == len(asked)
                print(f"{edition}  {name:22} {taken} of {len(asked)} operations{said}")
    return 0 if whole else 1


def schemathesis(spec: Spec, page: Path, tools: Path) -> tuple[int, str]:
    """The operations that schemathesis makes requests for."""
    from schemathesis import openapi

    found = openapi.from_path(page).get_all_operations()
    return sum(1 for result in found if result.ok() is not None), ""


def prism(spec: Spec, page: Path, tools: Path) -> tuple[int, str]:
    """The operations whose sample Prism's own validation takes and answers."""
    command = tools / "node_modules" / ".bin" / "prism"
    if not command.exists():
        words = ["npm", "install", "--silent", "--prefix", str(tools)]
        subprocess.run([*words, "@stoplight/prism-cli"], check=True)
    refused = []
    with prism_listening(command, page) as url, httpx.Client(base_url=url) as client:
        operations = [op for op in spec.operations.values() if not op.capability]
        for operation in operations:
            answer = client.send(sample(client, operation))
            if answer.status_code != 200:
                refused.append(f"{operation.name}: {answer.text[:300]}")
    told = "".join(f"\n    {line}" for line in refused)
    return len(operations) - len(refused), told


@contextmanager
def prism_listening(command: Path, page: Path) -> Iterator[str]:
    """Prism as a server of ours; it has no way to take a free port by itself."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    words = [str(command), "mock", "-p", str(port), "-h", "127.0.0.1", str(page)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    url, until = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE
    try:
        while time.monotonic() < until:
            try:
                httpx.get(url)
                break
            except httpx.TransportError:
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait()


def sample(client: httpx.Client, operation: Operation) -> httpx.Request:
    """The operation's sample as a request; a file in it is a few bytes."""
    path = operation.path
    for name, value in operation.sample.get("path", {}).items():
        path = path.replace(f"{{{name}}}", str(value))
    body = dict(operation.body_sample)
    sent: dict[str, object] = {}
    if operation.media_type == "application/json":
        sent["json"] = body
    elif operation.media_type:
        files = {name: v for name, v in body.items() if isinstance(v, dict)}
        sent["files"] = {name: (v["filename"], b"...") for name, v in files.items()}
        sent["data"] = {name: v for name, v in body.items() if name not in files}
    known = operation.query.node["properties"]
    query = {name: v for name, v in operation.sample.items() if name in known}
    return client.build_request(
        operation.method,
        path,
        params=query,
        headers={"Authorization": "Bearer sk-x", **operation.header_sample},
        **sent,  # type: ignore[arg-type]
    )


def generator(spec: Spec, page: Path, tools: Path) -> tuple[int, str]:
    """The operations that a generated client has, all of it compiled."""
    room = tools / "generator"
    if not room.exists():
        venv.create(room, with_pip=True)
        pip = [room / "bin" / "pip", "install", "-q", "openapi-python-client", "ruff"]
        subprocess.run(pip, check=True)
    client = tools / f"client-{spec.edition}"
    words = [room / "bin" / "openapi-python-client", "generate", "--path", page]
    done = subprocess.run(
        [*words, "--output-path", client, "--meta", "none"],
        capture_output=True,
        text=True,
        env={"PATH": f"{room / 'bin'}:/usr/bin:/bin"},
        check=True,
    )
    compiled = compileall.compile_dir(client, quiet=2)
    modules = [p for p in client.glob("api/*/*.py") if p.name != "__init__.py"]
    missed = re.findall(r"WARNING parsing .*", done.stdout + done.stderr)
    told = "".join(f"\n    {line}" for line in missed)
    return len(modules) if compiled else 0, told


if __name__ == "__main__":
    sys.exit(main())
