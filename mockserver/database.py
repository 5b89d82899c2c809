"""The database behind a store: of this process alone, a file, or a server."""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    import sqlalchemy as sa

PRIVATE = ("sqlite://", "sqlite:///:memory:")
FILE, SERVER = "sqlite", "postgresql"
PATIENCE = 20.0  # seconds that a writer waits for its turn
PAUSE = 0.002  # at most, before it asks again
CONNECTING = 5  # seconds that a server may take to answer
POOL: dict[str, Any] = {
    "pool_size": 8,
    "max_overflow": 0,
    "pool_timeout": PATIENCE,
}
PLAIN: dict[str, Any] = {"timeout": 0, "isolation_level": None}
"""SQLite waits for nobody, and Python begins no transactions."""
NONE_OF_OURS = "expected a store of sqlite:///path or postgresql://, got another"
NO_CONNECTION, INTERVENTION = "08", "57"  # classes of SQLSTATE
OPENING = 0x41737361  # the advisory lock of who makes the tables
T = TypeVar("T")


class Unavailable(OSError):  # noqa: N818  # as the refusal it becomes, a state
    """The database fails, or cannot be reached; said in one line."""

    def __init__(self, words: str, reached: bool) -> None:
        super().__init__(words)
        self.reached = reached


class Engines(NamedTuple):
    """Two ways to the same connections; a reader needs no transaction."""

    reader: "sa.Engine"
    writer: "sa.Engine"


class Database:
    """Transactions; SQLAlchemy is imported when the first one begins.

    What one process may share with others is opened at once. Raises ValueError for a
    URL that is none of ours or a layout that is not known, Unavailable where it fails.
    """

    def __init__(self, url: str = PRIVATE[0]) -> None:
        self.private = url in PRIVATE
        self.used = not self.private
        """Whether anything was ever stored."""
        self._url = url
        self._opening = Lock()
        self._engines: Engines | None = None
        only, free = Lock(), nullcontext()
        file = url.startswith(FILE)
        # a private database has one connection; a file has one writer at a time, and
        # those of a process need not all knock at its door
        self._reader: AbstractContextManager[Any] = only if self.private else free
        self._writer: AbstractContextManager[Any] = only if file else free
        if not self.private:
            with _told():
                self._opened()

    def rows(
        self, statement: "sa.Select[Any]", **values: object
    ) -> Sequence["sa.Row[Any]"]:
        """What ``statement`` finds with these values for its parameters."""

        def found() -> Sequence["sa.Row[Any]"]:
            with self._opened().reader.connect() as connection:
                return connection.execute(statement, values).all()

        with _told(), self._reader:
            return _patiently(found)

    @contextmanager
    def writing(self, alone: str = "") -> Iterator["sa.Connection"]:
        """A transaction; of those that are ``alone`` under one name, one at a time."""
        with _told(), self._writer:
            self.used = True
            with self._opened().writer.begin() as connection:
                if alone and connection.dialect.name == SERVER:
                    _lock(connection, alone)
                yield connection

    def close(self) -> None:
        """Give back the connections; a next transaction opens new ones."""
        with self._opening:
            if self._engines is not None:
                self._engines.writer.dispose()

    def _opened(self) -> "Engines":
        with self._opening:
            if self._engines is None:
                with ExitStack() as failed:
                    engines = _engines(self._url)
                    failed.callback(engines.writer.dispose)
                    _patiently(lambda: _lay(engines.writer))
                    failed.pop_all()
                self._engines = engines
            return self._engines


def upsert(
    connection: "sa.Connection", table: "sa.Table", row: Mapping[str, Any]
) -> None:
    """Insert ``row``, or put it in the place of the one that has its names."""
    connection.execute(_upserting(connection.dialect.name, table, tuple(row)), row)


@cache
def _upserting(dialect: str, table: "sa.Table", columns: tuple[str, ...]) -> Any:
    from sqlalchemy.dialects import postgresql, sqlite

    names = ["kind", "id"] if "id" in columns else ["kind", "owner", "name"]
    told = (sqlite if dialect == FILE else postgresql).insert(table)
    new = {name: told.excluded[name] for name in columns if name not in names}
    return told.on_conflict_do_update(index_elements=names, set_=new)


