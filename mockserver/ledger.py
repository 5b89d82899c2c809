"""Records that requests change: in this process, or in a database that others share."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from mockserver.database import Database, escaped, upsert

if TYPE_CHECKING:
    import sqlalchemy as sa

R = TypeVar("R")


class Ledger(Protocol):
    """Records of a kind, under an owner and a name.

    A kind is a dataclass of what JSON can hold, that needs no argument: so begins a
    record that is not there yet. One with ``until`` ends then.
    """

    def read(self, kind: type[R], owner: str, name: str = "") -> R:
        """The record as it is now."""

    def held(
        self, kind: type[R], owner: str, name: str = ""
    ) -> AbstractContextManager[R]:
        """The record, which nobody else holds meanwhile; what changes in it, lasts."""

    def put(self, record: object, owner: str, name: str = "") -> None:
        """Store ``record`` in the place of the one that was there."""

    def all(self, kind: type[R], owner: str) -> list[R]:
        """The records of an owner."""

    def expire(self, now: int, owner: str | None = None) -> None:
        """Throw away the records that have come to their end."""


def ledger(database: Database) -> Ledger:
    """Where the records are that belong to the database's objects."""
    return OwnLedger() if database.private else SharedLedger(database)


class OwnLedger:
    """Records of this process alone. What is read follows later changes."""

    def __init__(self) -> None:
        self._records: dict[tuple[type, str, str], Any] = {}
        self._lock = Lock()

    def read(self, kind: type[R], owner: str, name: str = "") -> R:
        found: R | None = self._records.get((kind, owner, name))
        return found or self._records.setdefault((kind, owner, name), kind())

    @contextmanager
    def held(self, kind: type[R], owner: str, name: str = "") -> Iterator[R]:
        with self._lock:
            yield self.read(kind, owner, name)

    def put(self, record: object, owner: str, name: str = "") -> None:
        self._records[type(record), owner, name] = record

    def all(self, kind: type[R], owner: str) -> list[R]:
        rows = list(self._records.items())
        return [row for (k, of, _), row in rows if k is kind and of == owner]

    def expire(self, now: int, owner: str | None = None) -> None:
        for names, record in list(self._records.items()):
            ends = getattr(record, "until", None)
            if ends is not None and ends <= now and owner in (None, names[1]):
                self._records.pop(names, None)


class SharedLedger:
    """Records in the database. What is read is a copy."""

    def __init__(self, database: Database) -> None:
        from mockserver import layout

        self._database, self._layout = database, layout

    def read(self, kind: type[R], owner: str, name: str = "") -> R:
        names = _names(kind, owner, name)
        rows = self._database.rows(self._layout.record, **names)
        return _record(kind, rows[0].body) if rows else kind()

    @contextmanager
    def held(self, kind: type[R], owner: str, name: str = "") -> Iterator[R]:
        names = _names(kind, owner, name)
        with self._database.writing(alone=json.dumps(names)) as connection:
            row = connection.execute(self._layout.record, names).first()
            record = _record(kind, row.body) if row else kind()
            yield record
            if row is None or row.body != _body(record):
                self._put(connection, record, names)

    def put(self, record: object, owner: str, name: str = "") -> None:
        with self._database.writing() as connection:
            self._put(connection, record, _names(type(record), owner, name))

    def all(self, kind: type[R], owner: str) -> list[R]:
        names = _names(kind, owner)
        rows = self._database.rows(self._layout.records_of, **names)
        return [_record(kind, row.body) for row in rows]

    def expire(self, now: int, owner: str | None = None) -> None:
        records = self._layout.records
        gone = records.delete().where(records.c.until <= now)
        if owner is not None:
            gone = gone.where(records.c.owner == escaped(owner))
        with self._database.writing() as connection:
            connection.execute(gone)

    def _put(
        self, connection: "sa.Connection", record: object, names: dict[str, str]
    ) -> None:
        told = {"body": _body(record), "until": getattr(record, "until", None)}
        upsert(connection, self._layout.records, names | told)


def _names(kind: type, owner: str, name: str | None = None) -> dict[str, str]:
    names = {"kind": kind.__name__, "owner": escaped(owner)}
    return names if name is None else {**names, "name": name}


def _body(record: object) -> str:
    return json.dumps(vars(record), default=vars)


def _record(kind: type[R], body: str) -> R:
    made: Callable[..., R] = kind
    return made(**json.loads(body))
