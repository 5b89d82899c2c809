import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_model.embed import embed
from reference_model.tokenizer import load_tokenizer


def vector(text, width=1536):
    return np.array(embed(load_tokenizer().encode(text), width))


@given(st.text(), st.sampled_from([1, 7, 256, 1536]))
def test_every_vector_has_length_one(text, width):
    found = vector(text, width)

    assert found.shape == (width,)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-6)


@given(st.text())
def test_the_same_text_has_the_same_vector(text):
    assert (vector(text) == vector(text)).all()


@given(st.text())
def test_values_are_float32(text):
    found = vector(text)

    assert (found == found.astype(np.float32)).all()


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("The cat sat on the mat.", "A cat is on a mat.", "Stock prices fell today."),
        ("How do I bake bread?", "Bread baking for all", "The train to Rome is late"),
        ("Paris", "paris in spring", "a red bicycle"),
    ],
)
def test_texts_that_share_words_are_nearer(text, near, far):
    here = vector(text)

    assert here @ vector(near) > here @ vector(far) + 0.1


def test_the_order_of_words_matters_a_little():
    here, there = vector("dog bites man"), vector("man bites dog")

    assert 0.8 < here @ there < 0.9999


@given(st.integers(0, 5000))
def test_a_word_is_not_every_other_word(number):
    assert vector(f"word{number}") @ vector(f"other{number}") < 0.6
