from collections.abc import Iterator

import pytest

from reference_model.engine import Engine
from reference_model.model import Llama, load_model
from reference_model.tokenizer import Tokenizer, load_tokenizer


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return load_tokenizer()


@pytest.fixture(scope="session")
def model() -> Llama:
    return load_model()


@pytest.fixture
def engine(model: Llama, tokenizer: Tokenizer) -> Iterator[Engine]:
    engine = Engine(model, tokenizer.end_of_text)
    yield engine
    engine.close()
