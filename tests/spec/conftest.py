import pytest

from spec import Spec, load


@pytest.fixture(scope="session")
def spec() -> Spec:
    return load()
