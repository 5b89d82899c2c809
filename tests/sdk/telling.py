"""What the drivers share: a line for each step, and the mock's control page."""

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any
from urllib.request import Request, urlopen

PROMPT = "Once upon a time"
MESSAGES = [{"role": "user", "content": "Say this is a test"}]
GREEDY = {"max_tokens": 8, "temperature": 0}
BASE_URL, TUNED = sys.argv[1:]


def tell(step: str, seen: Any) -> None:
    sys.stdout.write(json.dumps({"step": step, "seen": seen}) + "\n")


def control(path: str, key: str, **body: Any) -> Any:
    """What the mock's control page answers to ``key``."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    url = f"{BASE_URL}/_assay/{path}"
    with urlopen(Request(url, json.dumps(body).encode(), headers)) as reply:
        return json.load(reply)


def limited_key() -> str:
    """A key whose organisation may send no request at all."""
    key: str = control("keys", "sk-test", organizations=["org-limited"])["key"]
    control("limits", key, requests=0)
    return key


def fault(act: Callable[[], Any]) -> str:
    """The class of the exception that ``act`` ends with."""
    try:
        act()
    except Exception as told:
        return type(told).__name__
    return "none"


def joined(parts: Iterable[tuple[int, str | None]]) -> list[str]:
    """The texts of a stream's choices, in the order of their indexes."""
    texts: dict[int, str] = {}
    for index, text in parts:
        texts[index] = texts.get(index, "") + (text or "")
    return [texts[index] for index in sorted(texts)]
