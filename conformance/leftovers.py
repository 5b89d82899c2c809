"""What checks made on a server and did not take away: files, jobs, models."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from threading import Lock
from urllib.parse import quote

import httpx

from conformance.exchange import Exchange, Pairs
from spec import Operation, Spec
from spec.model import Link
from spec.validation import parsed

CANCEL = "/cancel"  # how the path of an operation ends that ends a job
TUNED = "fine_tuned_model"  # where a job names the model that it made
OF_BODY = (b"content-type", b"content-length")
GONE = (200, 404)

Step = tuple[str, str]
"""Method and path of a request that takes something away."""


class Leftovers:
    """What is there because of us, by the request that takes it away."""

    def __init__(self) -> None:
        self._steps: dict[Step, Pairs] = {}
        self._lock = Lock()

    def note(self, spec: Spec, base_url: str, exchanges: Iterable[Exchange]) -> None:
        """Remember what exchanges made, and forget what they took away."""
        for one in exchanges:
            if one.status == 200:
                path = one.url.removeprefix(base_url)
                sent = tuple(p for p in one.sent if p[0].lower() not in OF_BODY)
                with self._lock:
                    self._steps.pop((one.method, path), None)
                    steps = undoing(spec, one, path)
                    self._steps |= dict.fromkeys(steps, sent)

    def halt(self, client: httpx.Client, base_url: str) -> None:
        """End the jobs: nobody looks at them any more, and work costs its owner."""
        with self._lock:
            jobs = [step for step in self._steps if step[0] != "DELETE"]
            ends = {path: self._steps.pop((method, path)) for method, path in jobs}
        for path, sent in ends.items():
            with suppress(httpx.HTTPError):  # then there is no server, or it is busy
                client.post(base_url + path, headers=[*sent])

    def clear(self, client: httpx.Client, base_url: str) -> list[str]:
        """Take all of it away, jobs first; gives the paths of what is still there."""
        steps = sorted(self._steps, key=lambda step: step[0] == "DELETE")
        left = []
        try:
            for method, path in steps:
                sent = self._steps.pop((method, path))
                answer = client.request(method, base_url + path, headers=[*sent])
                if method == "DELETE" and answer.status_code not in GONE:
                    left.append(path)
        except httpx.HTTPError:  # the server is gone, and nothing more is asked of it
            left += [path, *(path for _, path in self._steps)]
        return left


def undoing(spec: Spec, exchange: Exchange, path: str) -> Iterator[Step]:
    """The requests that take away what an exchange made or named."""
    makers, jobs = _makers(spec), _jobs(spec)
    made = makers.get(path, []) if exchange.method == "POST" else []
    named = exchange.method == "GET" and path.startswith(jobs)
    try:
        body = parsed(exchange.body) if made or named else {}
    except ValueError:
        return
    if named and isinstance(body.get(TUNED), str):
        yield "DELETE", f"/models/{quote(body[TUNED], safe=':')}"
    for operation, link in made:
        try:
            yield operation.method, operation.filled(link.given(link.path, body))
        except (LookupError, TypeError):  # the answer does not say what it made
            continue


@cache
def _makers(spec: Spec) -> Mapping[str, list[tuple[Operation, Link]]]:
    """By the path of a POST: what takes away or ends that which it makes."""
    found: dict[str, list[tuple[Operation, Link]]] = {}
    for id, links in spec.links.items():
        operation = spec.operations[id]
        if operation.method == "DELETE" or operation.path.endswith(CANCEL):
            for link in links:
                maker = spec.operations[link.source].path
                found.setdefault(maker, []).append((operation, link))
    return found


@cache
def _jobs(spec: Spec) -> tuple[str, ...]:
    """How the paths begin that show a job."""
    return tuple(
        operation.path.partition("{")[0]
        for operation in spec.operations.values()
        if "{" in operation.path and TUNED in operation.reply.get("properties", ())
    )
