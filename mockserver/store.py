"""What users stored: objects of an organisation, and the content that they have."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from mockserver.database import Database, Unavailable, escaped, plain, upsert

if TYPE_CHECKING:
    import sqlalchemy as sa

UNFINISHED = "unfinished "
"""Begins the kind of an object whose content is still being written."""
LEASE = 60  # seconds until such an object is taken for left behind


class NoRoom(Exception):  # noqa: N818  # the customer's doing, not a fault of ours
    """The objects of an organisation would have more bytes than they may."""


class Store:
    """Objects in a database, and content in pieces."""

    def __init__(self, url: str = "sqlite://") -> None:
        self.database = Database(url)

    def put(
        self,
        kind: str,
        organization: str,
        body: Mapping[str, Any],
        *,
        until: int | None = None,
    ) -> None:
        """Store ``body``, which has an ``id``, in the place of what had that id.

        At the time ``until`` it may be thrown away.
        """
        with self.database.writing() as connection:
            row = _row(kind, organization, body) | {"until": until}
            upsert(connection, self._objects, row)

    def get(self, kind: str, organization: str, id: str) -> dict[str, Any] | None:
        """The object, or None where there is none of that id."""
        rows = self._rows(kind, organization=organization, id=id)
        return json.loads(rows[0].body) if rows else None

    def found(self, kind: str, id: str) -> tuple[str, dict[str, Any]] | None:
        """The object of whichever organisation, and that; None where there is none."""
        rows = self._rows(kind, id=id)
        return (plain(rows[0].organization), json.loads(rows[0].body)) if rows else None

    def all(self, kind: str, organization: str) -> list[dict[str, Any]]:
        """The objects of a kind, in the order they were stored."""
        rows = self._rows(kind, organization=organization)
        return [json.loads(row.body) for row in rows]

    def every(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """The objects of a kind with their organisations, as they were stored."""
        rows = self._rows(kind)
        return [(plain(row.organization), json.loads(row.body)) for row in rows]

    def change(
        self,
        kind: str,
        organization: str,
        id: str,
        how: Callable[[dict[str, Any]], dict[str, Any] | None],
    ) -> dict[str, Any] | None:
        """Store what ``how`` makes of an object, which nobody else changes meanwhile.

        Where it makes None of it, the object stays. Gives what is stored now, or None
        where there is none of that id. ``how`` asks nothing of the store.
        """
        if not self.database.used:
            return None
        named = self._named(kind, organization=organization, id=id)
        with self.database.writing() as connection:
            asked = self._objects.select().where(*named).with_for_update()
            row = connection.execute(asked).first()
            if row is None:
                return None
            after = how(json.loads(row.body))
            if after is None:
                before: dict[str, Any] = json.loads(row.body)
                return before
            told = self._objects.update().where(*named)
            connection.execute(told.values(body=json.dumps(after)))
            return after

    def drop(self, kind: str, organization: str, id: str) -> bool:
        """Forget an object and its content; tells whether there was one."""
        if not self.database.used:
            return False
        named = self._named(kind, organization=organization, id=id)
        with self.database.writing() as connection:
            return self._clear(connection, *named)

    def keep(
        self,
        kind: str,
        organization: str,
        body: Mapping[str, Any],
        pieces: Iterable[bytes],
        *,
        most: int | None = None,
        until: int | None = None,
    ) -> None:
        """Store a new object and its content of ``bytes``: whole, or not at all.

        Each piece is a transaction, so that nobody waits for the whole of a long file.
        Raises NoRoom where the objects of the kind would have more than ``most`` bytes
        together; those that others are writing count.
        """
        self._reserve(kind, organization, body, most)
        unfinished, id = UNFINISHED + kind, body["id"]
        with ExitStack() as failed:
            failed.callback(self.drop, unfinished, organization, id)
            for number, piece in enumerate(pieces):
                with self.database.writing() as connection:
                    row = {"file": escaped(id), "number": number, "piece": piece}
                    connection.execute(self._pieces.insert().values(row))
                    self._move_on(connection, unfinished, id, until=_lease())
            with self.database.writing() as connection:
                self._move_on(connection, unfinished, id, kind=kind, until=until)
            failed.pop_all()

    def read(self, id: str, size: int) -> Iterator[bytes]:
        """The content of an object of so many bytes, piece by piece.

        Raises LookupError where it is dropped before its end.
        """
        number = 0
        while size > 0:
            piece = self._piece(id, number)
            if piece is None:
                raise LookupError(f"expected {size} more bytes of {id!r}, got none")
            yield piece
            size, number = size - len(piece), number + 1

    def expire(self, now: int, organization: str | None = None) -> None:
        """Throw away what has come to its end, and what was never finished."""
        if not self.database.used:
            return
        columns = self._objects.c
        ended = [columns.until <= now, ~columns.kind.startswith(UNFINISHED)]
        if organization is not None:
            ended.append(columns.organization == escaped(organization))
        with self.database.writing() as connection:
            self._clear(connection, *ended)
            self._clear(connection, *self._left_behind())

    def _reserve(
        self, kind: str, organization: str, body: Mapping[str, Any], most: int | None
    ) -> None:
        """Take the room of an object before its content comes."""
        import sqlalchemy as sa

        columns = self._objects.c
        of = columns.organization == escaped(organization)
        kinds = columns.kind.in_([kind, UNFINISHED + kind])
        with self.database.writing(alone=organization) as connection:
            self._clear(connection, *self._left_behind())
            taken = sa.select(sa.func.sum(columns.size)).where(of, kinds)
            total = int(connection.execute(taken).scalar() or 0) + body["bytes"]
            if most is not None and total > most:
                raise NoRoom(f"expected at most {most} bytes, got {total}")
            row = _row(UNFINISHED + kind, organization, body)
            connection.execute(self._objects.insert().values(**row, until=_lease()))

    def _move_on(
        self,
        connection: "sa.Connection",
        unfinished: str,
        id: str,
        **changes: Any,
    ) -> None:
        """Change an unfinished object, which is still there unless we were too slow."""
        told = self._objects.update().where(*self._named(unfinished, id=id))
        if not connection.execute(told.values(changes)).rowcount:
            raise Unavailable(f"the store took {id!r} for left behind", reached=True)

    def _left_behind(self) -> "tuple[sa.ColumnElement[bool], ...]":
        columns = self._objects.c
        return columns.until <= int(time.time()), columns.kind.startswith(UNFINISHED)

    def _clear(
        self, connection: "sa.Connection", *which: "sa.ColumnElement[bool]"
    ) -> bool:
        """Delete objects with their content; tells whether there were any."""
        ids = self._objects.select().with_only_columns(self._objects.c.id).where(*which)
        connection.execute(self._pieces.delete().where(self._pieces.c.file.in_(ids)))
        gone = connection.execute(self._objects.delete().where(*which))
        return bool(gone.rowcount)

    def _piece(self, id: str, number: int) -> bytes | None:
        columns = self._pieces.c
        this = columns.file == escaped(id), columns.number == number
        rows = self.database.rows(self._pieces.select().where(*this))
        return bytes(rows[0].piece) if rows else None

    def _rows(self, kind: str, **names: str) -> "Sequence[sa.Row[Any]]":
        if not self.database.used:
            return []
        asked = self._objects.select().where(*self._named(kind, **names))
        return self.database.rows(asked.order_by(self._objects.c.place))

    def _named(self, kind: str, **names: str) -> "tuple[sa.ColumnElement[bool], ...]":
        """The conditions that objects of these names meet."""
        columns = self._objects.c
        told = (columns[name] == escaped(text) for name, text in names.items())
        return columns.kind == kind, *told

    @property
    def _objects(self) -> "sa.Table":
        from mockserver.layout import objects

        return objects

    @property
    def _pieces(self) -> "sa.Table":
        from mockserver.layout import pieces

        return pieces


def _lease() -> int:
    return int(time.time()) + LEASE


def _row(kind: str, organization: str, body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": kind,
        "id": escaped(body["id"]),
        "organization": escaped(organization),
        "body": json.dumps(body),
        "size": body.get("bytes", 0),
    }
