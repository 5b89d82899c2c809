"""Replies are those of golden.json; `python -m reference_model golden` rewrites it."""

from itertools import zip_longest
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from reference_model.engine import Engine
from reference_model.golden import cases, document, read, weights
from reference_model.job import Job
from reference_model.sampling import penalty_of_reference
from reference_model.tokenizer import load_tokenizer

TOKENIZER = load_tokenizer()
GOLDEN = Path(__file__).with_name("golden.json")
SUM, RECORDED = read(GOLDEN)
ULP = 2**-23  # of a float32: processors sum in orders of their own, and so round


@pytest.fixture(scope="module")
def alone(model):
    """What this machine replies to each case by itself."""
    engine = Engine(model, TOKENIZER.end_of_text)
    found = [case.answered(engine) for case in RECORDED]
    engine.close()
    return found


def values(case):
    """All tokens of a case in order, and their log probabilities."""
    steps = [step for step in (*case.prompt, *case.steps) if step]
    told = [(step.token, step.logprob) for step in steps]
    told += [pair for step in steps for pair in step.top]
    return zip(*told, strict=True)


def whole(replies):
    return [tuple(reply) for reply in replies]


def streamed(replies):
    """One step of each in turn."""
    turns = list(zip_longest(*replies))
    return [tuple(filter(None, steps)) for steps in zip(*turns, strict=True)]


def test_the_record_is_of_the_stored_weights():
    assert weights() == SUM, "run: python -m reference_model golden"


def test_the_record_is_of_the_cases_that_we_ask():
    asked = [(case.name, case.job, case.echo) for case in cases(TOKENIZER)]

    assert [(case.name, case.job, case.echo) for case in RECORDED] == asked
    assert len({name for name, _, _ in asked}) == len(asked)


def test_a_record_is_read_as_it_was_written():
    assert document(RECORDED) == GOLDEN.read_text()


def test_records_are_small_and_stay_inside_the_window(model):
    window = model.shape.max_position_embeddings

    lengths = [len(case.job.prompt) + len(case.steps) for case in RECORDED]

    assert GOLDEN.stat().st_size < 200_000
    assert max(lengths) < window


@pytest.mark.parametrize("case", range(len(RECORDED)), ids=lambda i: RECORDED[i].name)
def test_a_reply_is_the_recorded_one(alone, case):
    tokens, logprobs = values(alone[case])
    recorded_tokens, recorded_logprobs = values(RECORDED[case])

    assert tokens == recorded_tokens
    np.testing.assert_allclose(logprobs, recorded_logprobs, rtol=ULP, atol=0)


@pytest.mark.parametrize("reading", [whole, streamed])
@pytest.mark.parametrize("rows", [7, 32])
def test_a_batch_changes_nothing(model, alone, rows, reading):
    engine = Engine(model, TOKENIZER.end_of_text, rows)
    order = Random(rows).sample(range(len(alone)), len(alone))

    found = reading([engine.submit(alone[place].job) for place in order])

    engine.close()
    assert found == [alone[place].steps for place in order]


def test_two_threads_change_nothing(model, alone):
    counts = set()

    def counted(*arguments):
        counts.add(torch.get_num_threads())
        return penalty_of_reference(*arguments)

    engine = Engine(model, TOKENIZER.end_of_text)
    torch.set_num_threads(2)  # the worker asks for it at its first step
    try:
        probe = list(engine.submit(Job((), 1, penalty=counted)))
        found = whole([engine.submit(case.job) for case in alone])
    finally:
        torch.set_num_threads(1)
        engine.close()

    assert probe
    assert counts == {2}
    assert found == [case.steps for case in alone]
