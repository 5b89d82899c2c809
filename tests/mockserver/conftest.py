import pytest
from asking import Mock

from mockserver.app import house
from mockserver.context import House
from mockserver.mind import Mind
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
