from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from asking import Mock
from cluster import FOLDERS, Cluster, cluster

from mockserver.app import house
from mockserver.context import House
from mockserver.mind import Mind
from mockserver.store import Store
from spec import Spec, load


@pytest.fixture(scope="session")
def spec() -> Spec:
    return load()


@pytest.fixture(scope="session")
def mind() -> Mind:
    return Mind()


@pytest.fixture
def rooms(spec: Spec, mind: Mind) -> House:
    return house(spec, mind=mind, seed=1)


@pytest.fixture
def mock(rooms: House) -> Mock:
    return Mock(rooms)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    if not FOLDERS:
        pytest.skip("PostgreSQL is not installed")
    with cluster() as running:
        yield running


@pytest.fixture
def opened() -> Iterator[Callable[..., Store]]:
    """Opens stores, and closes them after the test."""
    with ExitStack() as stack:

        def open_store(url: str = "sqlite://") -> Store:
            store = Store(url)
            stack.callback(store.database.close)
            return store

        yield open_store


@pytest.fixture(params=["file", "postgresql"])
def shared(request, tmp_path) -> str:
    """The URL of a new store that processes may share."""
    if request.param == "file":
        return f"sqlite:///{tmp_path / 'assay.db'}"
    return request.getfixturevalue("postgres").fresh()
