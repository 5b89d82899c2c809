"""What the drivers share: requests, a line for each step, and the control page."""

import json
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

ASKED = json.loads(Path(__file__).with_name("asked.json").read_text("utf-8"))
"""What each step asks for, besides files and ids."""
BASE_URL, KEY, EDITION = sys.argv[1:]
FAULTS = ("server-fault", "overloaded", "no-organization")
"""What the control page makes an embedding meet."""


class Untold(Exception):  # noqa: N818 - nothing is wrong with us
    """A step failed that the next ones may build on."""


def drive(version: str, *acts: Callable[[], None], bare: tuple[str, ...] = ()) -> None:
    """Every act, whatever becomes of the others.

    For the operations that are ``bare`` the library has no method of their own.
    """
    say(version=version, bare=bare)
    for act in acts:
        try:
            act()
        except Untold:
            continue


def tell(step: str, ask: Callable[..., Any], *words: Any, **more: Any) -> Any:
    """Say how ``ask`` answers the step's request, and give the answer."""
    try:
        seen = ask(*words, **ASKED.get(step, {}), **more)
        say(step=step, seen=seen)
    except Exception as fault:
        say(step=step, fault=repr(fault), refused=refused(fault))
        raise Untold from fault
    return seen


def tell_refusal(step: str, ask: Callable[..., Any], *words: Any) -> None:
    """Say how ``ask`` refuses the step's request."""
    try:
        say(step=step, seen=ask(*words, **ASKED.get(step, {})))
    except Exception as fault:
        say(step=step, seen=refused(fault))


def say(**row: Any) -> None:
    sys.stdout.write(json.dumps(row, default=shown) + "\n")


def shown(value: Any) -> Any:
    """The JSON in an object of a library: what the server sent, and no more."""
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, Iterator):
        return list(value)
    return value.model_dump(mode="json", exclude_unset=True, by_alias=True)


def refused(fault: Exception) -> list[Any]:
    """The class, the status and the code of an exception."""
    told = vars(fault)
    status = told.get("http_status") or told.get("status_code")
    body = told.get("json_body")  # where the old library keeps the code of a 401
    code = body["error"]["code"] if body else told.get("code")
    return [type(fault).__name__, status, code]


def control(path: str, key: str = KEY, **body: Any) -> Any:
    """What the mock's control page answers to ``key``."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    url = f"{BASE_URL}/_assay/{path}"
    with urlopen(Request(url, json.dumps(body).encode(), headers)) as reply:
        return json.load(reply)


def tuned_model(key: str = KEY) -> str:
    """A new model that may be deleted."""
    model: str = control("models", key, base="ada", suffix="driven")["id"]
    return model


def limited_key() -> str:
    """A key whose organisation may send no request at all."""
    key: str = control("keys", organizations=["org-limited"])["key"]
    control("limits", key, requests=0)
    return key


def sending(create: Callable[..., Any], **files: str) -> Callable[..., Any]:
    """``create`` with files that are opened for it."""

    def ask(**fields: Any) -> Any:
        with ExitStack() as stack:
            opened = {
                name: stack.enter_context(open(file, "rb"))
                for name, file in files.items()
            }
            return create(**opened, **fields)

    return ask


def fetched(url: str) -> bytes:
    """What a url yields to anyone."""
    with urlopen(url) as reply:
        data: bytes = reply.read()
    return data
