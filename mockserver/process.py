"""One worker process of a server: its application, and how it minds itself."""

import atexit
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing.util import Finalize
from select import select
from threading import Thread
from typing import TYPE_CHECKING

from mockserver import logs
from mockserver.accounts import Accounts
from mockserver.app import application, house
from mockserver.config import Config, Organization
from mockserver.context import House
from mockserver.database import PRIVATE
from mockserver.deviation import Deviation
from mockserver.records import Member, Policy
from mockserver.turnstile import Turnstile, Wsgi
from spec import Spec, load

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

    from mockserver.metrics import Metrics

SOON = 0.002  # seconds until it is asked again whether the port answers
AGAIN = 0.2  # seconds until a process is asked again to end
BEAT = 0.5  # seconds between two looks at the parent, and at what is under way


@dataclass(frozen=True)
class Run:
    """What the processes of one server share."""

    config: Config
    store: str
    address: str
    port: int
    parent: int
    births: "Synchronized[int]"
    """How many workers there were, so that no two make the same ids of one seed."""

    @property
    def url(self) -> str:
        host = self.config.host
        host = f"[{host}]" if ":" in host else host
        return f"{self.config.scheme}://{host}:{self.port}/v1"


def worker(run: Run) -> Wsgi:
    """The application of this process, which is new."""
    os.setpgid(0, 0)  # Ctrl-C is for the parent alone, which lets us end in peace
    Finalize(None, atexit._run_exitfuncs, exitpriority=0)  # a fork would leave it out
    logs.to_stderr()
    with run.births.get_lock():
        number = run.births.value
        run.births.value += 1
    rooms, metrics = _house(run, number), None
    if run.config.measured:
        from mockserver.metrics import Metrics  # where it counts is known by now

        metrics = Metrics()
        rooms = replace(rooms, meter=metrics.spent)
    turnstile = _turnstile(run, rooms)
    minder = Minder(run, number, rooms, turnstile, metrics)
    Thread(target=minder.mind, args=[_heard()], daemon=True).start()
    return metrics.beside(rooms, turnstile) if metrics else turnstile


@dataclass(frozen=True)
class Minder:
    """Looks after a worker, from a thread of its own."""

    run: Run
    number: int
    rooms: House
    turnstile: Turnstile
    metrics: "Metrics | None"

    def mind(self, heard: int) -> None:
        """Tell when the server answers, bring in the model, and see to the end."""
        while not _answers(self.run):
            time.sleep(SOON)
        if self.number == 0:
            sys.stdout.write(f"ready {self.run.url}\n")
            sys.stdout.flush()
        self.rooms.mind.warm()
        if self.run.store not in PRIVATE:
            self.rooms.jobs.watch()
        asked = False
        while not asked and os.getppid() == self.run.parent:
            if self.metrics:
                self.metrics.sample(self.rooms, self.turnstile)
            asked = bool(select([heard], [], [], BEAT)[0])
        self._end(asked)

    def _end(self, asked: bool) -> None:
        """End this process, which was ``asked`` to or has lost its parent.

        A server that only begins to serve does not hear that it should stop; one that
        hears it twice drops what is under way. So it is told again if nothing is.
        """
        deadline = time.monotonic() + self.run.config.grace
        while time.monotonic() < deadline:
            if not asked:
                os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(AGAIN)
            asked = self.turnstile.under_way > 0
        os._exit(1)


def chosen(spec: Spec, names: Sequence[str]) -> list[Deviation]:
    """The deviations of these names. Raises ValueError for one that is not known."""
    if not names:
        return []
    from mockserver.deviations import deviations

    known = deviations(spec)
    for name in names:
        if name not in known:
            raise ValueError(f"unknown deviation {name!r}; see --list-deviations")
    return [known[name] for name in names]


def _house(run: Run, number: int) -> House:
    """What this worker owns; what it shares is furnished by the first one."""
    config = run.config
    rooms = house(
        load(config.edition),
        keys=_members(config),
        seed=None if config.seed is None else config.seed + (number << 64),
        store=run.store,
    )
    if number == 0 or run.store in PRIVATE:
        for entry in config.organizations:
            _limit(rooms.accounts, entry)
    return rooms


def _members(config: Config) -> dict[str, Member]:
    told = {
        entry.key: Member(entry.organizations, entry.role, entry.tier == "paying")
        for entry in config.keys
    }
    return dict.fromkeys(config.api_key, Member()) | told


def _limit(accounts: Accounts, entry: Organization) -> None:
    with accounts.changed(entry.id) as one:
        one.requests, one.tokens = entry.requests, entry.tokens
        one.quota, one.user_requests = entry.quota, entry.user_requests
        one.policy = Policy(
            entry.blocked,
            entry.prompt_tokens,
            entry.completion_tokens,
            entry.zero_retention,
        )


def _turnstile(run: Run, rooms: House) -> Turnstile:
    deviant = chosen(rooms.spec, run.config.deviation)
    turnstile = Turnstile(application(rooms, deviant))
    if run.config.access_log:
        turnstile.tell(logs.AccessLog(run.config.access_log))
    return turnstile


def _heard() -> int:
    """A descriptor that can be read once a signal has come."""
    heard, told = socket.socketpair()
    told.setblocking(False)
    signal.set_wakeup_fd(told.detach(), warn_on_full_buffer=False)
    return heard.detach()


def _answers(run: Run) -> bool:
    try:
        socket.create_connection((run.address, run.port)).close()
    except ConnectionRefusedError:
        return False
    return True
