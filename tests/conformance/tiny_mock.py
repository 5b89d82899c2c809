"""Stands in the place of the mock: announces itself and serves ``small_api``."""

import sys
import threading

from tiny_server import refusal, serving, small_api


def keyed(asked):
    if asked.headers.get("Authorization") != f"Bearer {sys.argv[4]}":
        return refusal(401)
    asked.headers["Authorization"] = "Bearer sk-right-key"
    return small_api(asked)


with serving(keyed) as url:
    sys.stdout.write("warming up\n")
    sys.stdout.write(f"ready {url}\n")
    sys.stdout.flush()
    threading.Event().wait()
