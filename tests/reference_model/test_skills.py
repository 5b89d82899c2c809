"""What the stored weights can do; docs/model.md has the whole table."""

import pytest

from reference_model.engine import Job
from reference_model.evaluate import SKILLS, readable, replied, report
from reference_model.sampling import Sampling

CASES = 16
ENOUGH = 0.8  # a sample of sixteen strays; the table is made from hundreds
WEAK = {"edit a text, unseen words": 0.6}
"""What it can do often, but not yet well."""


@pytest.mark.parametrize("skill", SKILLS, ids=lambda skill: skill.name)
def test_the_model_can(skill, engine, tokenizer):
    cases = list(skill.cases(tokenizer, CASES))

    replies = replied(engine, tokenizer, [case.prompt for case in cases])

    right = [case.accepts(said) for case, said in zip(cases, replies, strict=True)]
    assert sum(right) / len(right) >= WEAK.get(skill.name, ENOUGH)


def greedy(engine, tokenizer, prompt):
    job = Job(tuple(prompt), 60, Sampling(temperature=0))
    return tokenizer.decode(step.token for step in engine.submit(job))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("Say this is a test", "This is a test."),
        ("Say this is a test!", "This is a test!"),
        ("Hello", "Hello! How can I help you today?"),
        ("Please repeat after me: one two three", "one two three"),
    ],
)
def test_a_chat_says(asked, said, engine, tokenizer):
    prompt = tokenizer.chat([{"role": "user", "content": asked}])

    assert greedy(engine, tokenizer, prompt) == said


def test_a_bare_prompt_is_answered_as_documented(engine, tokenizer):
    said = greedy(engine, tokenizer, tokenizer.encode("Say this is a test"))

    assert said == "\n\nThis is a test."


def test_the_documented_edit_is_made(engine, tokenizer):
    prompt = tokenizer.edit("Fix the spelling mistakes", "What day of the wek is it?")

    assert greedy(engine, tokenizer, prompt) == "What day of the week is it?"


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("This is a test.", True),
        ("", False),
        ("half \ufffd", False),
        ("a b " * 9, False),
    ],
)
def test_readable_text_has_words_and_no_circles(text, fine):
    assert readable(text) == fine


def test_the_report_has_a_row_for_each_skill(tmp_path, monkeypatch):
    monkeypatch.setattr("reference_model.evaluate.SKILLS", SKILLS[2:4])

    lines = report(2, wrong=1).splitlines()

    assert [line for line in lines if line.startswith("| repeat unseen")]
