"""Jobs: they survive their worker and their server, and end when they are told to."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from mockserver import workers
from mockserver.ids import Ids
from mockserver.jobs import Jobs
from mockserver.leases import Pace, new
from mockserver.store import Store
from mockserver.tuning import FineTunes, cut
from mockserver.workers import Died, Worker, Workers
from spec import load

HOUSE = "org-assay"
QUICK = Pace(beat=0.1, stale=0.6, keep=0.1, slice=0.0, attempts=3)
DATA = b"".join(
    json.dumps(
        {"prompt": f"item {number} ->", "completion": f" zebra {number}\n"}
    ).encode()
    + b"\n"
    for number in range(4)
)
HYPER = {"n_epochs": 2, "prompt_loss_weight": 0.01}
LONG = {**HYPER, "n_epochs": 5000}
KILLED = """
import sys, time
from test_jobs import QUICK, Studio
studio = Studio(sys.argv[1])
studio.jobs.watch()
time.sleep(60)
"""


class Studio:
    """A server of a store, as far as its jobs are concerned."""

    def __init__(self, url, lent=None, pace=QUICK):
        self.store = Store(url)
        self.kind = FineTunes(load(), self.store, Ids(1))
        self.workers = lent or Workers()
        self.jobs = Jobs(
            self.store, self.workers, [self.kind], lambda _: int(time.time()), pace
        )

    def add(self, id="ft-1", hyper=HYPER, data=DATA, due=0):
        file = {"id": f"file-{id}", "bytes": len(data), "purpose": "fine-tune"}
        self.store.keep("file", HOUSE, file, cut(data))
        row = {
            "id": id,
            "updated_at": 0,
            "model": "ada",
            "status": "pending",
            "fine_tuned_model": None,
            "hyper": hyper,
            "suffix": None,
            "training": file,
            "validation": None,
            "results": None,
            "events": [],
            "job": new(due),
        }
        self.jobs.add("fine-tune", HOUSE, row)

    def row(self, id="ft-1"):
        return self.store.get("fine-tune", HOUSE, id)

    def until(self, met, id="ft-1", patience=120.0):
        """The object, once it is so."""
        deadline = time.monotonic() + patience
        while not met(row := self.row(id)):
            assert time.monotonic() < deadline, row
            time.sleep(0.01)
        return row

    def over(self, id="ft-1"):
        row = self.until(self.kind.over, id)
        self.until(lambda _: not self.store.every("job"), id)
        return row

    def cancel(self, id="ft-1"):
        def cancelled(row):
            self.kind.cancelled(row, 0)
            return row

        row = self.store.change("fine-tune", HOUSE, id, cancelled)
        self.jobs.ended("fine-tune", HOUSE, row)

    def adapter(self, id="ft-1"):
        name = self.row(id)["fine_tuned_model"]
        row = self.store.get("model", HOUSE, name)
        return b"".join(self.store.read(name, row["bytes"]))

    def left(self):
        """What there is besides files and fine-tunes."""
        kinds = "job", "checkpoint", "model"
        return [row for kind in kinds for row in self.store.every(kind)]


def running(row):
    return row["status"] == "running"


def kept(row):
    return row["job"]["kept"] is not None


def messages(row):
    return [event["message"] for event in row["events"]]


def gone(process, patience=5.0):
    """Whether a process that is no child of ours ends."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            stat = Path(f"/proc/{process}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return True
        if stat.rpartition(")")[2].split()[0] == "Z":  # nobody has asked how it ended
            return True
        time.sleep(0.01)
    return False


@pytest.fixture(scope="module")
def lent():
    """Workers of all tests that leave them as they were."""
    shared = Workers()
    yield shared
    shared.close()


@pytest.fixture
def studio(lent):
    """A server without a disk, which ends with its test."""
    made = Studio("sqlite://", lent)
    yield made
    made.jobs.close()


@pytest.fixture(scope="module")
def undisturbed(lent):
    made = Studio("sqlite://", lent)
    made.add(hyper={**HYPER, "n_epochs": 30})
    made.over()
    return made


