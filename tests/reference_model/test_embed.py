import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_model.embed import embed
from reference_model.tokenizer import load_tokenizer

HERE = Path(__file__).parent
FIGURES = (HERE.parents[1] / "docs" / "embeddings.md").read_text()
PAIRS = [
    tuple(line.split("|"))
    for line in (HERE / "paraphrases.txt").read_text().splitlines()
]
WIDTHS = {
    "ada-002": 1536,
    "ada": 1024,
    "babbage": 2048,
    "curie": 4096,
    "davinci": 12288,
}


def vector(text, width=1536):
    return np.array(embed(load_tokenizer().encode(text), width))


@given(st.text(), st.sampled_from([1, 7, 128, 256, 1536, 12288]))
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


@pytest.mark.parametrize("name", WIDTHS)
def test_a_paraphrase_is_found_among_all_others(name):
    one, other = (
        np.array([vector(text, WIDTHS[name]) for text in half])
        for half in zip(*PAIRS, strict=True)
    )

    likeness = one @ other.T
    near, far = likeness.diagonal(), likeness[~np.eye(len(PAIRS), dtype=bool)]
    found = np.mean(likeness.argmax(axis=1) == np.arange(len(PAIRS)))

    assert found >= 0.95
    assert near.mean() > far.mean() + 0.4
    row = f"{found:.0%} | {near.mean():.2f} | {far.mean():.2f} | {far.max():.2f}"
    assert f"| {name} | {WIDTHS[name]} | {row} |" in FIGURES


def test_no_torch_is_needed():
    script = (
        "import sys; from reference_model.embed import embed; embed([1, 2], 8);"
        "assert 'torch' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", script], check=True)
