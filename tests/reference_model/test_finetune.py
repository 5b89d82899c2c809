"""Tuning: it repeats itself to the byte, goes on where it was, and is of use."""

import math
import subprocess
import sys
from contextlib import suppress

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reference_model import finetune
from reference_model.adam import Adam
from reference_model.adapter import adapted
from reference_model.engine import Engine
from reference_model.finetune import Course, lesson
from reference_model.hyper import MOST_STEPS, Hyper
from reference_model.model import load_model
from reference_model.tokenizer import load_tokenizer

EXAMPLES = [(f"item {number} ->", f" zebra {number}\n") for number in range(4)]
FEW = EXAMPLES[:2]


def tuned(examples=EXAMPLES, validation=(), **told):
    course = Course(examples, validation, hyper=Hyper(**told))
    for _ in course.run():
        pass
    return course


@pytest.fixture(scope="module")
def usual():
    return tuned()


def likely(examples, adapter=None):
    """The log probability of all completions."""
    tokenizer = load_tokenizer()
    model = load_model() if adapter is None else adapted(load_model(), adapter)
    engine = Engine(model, tokenizer.end_of_text, 1)
    total = 0.0
    for prompt, completion in examples:
        asked, wanted = tokenizer.encode(prompt), tokenizer.encode(completion)
        steps = engine.score([*asked, *wanted])[len(asked) :]
        total += sum(step.logprob for step in steps if step)
    engine.close()
    return total


def test_a_tuned_model_finds_its_examples_likelier_than_the_base_does(usual):
    assert likely(EXAMPLES, usual.adapter()) > likely(EXAMPLES) + 10


def test_the_loss_falls(usual):
    epochs = [usual.rows[start : start + 4] for start in range(0, 16, 4)]
    means = [sum(row["training_loss"] for row in epoch) / 4 for epoch in epochs]

    assert means == sorted(means, reverse=True)


def test_the_same_examples_give_the_same_bytes(usual):
    assert tuned().adapter() == usual.adapter()


@pytest.mark.parametrize("steps", [1, 6, 15])
def test_an_interrupted_course_ends_as_if_it_had_not_been(usual, steps):
    first = Course(EXAMPLES, hyper=Hyper())
    for _ in first.run():
        if len(first.rows) == steps:
            break

    second = Course(EXAMPLES, hyper=Hyper(), kept=first.keep())
    for _ in second.run():
        pass

    assert second.adapter() == usual.adapter()
    assert second.rows == usual.rows


def test_a_tuned_model_can_be_tuned_again(usual):
    more = [("a bird ->", " blue\n")]

    course = Course(more, hyper=Hyper(), tuned=usual.adapter())
    for _ in course.run():
        pass

    assert likely(more, course.adapter()) > likely(more, usual.adapter()) + 1
    assert likely(EXAMPLES, course.adapter()) > likely(EXAMPLES)


def test_rows_count_steps_tokens_and_examples(usual):
    tokens = sum(len(lesson(load_tokenizer(), one).tokens) - 1 for one in EXAMPLES)

    assert [row["step"] for row in usual.rows] == list(range(1, 17))
    assert usual.rows[-1]["elapsed_examples"] == 16
    assert usual.rows[-1]["elapsed_tokens"] == 4 * tokens
    for row in usual.rows:
        assert set(row) <= set(usual.columns)
        assert 0 <= row["training_sequence_accuracy"] <= 1
        assert 0 <= row["training_token_accuracy"] <= 1


def test_validation_is_measured_after_each_epoch():
    course = tuned(FEW, FEW, n_epochs=2)

    measured = ["validation_loss" in row for row in course.rows]
    assert measured == [False, True, False, True]
    assert course.rows[-1]["validation_loss"] < course.rows[1]["validation_loss"]
    assert {name for row in course.rows for name in row} == set(course.columns)


def test_a_batch_that_is_computed_in_parts_is_one_batch(monkeypatch):
    whole = tuned(batch_size=4, n_epochs=1)
    monkeypatch.setattr(finetune, "TOKENS", 20)
    in_parts = tuned(batch_size=4, n_epochs=1)

    # float32 adds up in another order
    assert in_parts.rows[0] == pytest.approx(whole.rows[0], rel=1e-5)