@pytest.fixture
def studios(request):
    """Servers with workers of their own, all closed after the test."""
    with ExitStack() as stack:

        def open_studio(url="sqlite://", lent=None):
            made = Studio(url, lent)
            stack.callback(made.store.database.close)
            if lent is None:
                stack.callback(made.workers.close)
            stack.callback(made.jobs.close)
            return made

        yield open_studio


def test_a_job_is_done_and_leaves_what_it_made(studio):
    studio.add()

    row = studio.over()

    assert row["status"] == "succeeded"
    assert messages(row) == [
        "Fine-tune started",
        "Completed epoch 1/2",
        "Completed epoch 2/2",
        f"Uploaded model: {row['fine_tuned_model']}",
        f"Uploaded result file: {row['results']['id']}",
        "Fine-tune succeeded",
    ]
    assert len(studio.left()) == 1
    assert len(studio.adapter()) > 100_000


def test_a_job_waits_until_it_is_due(studio):
    studio.add("ft-late", due=int(time.time()) + 3600)
    studio.add("ft-soon")

    studio.until(studio.kind.over, "ft-soon")

    assert studio.row("ft-late")["status"] == "pending"


@pytest.mark.parametrize(
    ("line", "number"),
    [
        (b'{"prompt": "a"}\n', 1),
        (DATA + b'{"prompt": "a", "completion": 5}\n', 5),
        (DATA + b"\n" + b'"text"\n', 5),
        (DATA + b"\xff\n", 5),
        (b"[" * 100_000, 1),
    ],
    ids=["no completion", "a number", "no object", "no text", "deep"],
)
def test_a_faulty_example_fails_its_job(studio, line, number):
    studio.add(data=line)

    row = studio.over()

    assert (row["status"], row["fine_tuned_model"]) == ("failed", None)
    told = f"expected a prompt and a completion in example {number}"
    assert messages(row) == [f"Fine-tune failed: {told}"]
    assert row["events"][-1]["level"] == "error"
    assert studio.left() == []


def test_a_file_that_was_deleted_fails_its_job(studio):
    studio.add(due=int(time.time()) + 1)
    studio.store.drop("file", HOUSE, "file-ft-1")

    row = studio.over()

    assert messages(row) == ["Fine-tune failed: file-ft-1 was deleted"]


def test_a_job_that_waits_is_cancelled(studio):
    studio.add(due=int(time.time()) + 3600)

    studio.cancel()

    row = studio.over()
    assert (row["status"], studio.left()) == ("cancelled", [])


def test_a_job_that_runs_is_cancelled_and_the_worker_free_within_a_second(studio):
    studio.add(hyper=LONG)
    studio.until(kept)

    began = time.monotonic()
    studio.cancel()
    studio.add("ft-2")
    studio.until(running, "ft-2")

    assert time.monotonic() - began < 1
    assert studio.over("ft-2")["status"] == "succeeded"
    assert studio.row()["status"] == "cancelled"
    assert [kind for kind in studio.left() if "checkpoint" in str(kind)] == []


def test_what_was_made_for_a_job_that_is_cancelled_at_the_end_is_taken_back(studio):
    make = studio.kind.make

    def cancelled(*made):
        make(*made)
        studio.cancel()

    object.__setattr__(studio.kind, "make", cancelled)
    studio.add()

    row = studio.over()
    studio.until(lambda _: not studio.left())

    assert (row["status"], row["fine_tuned_model"]) == ("cancelled", None)
    assert [file["id"] for _, file in studio.store.every("file")] == ["file-ft-1"]


def test_a_long_job_lets_a_short_one_go_first(studio):
    studio.add("ft-long", LONG)
    studio.until(running, "ft-long")

    studio.add("ft-short")
    studio.until(studio.kind.over, "ft-short")
    long = studio.row("ft-long")
    studio.until(lambda row: row["job"]["epoch"] > long["job"]["epoch"], "ft-long")

    assert long["status"] == "running"
    studio.cancel("ft-long")


def test_a_job_survives_its_worker(studio, undisturbed):
    studio.add(hyper={**HYPER, "n_epochs": 30})
    studio.until(kept)

    (worker,) = studio.workers._lent
    worker.process.send_signal(signal.SIGKILL)

    row = studio.over()
    assert row["status"] == "succeeded"
    assert studio.adapter() == undisturbed.adapter()
    assert messages(row).count("Fine-tune started") == 1
    assert messages(row).count("Completed epoch 30/30") == 1


