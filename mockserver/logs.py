"""What a server writes down: faults to stderr, and a line for each request."""

import json
import logging
import sys
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler

from mockserver.turnstile import Passage

STDERR = "-"
LONGEST = 1000  # characters of a path that are written


def to_stderr() -> None:
    """Write what goes wrong in this process."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)


class AccessLog:
    """Writes passages to a file as lines of JSON, without any key or content.

    Several processes may share the file; if it is moved away, it is begun anew. Raises
    OSError where it cannot be written.
    """

    def __init__(self, place: str) -> None:
        self._handler = (
            logging.StreamHandler(sys.stderr)
            if place == STDERR
            else WatchedFileHandler(place, encoding="utf-8")
        )
        self._log = logging.Logger("assay.access")
        self._log.addHandler(self._handler)

    def __call__(self, passage: Passage) -> None:
        self._log.info(_line(passage))

    def close(self) -> None:
        self._handler.close()


def _line(passage: Passage) -> str:
    at = datetime.fromtimestamp(passage.at, UTC)
    said = {
        "time": at.isoformat(timespec="milliseconds"),
        "method": passage.method,
        "path": passage.path[:LONGEST],
        "operation": passage.operation or None,
        "status": passage.status,
        "bytes": passage.sent,
        "ms": round(1000 * passage.seconds, 1),
        "organization": passage.organization,
        "request_id": passage.request_id,
    }
    return json.dumps(said)
