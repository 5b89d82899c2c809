"""Work that goes on behind an answer: queued, leased, and taken up again.

A job is a part of the object that it is behind, such as a fine-tune; as long as that is
not over, a row of the kind "job" says that there is one. Any server of the store may
take a job whose ``owner`` is none or gives no sign of life, and goes on where the last
one kept what it had. Each change asks first whether the job is still one's own, so that
a server that was given up for dead does no harm when it wakes.
"""

import atexit
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from threading import Condition, Thread
from uuid import uuid4

from mockserver.leases import Free, Kind, Pace, Row, Run
from mockserver.store import Store
from mockserver.training import Message
from mockserver.tuning import cut
from mockserver.workers import Died, Workers

PACE = Pace()
KEPT = "checkpoint"  # the kind of what it takes to go on
TICK = 0.1  # seconds between two looks at the jobs
IDLE = 1.0  # the same where there is none, or the store fails
GRACE = 3.0  # seconds in which a worker stops that was asked to, busy as it may be
log = logging.getLogger("assay.mock")


class Lost(Exception):  # noqa: N818  # it says what happened
    """The job is no longer one's own: it is over, or somebody else has it."""


class Jobs:
    """The jobs of a store, as one server works at them."""

    def __init__(
        self,
        store: Store,
        workers: Workers,
        kinds: Sequence[Kind],
        now: Callable[[str], int],
        pace: Pace = PACE,
    ) -> None:
        """``now`` tells the time of an organisation."""
        self._store, self._workers, self._now, self._pace = store, workers, now, pace
        self._kinds = {kind.name: kind for kind in kinds}
        self._runs: list[Run] = []
        self._turns: dict[str, float] = {}  # when each organisation had its last one
        self._others = False  # whether a job waits for its turn
        self._news = Condition()  # guards what follows, and tells that something is new
        self._thread: Thread | None = None
        self._wanted = self._watching = self.closed = False

    def add(self, kind: str, organization: str, row: Row) -> None:
        """Store a new object and begin its job when it is due."""
        self._store.put(kind, organization, row)
        self._store.put("job", organization, {"id": row["id"], "kind": kind})
        self._start()

    def watch(self) -> None:
        """Take up jobs that other servers of the store began, from now on."""
        self._watching = True
        atexit.register(self.close)  # then nobody has to wait for the lease to end
        self._start()

    def ended(self, kind: str, organization: str, row: Row) -> None:
        """Clear away what only a job needs whose object is over."""
        kept, made = row["job"]["kept"], row["job"]["made"]
        if kept is not None:
            self._store.drop(KEPT, organization, kept["id"])
        if made is not None:
            self._kinds[kind].unmake(organization, made)
        self._store.drop("job", organization, row["id"])
        self.tell()

    def tell(self) -> None:
        """Wake who waits for news."""
        with self._news:
            self._news.notify_all()

    def wait(self, seconds: float) -> bool:
        """Return when something may be new, or so much later; False once closed."""
        with self._news:
            return not self.closed and (self._news.wait(seconds) or True)

    def close(self) -> None:
        """Stop working; what is under way can be taken up by others at once."""
        with self._news:
            self.closed = True
            self._news.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()
        for run in list(self._runs):
            run.halt()
            run.thread.join(GRACE)
            if run.thread.is_alive():
                run.worker.kill()
                run.thread.join()

    def _start(self) -> None:
        with self._news:
            self._wanted = True
            self._news.notify_all()
            if self._thread is None and not self.closed:
                self._thread = Thread(target=self._supervise, name="jobs", daemon=True)
                self._thread.start()

    def _supervise(self) -> None:
        live = True
        while self._goes_on(live):
            try:
                live = self._look()
            except Exception as fault:  # broad: nobody else would go on with the jobs
                log.error("the jobs could not be looked at: %r", fault)
                with self._news:
                    self._news.wait_for(lambda: self.closed, IDLE)

    def _goes_on(self, live: bool) -> bool:
        """Wait a moment; False where no job is left, or all is closed."""
        with self._news:
            if not (live or self._wanted or self._runs or self._watching):
                self._thread = None
                return False
            self._news.wait_for(
                lambda: self.closed or self._wanted, TICK if live else IDLE
            )
            self._wanted = False
            return not self.closed

    def _look(self) -> bool:
        """Care for the runs, and begin what can begin; whether there is any job."""
        for run in list(self._runs):
            self._care(run)
        live = self._store.every("job")
        if live:
            self._workers.warm()
        known = {organization for organization, _ in live}
        self._turns = {id: turn for id, turn in self._turns.items() if id in known}
        free = [job for job in map(self._free, live) if job is not None]
        while free and (worker := self._workers.borrow()) is not None:
            first = min(free, key=self._turn)
            free.remove(first)
            self._turns[first.organization] = time.monotonic()
            self._begin(Run(first.kind, first.organization, first.id, worker))
        self._others = bool(free)
        return bool(live)

    def _turn(self, job: Free) -> tuple[float, float]:
        """The organisation, and then the job, that was served the longest ago."""
        return self._turns.get(job.organization, 0.0), job.served

    def _free(self, job: tuple[str, Row]) -> Free | None:
        """A job that may be taken; what is left of others is cleared away."""
        organization, (id, name) = job[0], (job[1]["id"], job[1]["kind"])
        kind = self._kinds.get(name)
        if kind is None:  # that of another edition
            return None
        row = self._store.get(name, organization, id)
        if row is None:
            self._store.drop("job", organization, id)
        elif kind.over(row):
            self.ended(name, organization, row)
        elif self._takeable(row, self._now(organization)):
            return Free(row["job"]["served"], kind, organization, id)
        return None

    def _takeable(self, row: Row, now: int) -> bool:
        job = row["job"]
        left = not job["owner"] or time.time() - job["beaten"] > self._pace.stale
        return bool(left and now >= job["due"])

    def _begin(self, run: Run) -> None:
        """Take the job, if nobody was faster, and work at it beside everything else."""
        now = self._now(run.organization)

        def take(row: Row) -> Row | None:
            if run.kind.over(row) or not self._takeable(row, now):
                return None
            attempts = row["job"]["attempts"] + 1
            lease = {"owner": run.owner, "beaten": time.time(), "attempts": attempts}
            return {**row, "job": {**row["job"], **lease}}

        row = self._store.change(*run.key, take)
        if row is None or row["job"]["owner"] != run.owner:
            self._workers.give_back(run.worker, fit=True)
            return
        run.thread = Thread(target=self._work, args=(run, row), daemon=True)
        self._runs.append(run)
        run.thread.start()

    def _care(self, run: Run) -> None:
        """Give a sign of life; stop what is no longer one's own."""
        now, row = time.monotonic(), self._store.get(*run.key)
        if run.halted is not None:
            if now - run.halted > GRACE:
                run.worker.kill()
        elif row is None or row["job"]["owner"] != run.owner or run.kind.over(row):
            run.halt()
        elif now - run.beaten > self._pace.beat:
            run.beaten = now
            with suppress(Lost):
                self._change(run, lambda row, now: None)

    def _work(self, run: Run, row: Row) -> None:
        """Hear what the worker tells, until there is no more to hear."""
        fit = False
        try:
            fit = self._heard(run, row)
        except Exception as fault:  # broad: after a while somebody takes it up again
            log.error("%s could not be worked at: %r", run.id, fault)
        finally:
            self._runs.remove(run)  # first: the worker is soon another's
            self._workers.give_back(run.worker, fit=fit)
            self._start()

    def _heard(self, run: Run, row: Row) -> bool:
        """Whether the worker is ready for another job."""
        try:
            order, blobs = self._order(run, row)
        except LookupError as gone:
            self._fail(run, str(gone))
            return True
        try:
            self._listen(run, run.worker.work(order, blobs))
        except Died:
            self._let_go(run)
            return False
        return True

    def _listen(self, run: Run, messages: Iterator[Message]) -> None:
        """Hear it to the last word, though nothing is done once the job is lost."""
        try:
            for told, blobs in messages:
                self._hear(run, told, blobs)
        except Lost:
            run.halt()
            for _ in messages:
                continue

    def _order(self, run: Run, row: Row) -> tuple[Row, list[bytes]]:
        """What the worker is told. Raises LookupError where that cannot be."""
        if row["job"]["attempts"] > self._pace.attempts:
            raise LookupError(f"it was interrupted {self._pace.attempts} times")
        order, blobs = run.kind.order(run.organization, row)
        return {**order, "pause": self._pace.keep}, blobs

    def _hear(self, run: Run, told: Row, blobs: Sequence[bytes]) -> None:
        kind = run.kind
        match told["told"]:
            case "begun":
                self._change(run, lambda row, now: kind.begun(row, told, now))
            case "epoch":
                self._change(run, partial(_reached, kind, told["epoch"]))
            case "kept":
                self._keep(run, blobs[0])
                if self._others and time.monotonic() - run.began > self._pace.slice:
                    run.halt()
            case "stopped":
                self._let_go(run)
            case "failed":
                self._fail(run, told["why"])
            case "over":
                self._finish(run, blobs)

    def _keep(self, run: Run, content: bytes) -> None:
        """Store what it takes to go on, and then forget what it took before."""
        fresh: Row = {"id": f"{run.id}-{uuid4().hex[:8]}", "bytes": len(content)}
        self._store.keep(KEPT, run.organization, fresh, cut(content))
        before: Row | None = None

        def kept(row: Row, now: int) -> None:
            nonlocal before
            before = row["job"]["kept"]
            row["job"] |= {"kept": fresh, "attempts": 0}

        try:
            self._change(run, kept)
        except Lost:
            self._store.drop(KEPT, run.organization, fresh["id"])
            raise
        if before is not None:
            self._store.drop(KEPT, run.organization, before["id"])

    def _finish(self, run: Run, blobs: Sequence[bytes]) -> None:
        """Make what comes of it, and tell of it.

        What will be made is noted first: if we are killed, the next one takes it back.
        """
        kind, organization = run.kind, run.organization
        row, now = self._store.get(*run.key), self._now(organization)
        if row is None:
            raise Lost
        sizes = [len(blob) for blob in blobs]
        if row["job"]["made"] is not None:
            kind.unmake(organization, row["job"]["made"])
        made = kind.named(organization, row, sizes, now)
        self._change(run, lambda row, now: row["job"].update(made=made))
        kind.make(organization, made, blobs)
        try:
            self._end(run, kind.succeeded)
        except Lost:
            row = self._store.get(*run.key)
            if row is not None and kind.over(row):
                self.ended(kind.name, organization, row)
            raise

    def _fail(self, run: Run, why: str) -> None:
        with suppress(Lost):
            self._end(run, lambda row, now: run.kind.failed(row, why, now))

    def _end(self, run: Run, how: Callable[[Row, int], None]) -> None:
        self.ended(run.kind.name, run.organization, self._change(run, how))

    def _let_go(self, run: Run) -> None:
        """Leave the job to whoever takes it next; an orderly end is no attempt."""

        def free(row: Row, now: int) -> None:
            again = run.halted is not None or self.closed
            row["job"] |= {
                "owner": "",
                "served": time.time(),
                "attempts": max(0, row["job"]["attempts"] - again),
            }

        with suppress(Lost):
            self._change(run, free)

    def _change(self, run: Run, how: Callable[[Row, int], None]) -> Row:
        """Change the object that the job is behind. Raises Lost."""
        now, mine = self._now(run.organization), False

        def guarded(row: Row) -> Row | None:
            nonlocal mine
            mine = row["job"]["owner"] == run.owner and not run.kind.over(row)
            if not mine:
                return None
            row["job"]["beaten"] = time.time()
            how(row, now)
            return row

        row = self._store.change(*run.key, guarded)
        if row is None or not mine:
            raise Lost
        self.tell()
        return row


def _reached(kind: Kind, epoch: int, row: Row, now: int) -> None:
    """Note an epoch; one that was reached before an interruption is known."""
    if epoch > row["job"]["epoch"]:
        row["job"]["epoch"] = epoch
        kind.reached(row, epoch, now)