def escaped(text: str) -> str:
    """``text`` in ASCII: databases differ in what else they hold, NUL for one."""
    return json.dumps(text)[1:-1]


def plain(text: str) -> str:
    """What ``escaped`` made such."""
    told: str = json.loads(f'"{text}"')
    return told


@contextmanager
def _told() -> Iterator[None]:
    """Faults of the database, as ours."""
    try:
        yield
    except Exception as fault:
        from sqlalchemy import exc

        ours = (exc.ProgrammingError, exc.IntegrityError, exc.DataError)
        theirs = isinstance(fault, exc.DBAPIError | exc.TimeoutError)
        if not theirs or isinstance(fault, ours):
            raise
        cause = getattr(fault, "orig", fault)
        words = " ".join(str(cause).split()) or type(cause).__name__
        raise Unavailable(f"the store fails: {words}", _reached(cause)) from fault


def _reached(cause: BaseException) -> bool:
    """Whether the database was there at all: it may fail though it is."""
    import sqlite3

    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN)
    state = getattr(cause, "sqlstate", None)
    return state is not None and state[:2] not in (NO_CONNECTION, INTERVENTION)


def _patiently(act: Callable[[], T]) -> T:
    """What ``act`` gives once no other process is in its way.

    SQLite's own waiting sleeps longer each time, and so lets a busy process starve.
    """
    import sqlite3

    from sqlalchemy.exc import OperationalError

    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return act()
        except OperationalError as fault:
            code = getattr(fault.orig, "sqlite_errorcode", 0) & 0xFF
            if code != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(random.uniform(0, PAUSE))


def _engines(url: str) -> Engines:
    """Raises ValueError for a URL that is none of ours, without its password."""
    import sqlalchemy as sa

    if url in PRIVATE:
        alone = sa.create_engine(url, poolclass=sa.StaticPool, creator=_alone)
        return _turning(alone)
    try:
        asked = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ValueError(NONE_OF_OURS) from None
    match asked.get_backend_name():
        case "sqlite" if asked.database not in (None, "", ":memory:"):
            return _file(asked.set(drivername="sqlite"))
        case "postgresql":
            return _server(asked.set(drivername="postgresql+psycopg"))
    raise ValueError(NONE_OF_OURS)


def _file(url: "sa.URL") -> Engines:
    import sqlalchemy as sa

    engine = sa.create_engine(url, connect_args=PLAIN, **POOL)
    sa.event.listen(engine, "connect", _prepare)
    return _turning(engine)


def _server(url: "sa.URL") -> Engines:
    import sqlalchemy as sa

    # a database without an encoding would tell text as bytes
    asked = {"connect_timeout": CONNECTING, "client_encoding": "utf8"}
    try:
        # each connection is tried first: the server may have been started anew
        engine = sa.create_engine(url, connect_args=asked, pool_pre_ping=True, **POOL)
    except ModuleNotFoundError as fault:
        raise ValueError(f"expected {fault.name} for this store, got none") from fault
    return Engines(engine.execution_options(isolation_level="AUTOCOMMIT"), engine)


def _turning(engine: "sa.Engine") -> Engines:
    """A writer asks for its turn first: whoever has read already would be refused."""
    import sqlalchemy as sa

    def begin(connection: "sa.Connection") -> None:
        if connection.get_execution_options().get("writes"):
            _patiently(lambda: connection.exec_driver_sql("BEGIN IMMEDIATE"))

    sa.event.listen(engine, "begin", begin)
    return Engines(engine, engine.execution_options(writes=True))


def _alone() -> Any:
    """One connection for all threads, to a database that is gone with it.

    SQLite keeps a database without a name in memory while it is small, and in a file
    of its own when it is large.
    """
    import sqlite3

    return sqlite3.connect("", check_same_thread=False, **PLAIN)


def _prepare(connection: Any, _: object) -> None:
    """Readers beside a writer, and no loss where a process is killed."""
    for setting in ("journal_mode=WAL", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {setting}")


def _lay(engine: "sa.Engine") -> None:
    from mockserver.layout import lay

    with engine.begin() as connection:
        if engine.dialect.name == SERVER:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({OPENING})")
        lay(connection)


def _lock(connection: "sa.Connection", name: str) -> None:
    import sqlalchemy as sa

    number = sa.func.hashtext(escaped(name))
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))