def test_a_worker_that_never_works_fails_its_job(studios, monkeypatch):
    monkeypatch.setattr(workers, "PROGRAM", (sys.executable, "-c", ""))
    studio = studios()
    studio.add()

    row = studio.over()

    assert messages(row) == ["Fine-tune failed: it was interrupted 3 times"]


def test_a_job_survives_its_server(studios, undisturbed, shared, lent):
    studio = studios(shared)
    studio.jobs.close()
    studio.add(hyper={**HYPER, "n_epochs": 30})
    other = subprocess.Popen(
        [sys.executable, "-c", KILLED, shared],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )
    try:
        studio.until(kept)
        (child,) = children(other.pid)
    finally:
        other.kill()
        other.wait()
    assert gone(child)
    second = studios(shared, lent)
    second.jobs.watch()

    assert second.over()["status"] == "succeeded"
    assert second.adapter() == undisturbed.adapter()
    assert len(second.left()) == 1


def children(parent):
    """The processes that any thread of it started."""
    files = Path(f"/proc/{parent}/task").glob("*/children")
    return [int(child) for file in files for child in file.read_text().split()]


def test_a_server_that_closes_leaves_its_job_to_the_next(studios, shared, lent):
    first = studios(shared, lent)
    first.add(hyper=LONG)
    before = first.until(kept)

    first.jobs.close()
    row = first.row()
    second = studios(shared, lent)
    second.jobs.watch()
    second.until(lambda row: row["job"]["epoch"] > before["job"]["epoch"])

    assert row["job"]["owner"] == ""
    second.cancel()


def test_a_server_that_lost_its_job_changes_nothing(studio):
    studio.add(hyper=LONG)
    studio.until(kept)

    def stolen(row):
        row["job"] |= {"owner": "another", "beaten": time.time() + 3600}
        return row

    before = studio.store.change("fine-tune", HOUSE, "ft-1", stolen)
    (run,) = studio.jobs._runs
    run.thread.join(5)

    assert not run.thread.is_alive()
    assert studio.row() == before
    studio.cancel()


def test_two_servers_work_at_different_jobs(studios, tmp_path, lent):
    url = f"sqlite:///{tmp_path / 'assay.db'}"
    one, other = studios(url, lent), studios(url, lent)
    other.jobs.watch()
    for number in range(4):
        one.add(f"ft-{number}")

    rows = [one.over(f"ft-{number}") for number in range(4)]

    for row in rows:
        assert row["status"] == "succeeded"
        assert messages(row).count("Fine-tune started") == 1
    assert len({row["fine_tuned_model"] for row in rows}) == 4


def test_nothing_is_left_of_a_server_that_closes(studios):
    before = set(threading.enumerate())
    studio = studios()
    studio.add(hyper=LONG)
    studio.until(running)
    (worker,) = studio.workers._lent

    studio.jobs.close()
    studio.workers.close()

    assert worker.process.returncode is not None
    assert set(threading.enumerate()) <= before


def test_no_thread_looks_for_jobs_where_there_are_none(studio):
    studio.add()
    studio.over()

    thread = studio.jobs._thread

    if thread is not None:
        thread.join(5)
    assert studio.jobs._thread is None


def test_a_worker_without_work_ends(monkeypatch):
    monkeypatch.setattr(workers, "LINGER", 0.05)
    lent = Workers()
    worker = lent.borrow()

    lent.give_back(worker, fit=True)

    assert worker.process.wait(5) is not None
    assert lent.borrow() is not worker
    lent.close()


def test_a_worker_that_died_without_work_is_replaced():
    lent = Workers()
    worker = lent.borrow()
    lent.give_back(worker, fit=True)
    worker.process.kill()
    worker.process.wait()

    assert lent.borrow() is not worker
    assert lent.borrow() is None
    lent.close()


def test_a_worker_that_is_gone_is_told_of(monkeypatch):
    monkeypatch.setattr(workers, "PROGRAM", (sys.executable, "-c", ""))
    worker = Worker()

    with pytest.raises(Died):
        list(worker.work({"hyper": {}}, [b"a" * 10_000_000]))

    worker.stop()
    worker.close()
