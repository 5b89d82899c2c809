"""Clients that are not ours: how each is driven, and whether it saw what there is.

The drivers are scripts of `tests/sdk`. Each says a line of JSON for every step: what
the client made of the answer. That must be what a plain request sees of it.
"""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench import environments
from bench.likeness import Likeness, differences
from bench.recordings import FORMATS, written
from bench.server import COMMANDS, mock
from conformance import pictures
from conformance.recording import recording
from mockserver.registry import built
from spec import load

SCRIPTS = Path(__file__).parent.parent / "tests" / "sdk"
FIRST, NEWER = "2023-04", "2023-12"
PATIENCE = 120  # seconds for all that one client does
ERROR = 2000  # characters of what a driver complained
NOTHING = '{"version": "-", "bare": []}'
NOT_IMPLEMENTED = 501
OK, NOT_BUILT = "ok", "not built"
OLD = {
    400: "InvalidRequestError",
    401: "AuthenticationError",
    404: "InvalidRequestError",
    429: "RateLimitError",
    500: "APIError",
    503: "ServiceUnavailableError",
}
NEW = {
    400: "BadRequestError",
    401: "AuthenticationError",
    404: "NotFoundError",
    429: "RateLimitError",
    500: "InternalServerError",
    503: "InternalServerError",
}
AXIOS = dict.fromkeys(NEW, "Error")
RECORDS = [
    {"prompt": f"{number} + 1 =", "completion": f" {number + 1}\n"}
    for number in range(8)
]


@dataclass(frozen=True)
class Client:
    """What sends requests, and what it needs for that."""

    name: str
    script: str
    packages: tuple[str, ...] = ()
    raised: Mapping[int, str] | None = None
    """The class that a status is raised as; None where plain requests are sent."""
    editions: tuple[str, ...] = (FIRST, NEWER)
    program: str = "python3"
    """What must be on the machine before anything is installed."""

    @property
    def absent(self) -> bool:
        return shutil.which(self.program) is None

    def command(self) -> tuple[list[Any], dict[str, str]]:
        """What runs the script, and its own part of the environment."""
        if self.program == "npm":
            return ["node"], {"NODE_PATH": str(environments.node(self.packages))}
        if self.packages:
            return [environments.python(self.packages)], {}
        return [sys.executable], {}


PLAIN = Client("plain", "plain.py")
CLIENTS = (
    Client(
        "python-0.27",
        "v0_27.py",
        ("openai==0.27.*", "numpy"),  # it decodes base64 with numpy
        OLD,
        (FIRST,),
    ),
    Client("python-1.6", "v1_6.py", ("openai==1.6.*", "httpx<0.28", "numpy"), NEW),
    Client("python-newest", "newest.py", ("openai",), NEW),
    Client("node-3", "node/v3.cjs", ("openai@3",), AXIOS, (FIRST,), "npm"),
    Client("node-newest", "node/newest.cjs", ("openai",), NEW, program="npm"),
    Client("curl", "curl.py", editions=(FIRST,), program="curl"),
)


@dataclass(frozen=True)
class Told:
    """What a client said of one run."""

    version: str
    bare: frozenset[str]
    """Operations for which it has no method, only its general request."""
    steps: list[tuple[str, Mapping[str, Any]]]


def serving(edition: str) -> AbstractContextManager[str]:
    """The base URL of a new mock."""
    return mock([*COMMANDS["1 worker"], "--edition", edition])


def told(client: Client, base_url: str, edition: str, folder: Path) -> Told:
    """What the client says of a mock. It starts in ``folder``, with files to send."""
    _lay_out(folder)
    command, places = client.command()
    key = _key(base_url, f"org-{uuid4().hex}")
    done = subprocess.run(
        [*command, SCRIPTS / client.script, base_url, key, edition],
        cwd=folder,
        env={**os.environ, **places},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    first, *rows = map(json.loads, done.stdout.splitlines() or [NOTHING])
    if done.returncode:
        fault = done.stderr[-ERROR:]
        rows.append({"step": "driver", "fault": fault, "refused": [None] * 3})
    return Told(
        first["version"],
        frozenset(first["bare"]),
        [(row.pop("step"), row) for row in rows],
    )


def _key(base_url: str, organization: str) -> str:
    """A key of an organisation in which nothing is yet."""
    body = json.dumps({"organizations": [organization]}).encode()
    headers = {"Authorization": "Bearer sk-x", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{base_url}/_assay/keys", body, headers)
    with urllib.request.urlopen(request) as reply:
        key: str = json.load(reply)["key"]
    return key


def _lay_out(folder: Path) -> None:
    """The files that are sent, by the names that the API reference gives them."""
    picture = pictures.file(pictures.scene())["data"]
    mask = pictures.file(pictures.scene((64, 64, 192, 192)))["data"]
    foreign = recording("mp3", "foreign")["data"]
    records = "".join(f"{json.dumps(record)}\n" for record in RECORDS)
    for name, data in (
        ("otter.png", picture),
        ("mask.png", mask),
        ("audio.mp3", recording("mp3")["data"]),
        ("german.m4a", written(foreign, FORMATS["m4a"])),
        ("mydata.jsonl", records.encode()),
    ):
        (folder / name).write_bytes(data)


def verdicts(
    client: Client, saw: Told, plain: Told, edition: str
) -> Iterator[tuple[str, str]]:
    """How each step went: ``OK``, ``NOT_BUILT``, or what is wrong."""
    spec = load(edition)
    lacking = spec.operations.keys() - built(spec)
    ours, theirs = Likeness(), Likeness()
    expected = {
        step: ours.of(step, row["seen"]) for step, row in plain.steps if "seen" in row
    }
    for step, row in saw.steps:
        if "seen" in row:
            seen = theirs.of(step, row["seen"])
            yield step, _judged(client, seen, expected.get(step))
        elif row["refused"][1] == NOT_IMPLEMENTED and operation(step) in lacking:
            yield step, NOT_BUILT
        else:
            yield step, row["fault"]
    if client.raised is not None:
        for step in sorted(expected.keys() - dict(saw.steps)):
            yield step, "nothing was told"


def operation(step: str) -> str:
    """The operation that a step is one of."""
    return step.partition(" ")[0]


def _judged(client: Client, seen: Any, expected: Any) -> str:
    if client.raised is None:  # it judges by itself, and tells what is wrong
        return "; ".join(seen) or OK
    match expected:
        case ["Refused", int(status), code]:
            expected = [client.raised[status], status, code]
    return next(differences(expected, seen), OK)
