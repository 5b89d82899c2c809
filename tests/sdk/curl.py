"""Runs the command lines of the API reference as they are printed there."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from telling import BASE_URL, EDITION, control, drive, say, tuned_model

from spec import Operation, load

ORGANIZATION = "org-VztpDN2QVplWa5EuTKsviUsr"
FILES = ("file-XjGxS3KTG0uNmNOK362iJua3", "file-XGinujblHPwGLSztz8cPS8XY")
FINE_TUNE = "ft-AF1WoRqd3aJAHsqc9NY7iL8F"
MODEL = "curie:ft-acmeco-2021-03-03-21-44-20"
KEY = control("keys", organizations=[ORGANIZATION])["key"]
WORDS = {
    "https://api.openai.com/v1": BASE_URL,
    "/path/to/file": ".",
    MODEL: tuned_model(KEY),
}
"""What stands for the words of the reference; ids are added as they are given."""
SETTINGS = """
silent
show-error
write-out = "%{stderr}%{http_code}"
"""


def commands() -> Iterator[tuple[str, str]]:
    """The steps and their command lines."""
    _, *blocks = Path(__file__).with_suffix(".sh").read_text("utf-8").split("\n\n")
    for block in blocks:
        head, _, command = block.partition("\n")
        yield head.removeprefix("# "), command


def run() -> None:
    operations = load(EDITION).operations
    Path(".curlrc").write_text(SETTINGS, "utf-8")
    for step, command in commands():
        for printed, ours in WORDS.items():
            command = command.replace(printed, ours)
        status, reply = answer(command)
        if status == 200:
            say(step=step, seen=[*faults(operations[step.partition(" ")[0]], reply)])
            remember(step, reply)
        else:
            say(step=step, fault=str(reply), refused=["curl", status, None])


def answer(command: str) -> tuple[int, Any]:
    """The status, and what was written; a command may send that to a file."""
    places = {"PATH": os.environ["PATH"], "CURL_HOME": "."}
    done = subprocess.run(
        ["bash", "-euc", command],
        env={**places, "OPENAI_API_KEY": KEY},
        capture_output=True,
        text=True,
        check=False,
    )
    written = done.stdout or Path("file.jsonl").read_text("utf-8")
    return int(done.stderr[-3:]), written


def remember(step: str, reply: str) -> None:
    """The id of what was made, for the commands that name one."""
    names = {"createFile": FILES, "createFineTune": (FINE_TUNE,)}.get(step, ())
    WORDS.update(dict.fromkeys(names, json.loads(reply)["id"] if names else ""))


def faults(operation: Operation, reply: str) -> Iterator[str]:
    """What is wrong with an answer."""
    if operation.id == "downloadFile":
        if reply != Path("mydata.jsonl").read_text("utf-8"):
            yield "other bytes than those of the file"
    else:
        yield from operation.answer.faults(json.loads(reply))


def version() -> str:
    told = subprocess.check_output(["curl", "--version"], text=True)
    return told.split()[1]


drive(version(), run)