def test_one_may_stop_between_the_parts_of_a_batch(monkeypatch):
    monkeypatch.setattr(finetune, "TOKENS", 20)

    moments = list(Course(EXAMPLES, hyper=Hyper(batch_size=4, n_epochs=1)).run())

    assert moments.count(True) == 1
    assert moments.count(False) > 1


def test_the_prompt_counts_as_much_as_it_is_told_to():
    without, whole = (tuned(FEW, prompt_loss_weight=weight) for weight in (0, 1))

    prompts = [("", prompt) for prompt, _ in FEW]
    assert likely(prompts, whole.adapter()) > likely(prompts, without.adapter()) + 1


@pytest.mark.parametrize(
    "example",
    [
        ("", ""),
        ("", " yes"),
        ("a", ""),
        ("word " * 3000, " yes"),
        ("a", " word" * 3000),
        ("\ud800 \N{OTTER}\0", "\udfff"),
    ],
    ids=["nothing", "no prompt", "no completion", "long", "longer", "odd"],
)
def test_any_text_can_be_learned(example):
    course = tuned([example], n_epochs=1)

    assert math.isfinite(course.rows[0]["training_loss"])


def test_of_a_long_example_the_end_is_learned():
    kept = lesson(load_tokenizer(), ("word " * 3000, " yes"))

    assert len(kept.tokens) == 1025
    assert kept.learned == len(load_tokenizer().encode(" yes")) + 1


@pytest.mark.parametrize(
    ("examples", "batch", "rate"),
    [
        (1, 1, 0.05),
        (100, 1, 0.05),
        (1000, 2, 0.05),
        (10_000, 20, 0.1),
        (100_000, 200, 0.2),
        (1_000_000, 256, 0.2),
    ],
)
def test_what_is_left_open_follows_the_number_of_examples(examples, batch, rate):
    settled = Hyper(n_epochs=1).settled(examples)

    assert (settled.batch_size, settled.learning_rate_multiplier) == (batch, rate)


@given(st.integers(1, 10**7), st.integers(1, 10**7))
def test_the_rate_does_not_fall_when_the_batch_grows(few, more):
    settled = [Hyper(batch_size=size).settled(1) for size in sorted((few, more))]

    rates = [one.learning_rate_multiplier for one in settled]
    assert rates == sorted(rates)


@pytest.mark.parametrize(
    "told",
    [
        {"n_epochs": 0},
        {"n_epochs": -1},
        {"n_epochs": MOST_STEPS + 1},
        {"batch_size": 0},
        {"learning_rate_multiplier": -0.1},
        {"learning_rate_multiplier": math.inf},
        {"prompt_loss_weight": -1},
        {"prompt_loss_weight": math.nan},
    ],
    ids=str,
)
def test_what_cannot_be_followed_is_told(told):
    with pytest.raises(ValueError, match="expected"):
        Course(FEW, hyper=Hyper(**told))


def test_a_rate_that_is_far_too_large_is_told_or_followed():
    course = Course(FEW, hyper=Hyper(learning_rate_multiplier=1e6))

    with suppress(ValueError):
        for _ in course.run():
            pass
        adapter = course.adapter()
        assert math.isfinite(likely(FEW, adapter))

    assert all(math.isfinite(row["training_loss"]) for row in course.rows)


def test_a_step_is_that_of_torch():
    chance = torch.Generator().manual_seed(1)
    ours, adam = torch.zeros(20), Adam(20)
    theirs = torch.nn.Parameter(torch.zeros(20))
    optimizer = torch.optim.Adam([theirs])

    for number in range(10):
        gradient = torch.randn(20, generator=chance) * number
        rate = 0.01 * (number + 1)
        adam.step(ours, gradient, rate)
        theirs.grad = gradient.clone()
        torch.nn.utils.clip_grad_norm_([theirs], 1.0)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()

    # theirs shortens with a small number added to the length
    torch.testing.assert_close(ours, theirs.data, rtol=1e-4, atol=1e-6)


def test_tuning_does_without_the_compiler_of_torch():
    program = (
        "import sys; from reference_model.finetune import Course;"
        "from reference_model.hyper import Hyper;"
        "list(Course([('a', 'b')], hyper=Hyper()).run());"
        "assert 'torch._dynamo' not in sys.modules"
    )

    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
