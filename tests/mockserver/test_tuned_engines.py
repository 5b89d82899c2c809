"""Engines of tuned models: a few are held, and none is closed under its reader."""

import pytest

from mockserver import mind as room
from mockserver.mind import Mind, Tuned
from reference_model.adapter import Adapter
from reference_model.job import Job
from reference_model.model import load_model

TEXT = Job((1, 2, 3), 4)
LONG = Job((1, 2, 3), 5000, stop_at_end=False)


@pytest.fixture(scope="module")
def adapter():
    """One that changes nothing."""
    return Adapter(load_model()).stored()


@pytest.fixture
def engines(monkeypatch):
    monkeypatch.setattr(room, "TUNED", 2)
    held = Mind()._tuned
    yield held
    for engine, _ in held._open.values():
        engine.close()


def test_the_least_recently_used_engine_is_closed(engines, adapter):
    read = []

    def tuned(id):
        return Tuned(id, lambda: read.append(id) or adapter)

    for id in ("a", "b", "a", "c", "a", "b"):
        list(engines.submit(tuned(id), TEXT))

    assert read == ["a", "b", "c", "b"]
    assert len(engines._open) == 2


def test_an_engine_with_a_reader_stays(engines, adapter):
    reply = engines.submit(Tuned("read", lambda: adapter), LONG)

    for id in ("b", "c", "d"):
        list(engines.submit(Tuned(id, lambda: adapter), TEXT))

    assert next(reply)
    assert engines.rows == 1
    reply.close()


def test_an_adapter_that_changes_nothing_answers_as_the_base(mind, engines, adapter):
    tuned = Tuned("same", lambda: adapter)

    assert list(engines.submit(tuned, TEXT)) == list(mind.submit(TEXT))
    assert engines.engine(tuned).score([1, 2, 3]) == mind.score([1, 2, 3], 0)
