"""A PostgreSQL of our own, in a folder that goes with it."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import psycopg

FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
USER = "postgres"  # PostgreSQL refuses to run as root
PATIENCE = 60.0  # seconds until it answers


class Cluster:
    """A server on a socket in its folder, and as many schemas as one asks for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()
        # the poorest encoding, as on a machine that has no locale
        plain = ["-A", "trust", "-U", "assay", "--no-sync", "--locale=C"]
        if self._run("initdb", *plain, "-E", "SQL_ASCII").wait():
            raise OSError((folder / "log").read_text())

    def start(self) -> None:
        self._server = self._run("postgres", "-F", "-k", str(self._folder), "-h", "")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with suppress(psycopg.OperationalError):
                self._connection().close()
                return
            time.sleep(0.02)
        raise TimeoutError("expected an answer of PostgreSQL, got none")

    def stop(self) -> None:
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait()

    def fresh(self) -> str:
        """The URL of a schema that nobody has used."""
        name = f"s{next(self._numbers)}"
        with self._connection() as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        place = f"host={self._folder}&options=-csearch_path%3D{name}"
        return f"postgresql+psycopg://assay@/postgres?{place}"

    def _connection(self) -> psycopg.Connection:
        asked = f"host={self._folder} user=assay dbname=postgres"
        return psycopg.connect(asked, autocommit=True)

    def _run(self, program: str, *words: str) -> subprocess.Popen[bytes]:
        """A process that ends with this one, however this one ends."""
        ours = ["setpriv", "--pdeathsig", "SIGQUIT", *_privileges()]
        command = [*ours, FOLDERS[-1] / program, "-D", self._folder / "data", *words]
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=self._folder, stdout=log, stderr=subprocess.STDOUT
            )


def _privileges() -> Sequence[str]:
    if os.getuid():
        return ()
    return "--reuid", USER, "--regid", USER, "--init-groups"


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A running server, stopped in the end."""
    folder = Path(tempfile.mkdtemp(prefix="assay-pg-"))
    if os.getuid() == 0:
        os.chown(folder, pwd.getpwnam(USER).pw_uid, -1)
    try:
        made = Cluster(folder)
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder)
