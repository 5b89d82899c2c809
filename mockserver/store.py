"""What users stored: objects of an organisation, by kind and id, in SQL."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlalchemy as sa


class Store:
    """Objects in a database; SQLAlchemy is imported when something is first stored."""

    def __init__(self, url: str = "sqlite://") -> None:
        self._url = url
        self._lock = Lock()
        self._used = url != "sqlite://"

    def put(self, kind: str, organization: str, body: Mapping[str, Any]) -> None:
        """Store ``body``, which has an ``id``, in place of what had that id."""
        import sqlalchemy as sa

        self._used = True
        with self._connected() as (connection, table):
            key = (table.c.kind == kind) & (table.c.id == body["id"])
            connection.execute(sa.delete(table).where(key))
            connection.execute(
                sa.insert(table).values(
                    kind=kind,
                    id=body["id"],
                    organization=organization,
                    body=json.dumps(body),
                )
            )

    def all(self, kind: str, organization: str) -> list[dict[str, Any]]:
        """The objects of a kind, in the order they were stored."""
        if not self._used:
            return []
        import sqlalchemy as sa

        with self._connected() as (connection, table):
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

        with self._connected() as (connection, table):
            gone = sa.delete(table).where(
                (table.c.kind == kind)
                & (table.c.organization == organization)
                & (table.c.id == id)
            )
            return bool(connection.execute(gone).rowcount)

    @contextmanager
    def _connected(self) -> "Iterator[tuple[sa.Connection, sa.Table]]":
        """A transaction; one at a time, the opening of the database included."""
        with self._lock:
            engine, table = self._opened
            with engine.begin() as connection:
                yield connection, table

    @cached_property
    def _opened(self) -> "tuple[sa.Engine, sa.Table]":
        import sqlalchemy as sa

        memory = self._url == "sqlite://"
        engine = sa.create_engine(
            self._url,
            **(
                {
                    "poolclass": sa.StaticPool,
                    "connect_args": {"check_same_thread": False},
                }
                if memory
                else {}
            ),
        )
        table = sa.Table(
            "objects",
            sa.MetaData(),
            sa.Column("place", sa.Integer, primary_key=True, autoincrement=True),
            sa.Column("kind", sa.String(40), nullable=False),
            sa.Column("id", sa.String(200), nullable=False),
            sa.Column("organization", sa.String(80), nullable=False),
            sa.Column("body", sa.Text, nullable=False),
            sa.UniqueConstraint("kind", "id"),
        )
        table.metadata.create_all(engine)
        return engine, table
