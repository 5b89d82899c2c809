"""The tables of a store, and how one of an older layout is brought up to date."""

import json
from typing import Any

import sqlalchemy as sa

from mockserver.database import escaped

LAYOUT = 1
"""Counted up with every change of the tables; 0 had no table that says it."""

_TABLES = sa.MetaData()
layout = sa.Table(
    "layout",
    _TABLES,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
)
objects = sa.Table(
    "objects",
    _TABLES,
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("organization", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("until", sa.BigInteger),
    sa.UniqueConstraint("kind", "id"),
    sa.Index("objects_of", "organization", "kind", "place"),
    sa.Index("objects_until", "until"),
)
pieces = sa.Table(
    "pieces",
    _TABLES,
    sa.Column("file", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("piece", sa.LargeBinary, nullable=False),
)
records = sa.Table(
    "records",
    _TABLES,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("until", sa.BigInteger),
    sa.Index("records_until", "until"),
)

records_of = sa.select(records.c.body).where(
    records.c.kind == sa.bindparam("kind"), records.c.owner == sa.bindparam("owner")
)
record = records_of.where(records.c.name == sa.bindparam("name"))


def lay(connection: sa.Connection) -> None:
    """Make the tables, or bring them up to date; nobody else writes meanwhile.

    Raises ValueError where they are of a layout that is not known yet.
    """
    known = set(sa.inspect(connection).get_table_names())
    if layout.name in known:
        found = connection.execute(sa.select(layout.c.number)).scalar_one()
    else:
        found = 0 if objects.name in known else LAYOUT
    if found > LAYOUT:
        raise ValueError(f"expected a store of layout {LAYOUT} or older, got {found}")
    if found == 0:
        _widen(connection)
    _TABLES.create_all(connection)
    if layout.name not in known:
        connection.execute(layout.insert().values(number=LAYOUT))


def _widen(connection: sa.Connection) -> None:
    """From 0 to 1: objects have a size and an end, and names are escaped."""
    for column in ("size BIGINT NOT NULL DEFAULT 0", "until BIGINT"):
        connection.exec_driver_sql(f"ALTER TABLE objects ADD COLUMN {column}")
    for index in objects.indexes:
        index.create(connection)
    for row in connection.execute(sa.select(objects)).all():
        told = objects.update().where(objects.c.place == row.place)
        connection.execute(told.values(**_widened(row._mapping)))


def _widened(row: Any) -> dict[str, Any]:
    body = json.loads(row["body"])
    if row["kind"] == "picture":  # it had no organisation, but named its maker's
        ends = {"organization": body.pop("organization"), "until": body["until"]}
        row = {**row, **ends, "body": json.dumps(body)}
    names = {name: escaped(row[name]) for name in ("id", "organization")}
    return {**row, **names, "size": body.get("bytes", 0)}
