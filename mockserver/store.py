"""What users stored, in SQL: objects of an organisation, and the content of files."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import sqlalchemy as sa


class Store:
    """Objects in a database; SQLAlchemy is imported when something is first stored."""

    def __init__(self, url: str = "sqlite://") -> None:
        self._url = url
        self._lock = Lock()
        self._used = url != "sqlite://"

    def put(self, kind: str, organization: str, body: Mapping[str, Any]) -> None:
        """Store ``body``, which has an ``id``, in the place of what had that id."""
        import sqlalchemy as sa

        self._used = True
        with self._connected() as (connection, tables):
            table, text = tables.objects, json.dumps(body)
            known = (table.c.kind == kind) & (table.c.id == body["id"])
            told = sa.update(table).where(known).values(body=text)
            if not connection.execute(told).rowcount:
                row = {"kind": kind, "id": body["id"], "organization": organization}
                connection.execute(sa.insert(table).values(**row, body=text))

    def get(self, kind: str, organization: str, id: str) -> dict[str, Any] | None:
        """The object, or None where there is none of that id."""
        if not self._used:
            return None
        import sqlalchemy as sa

        with self._connected() as (connection, tables):
            chosen = sa.select(tables.objects.c.body).where(
                *_named(tables.objects, kind, organization, id)
            )
            row = connection.execute(chosen).first()
            return json.loads(row.body) if row else None

    def all(self, kind: str, organization: str) -> list[dict[str, Any]]:
        """The objects of a kind, in the order they were stored."""
        if not self._used:
            return []
        import sqlalchemy as sa

        with self._connected() as (connection, tables):
            table = tables.objects
            chosen = (
                sa.select(table.c.body)
                .where((table.c.kind == kind) & (table.c.organization == organization))
                .order_by(table.c.place)
            )
            return [json.loads(row.body) for row in connection.execute(chosen)]

    def drop(self, kind: str, organization: str, id: str) -> bool:
        """Forget an object; tells whether there was one."""
        if not self._used:
            return False
        import sqlalchemy as sa

        with self._connected() as (connection, tables):
            gone = sa.delete(tables.objects).where(
                *_named(tables.objects, kind, organization, id)
            )
            return bool(connection.execute(gone).rowcount)

    def write(self, id: str, pieces: Iterable[bytes]) -> None:
        """Store the content of a new file, piece by piece; what fails leaves nothing.

        Each piece is a transaction, so that nobody waits for the whole of a long file.
        """
        import sqlalchemy as sa

        self._used = True
        with ExitStack() as failed:
            failed.callback(self.forget, id)
            for number, piece in enumerate(pieces):
                with self._connected() as (connection, tables):
                    row = {"file": id, "number": number, "piece": piece}
                    connection.execute(sa.insert(tables.pieces).values(**row))
            failed.pop_all()

    def read(self, id: str, size: int) -> Iterator[bytes]:
        """The content of a file of so many bytes, piece by piece.

        Raises LookupError where it is forgotten before its end.
        """
        number = 0
        while size > 0:
            piece = self._piece(id, number)
            if piece is None:
                raise LookupError(f"expected {size} more bytes of {id!r}, got none")
            yield piece
            size, number = size - len(piece), number + 1

    def forget(self, id: str) -> None:
        """Drop the content of a file."""
        import sqlalchemy as sa

        with self._connected() as (connection, tables):
            table = tables.pieces
            connection.execute(sa.delete(table).where(table.c.file == id))

    def _piece(self, id: str, number: int) -> bytes | None:
        import sqlalchemy as sa

        with self._connected() as (connection, tables):
            table = tables.pieces
            named = (table.c.file == id) & (table.c.number == number)
            row = connection.execute(sa.select(table.c.piece).where(named)).first()
        return bytes(row.piece) if row else None

    @contextmanager
    def _connected(self) -> "Iterator[tuple[sa.Connection, _Tables]]":
        """A transaction; one at a time, the opening of the database included."""
        with self._lock:
            engine, tables = self._opened
            with engine.begin() as connection:
                yield connection, tables

    @cached_property
    def _opened(self) -> "tuple[sa.Engine, _Tables]":
        import sqlalchemy as sa

        more = _shared() if self._url == "sqlite://" else {}
        engine = sa.create_engine(self._url, **more)
        tables = _tables()
        tables.objects.metadata.create_all(engine)
        return engine, tables


def _shared() -> dict[str, Any]:
    """One connection for all threads, to a database that is gone with it.

    SQLite keeps a database without a name in memory while it is small, and in a file
    of its own when it is large.
    """
    import sqlite3

    import sqlalchemy as sa

    def opened() -> sqlite3.Connection:
        return sqlite3.connect("", check_same_thread=False)

    return {"poolclass": sa.StaticPool, "creator": opened}


class _Tables(NamedTuple):
    objects: "sa.Table"
    pieces: "sa.Table"


def _tables() -> _Tables:
    import sqlalchemy as sa

    all_tables = sa.MetaData()
    objects = sa.Table(
        "objects",
        all_tables,
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("organization", sa.String(80), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.UniqueConstraint("kind", "id"),
    )
    pieces = sa.Table(
        "pieces",
        all_tables,
        sa.Column("file", sa.String(200), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("piece", sa.LargeBinary, nullable=False),
    )
    return _Tables(objects, pieces)


def _named(
    table: "sa.Table", kind: str, organization: str, id: str
) -> "tuple[sa.ColumnElement[bool], ...]":
    """The conditions that one object meets."""
    columns = table.c
    return columns.kind == kind, columns.organization == organization, columns.id == id
