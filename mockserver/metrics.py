"""What a server counts, as the page that Prometheus reads.

Several workers count in files of one folder, which the environment has to name before
this module is imported; whichever worker is asked for the page adds them up.
"""

import os
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import make_wsgi_app
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from mockserver.accounts import Bill
from mockserver.config import COUNTS
from mockserver.context import House
from mockserver.store import Store
from mockserver.tuning import FineTunes
from mockserver.turnstile import Passage, Turnstile, Wsgi

PAGE = "/metrics"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)


class Metrics:
    """Counters, told of each passage; and levels, which are looked up."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        folder = os.environ.get(COUNTS)
        self._read = CollectorRegistry()
        own = None if folder else self._read  # else it is read out of the folder
        one, two = ("operation",), ("operation", "status")
        self._requests = Counter("assay_requests", "Requests.", two, registry=own)
        self._seconds = Histogram(
            "assay_request_seconds",
            "Seconds from a request's head to the end of its answer.",
            one,
            registry=own,
            buckets=SECONDS,
        )
        self._received = Counter(
            "assay_received_bytes", "Bytes of requests' bodies.", one, registry=own
        )
        self._sent = Counter(
            "assay_sent_bytes", "Bytes of answers' bodies.", one, registry=own
        )
        self._tokens = Counter(
            "assay_tokens", "Tokens billed.", ("organization", "kind"), registry=own
        )
        self._texts = Gauge(
            "assay_texts",
            "Texts that are being generated.",
            registry=own,
            multiprocess_mode="livesum",
        )
        self._streams = Gauge(
            "assay_streams", "Open streams.", registry=own, multiprocess_mode="livesum"
        )
        if folder:
            _forget_dead(Path(folder))
            MultiProcessCollector(self._read)  # type: ignore[no-untyped-call]

    def spent(self, organization: str, bill: Bill) -> None:
        """Count the tokens of one answer."""
        self._tokens.labels(organization, "prompt").inc(bill.prompt)
        self._tokens.labels(organization, "completion").inc(bill.completion)

    def passed(self, passage: Passage) -> None:
        """Count a request and its answer."""
        name = passage.operation or "none"
        self._requests.labels(name, passage.status).inc()
        self._seconds.labels(name).observe(passage.seconds)
        self._received.labels(name).inc(passage.received)
        self._sent.labels(name).inc(passage.sent)

    def sample(self, rooms: House, turnstile: Turnstile) -> None:
        """Look up the levels of this worker, for whichever is asked."""
        self._texts.set(rooms.mind.rows)
        self._streams.set(turnstile.streams)

    def beside(self, rooms: House, turnstile: Turnstile) -> Wsgi:
        """The application behind ``turnstile``, counted, and the page."""
        page = make_wsgi_app(self._read)
        self._read.register(_Jobs(rooms.store))

        def read(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
            self.sample(rooms, turnstile)
            return page(environ, start)

        turnstile.tell(self.passed)
        return DispatcherMiddleware(turnstile, {PAGE: read})


class _Jobs(Collector):
    """How many jobs are in each state, as the store has it when the page is read."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        told = GaugeMetricFamily("assay_jobs", "Jobs.", labels=["status"])
        with suppress(OSError):  # the store fails; the page is then read all the more
            rows = self._store.every(FineTunes.name)
            for status, count in sorted(
                Tally(row["status"] for _, row in rows).items()
            ):
                told.add_metric([status], count)
        yield told


def _forget_dead(folder: Path) -> None:
    """Drop the levels of workers that are no more."""
    for path in folder.glob("gauge_live*.db"):
        pid = int(path.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid)  # type: ignore[no-untyped-call]
