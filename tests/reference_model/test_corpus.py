import re
from itertools import chain, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_model.corpus import (
    Chat,
    Completion,
    Edit,
    Infill,
    Prose,
    copying,
    documents,
    drawn,
    exchanges,
    letters,
    patterns,
    prose,
    tools,
    words,
)
from reference_model.corpus.dice import Dice
from reference_model.evaluate import SKILLS, question
from reference_model.lesson import (
    ANSWER,
    DEPARTURE,
    FREE,
    WINDOW,
    batches,
    lesson,
    pieces,
)
from reference_model.lexicon import SEEN, UNSEEN, WORDS, held_out
from reference_model.tokenizer import CALL, calls, load_tokenizer

TOKENIZER = load_tokenizer()
PIECES = pieces(TOKENIZER)
SEEDS = st.integers(0, 2**32)
ALL = frozenset({"words", "combinations", "phrasings"})


def shown(count, seed=7):
    return islice(documents(seed, PIECES), count)


def test_the_corpus_is_the_same_for_the_same_seed():
    first, again, other = (list(shown(300, seed)) for seed in (7, 7, 8))

    assert first == again != other
    assert {type(one) for one in first} == {Prose, Completion, Chat, Edit, Infill}


def test_training_shows_no_unseen_word():
    ids = (lesson(TOKENIZER, document).tokens for document in shown(3000))

    found = (re.findall("[a-z]+", TOKENIZER.decode(row).lower()) for row in ids)
    words = set(chain.from_iterable(found))

    assert len(words & set(SEEN)) > 0.9 * len(SEEN)
    assert not words & UNSEEN


def test_the_grammar_itself_says_no_unseen_word():
    """Else all that says it is kept from training: without "please", no request."""
    dice = Dice(3)

    assert all(UNSEEN.isdisjoint(words(drawn(dice))) for _ in range(4000))


def test_some_words_of_training_are_nobodys():
    dice = Dice(1, PIECES)

    said = [dice.word() for _ in range(2000)]

    assert 0.08 < sum(word not in SEEN for word in said) / len(said) < 0.16


@pytest.mark.parametrize("held", [frozenset(), ALL], ids=["trained", "held out"])
@given(SEEDS)
def test_a_slip_of_the_pen_keeps_the_first_letter_and_makes_no_other_word(held, seed):
    wrong, right = (text.split() for text in letters.slipped(Dice(seed, held=held)))

    slips = [
        (one, other) for one, other in zip(wrong, right, strict=True) if one != other
    ]
    assert {one.strip(".,?").lower() for one, _ in slips}.isdisjoint(letters.KNOWN)
    assert [one[0] for one, _ in slips] == [other[0] for _, other in slips]
    assert len(slips) <= (3 if held else 8)


def test_a_text_to_repair_has_no_word_that_nobody_uses():
    """Of such a word nobody knows whether it is wrong."""
    without = set(chain.from_iterable(map(words, islice(documents(1), 6000))))

    dice = Dice(2, PIECES)
    texts = " ".join(letters.slipped(dice)[1] for _ in range(2000))
    said = set(re.findall("[a-z]+", texts.lower()))

    assert len(said) > 1000
    assert said <= without


def test_long_texts_are_asked_for_in_quotation_marks_too():
    """Else the marks, and what is said behind them, are repeated with the text."""
    dice = Dice(1)

    turns = [copying.repeat_long(dice) for _ in range(300)]

    quoted = [f'"{said}"' in asked for asked, said in turns]
    assert 0.2 < sum(quoted) / len(turns) < 0.6
    assert all(said in asked for asked, said in turns)


def test_many_texts_are_broken_off_behind_a_space():
    """A prompt that ended so was once taken for the end of the text."""
    dice = Dice(1)

    broken = [prose.begun(dice, prose.tale(dice)).begun for _ in range(2000)]

    assert 0.15 < sum(text.endswith(" ") for text in broken) / len(broken) < 0.3


def test_a_fair_share_of_the_words_is_unseen():
    assert 0.05 < len(UNSEEN) / len(WORDS) < 0.15


@pytest.mark.parametrize("held", [frozenset(), ALL], ids=["trained", "held out"])
@given(SEEDS)
def test_combinations_stay_on_their_side(held, seed):
    dice = Dice(seed, held=held)

    made = [dice.apart("combinations", make) for make in (copying.target, prose.gap)]

    assert [held_out(repr(one)) for one in made] == [bool(held)] * 2


@given(SEEDS)
def test_held_out_words_alone_are_drawn_for_evaluation(seed):
    assert set(Dice(seed, held=ALL).words(1, 20).split()) <= UNSEEN
    assert set(Dice(seed).words(1, 20).split()) <= set(SEEN)


@given(SEEDS)
def test_what_is_to_be_repeated_stands_in_the_request(seed):
    asked, answered = copying.repeat(Dice(seed, PIECES))

    assert answered in asked


@pytest.mark.parametrize(
    ("make", "holds"),
    [
        (letters.spelled, lambda asked, said: said.replace("-", "") in asked),
        (letters.cased, lambda asked, said: said.lower() in asked.lower()),
        (letters.repaired, lambda asked, said: len(said.split()) > 2),
        (exchanges.beyond, lambda asked, said: said.startswith("I am sorry")),
        (exchanges.json_object, lambda asked, said: said[0] + said[-1] == "{}"),
    ],
    ids=["spelled", "cased", "repaired", "beyond", "json"],
)
@given(seed=SEEDS)
def test_answers_fit_their_questions(make, holds, seed):
    asked, answered = make(Dice(seed, PIECES))

    assert holds(asked, answered)


@given(SEEDS)
def test_a_hole_is_not_at_an_edge_of_nothing(seed):
    hole = prose.gap(Dice(seed))

    assert hole.prefix
    assert hole.middle


@given(SEEDS)
def test_patterns_show_what_they_ask(seed):
    shots = patterns.pattern(Dice(seed, PIECES))

    assert len(shots.prompt) > len(shots.answer) > 0


@given(SEEDS)
def test_examples_but_the_first_are_learned_as_the_answer_is(seed):
    shots = patterns.shots(Dice(seed), patterns.RULES["copies"])

    learned = lesson(TOKENIZER, shots)

    prompt = TOKENIZER.encode(shots.prompt)
    weighed = zip(prompt, learned.weights, strict=False)
    told = TOKENIZER.decode(id for id, weight in weighed if weight == ANSWER)
    shown = "".join(shots.prompt[first:last] for first, last in shots.foretold)
    assert told.replace(" ", "") == shown.replace(" ", "") != ""


@pytest.mark.parametrize(("begun", "first"), [("", FREE), ("There", DEPARTURE)])
def test_all_of_a_story_is_learned_and_its_end(begun, first):
    """Most of all how it goes on, if somebody broke it off."""
    told = lesson(TOKENIZER, Prose(" was a king. He slept.", begun=begun))

    size = len(TOKENIZER.encode(begun))
    assert told.tokens[-1] == TOKENIZER.end_of_text
    assert told.weights[size] == first
    assert set(told.weights[size + 1 :]) == {FREE}


@pytest.mark.parametrize(
    ("edited", "departs"),
    [("the red house", " red"), ("the old", None), ("the old house", None)],
)
def test_an_edit_is_learned_most_where_it_leaves_the_text(edited, departs):
    learned = lesson(TOKENIZER, Edit("Change it", "the old house", edited))

    weighed = list(zip(learned.tokens[1:], learned.weights, strict=True))
    most = [token for token, weight in weighed if weight == DEPARTURE]
    first = TOKENIZER.encode(departs)[:1] if departs else most[:1]
    assert most == first
    assert len(most) == (edited != "the old house")
    assert {weight for _, weight in weighed[-2:]} <= {ANSWER, DEPARTURE}


@given(SEEDS)
def test_functions_that_are_called_are_offered(seed):
    for make in (tools.call, tools.two_calls, tools.same_twice):
        chat = make(Dice(seed, PIECES))

        said = TOKENIZER.decode(TOKENIZER.message(chat.messages[-1]))
        offered = {function["name"] for function in chat.functions}
        content, called = calls(said, offered)
        assert content == ""
        assert len(called) == said.count(CALL) == (1 if make is tools.call else 2)


def test_every_token_that_text_can_have_is_learned():
    """Behind a prompt as well: what is seen is then copied."""
    reachable = {
        id
        for id in range(TOKENIZER.ordinary)
        if TOKENIZER.encode(TOKENIZER.decode([id])) == [id]
    }

    learned: set[int] = set()
    for one in (lesson(TOKENIZER, document) for document in shown(20_000)):
        weighed = zip(one.tokens[1:], one.weights, strict=True)
        learned |= {token for token, weight in weighed if weight == 1.0}

    missing = [TOKENIZER.token_bytes(id) for id in reachable - learned]
    assert missing == []


def test_batches_are_of_one_length_and_within_the_window():
    for batch in islice(batches(TOKENIZER, 3), 60):
        sizes = [len(one.tokens) for one in batch]

        assert max(sizes) <= WINDOW + 1
        assert max(sizes) * len(sizes) <= 3072 + WINDOW
        assert all(len(one.weights) == len(one.tokens) - 1 for one in batch)
        assert any(weight for one in batch for weight in one.weights)


def test_some_lessons_fill_the_window():
    sizes = [len(lesson(TOKENIZER, document).tokens) for document in shown(2000)]

    assert max(sizes) == WINDOW + 1


def test_roles_are_never_to_be_written():
    for document in shown(300):
        one = lesson(TOKENIZER, document)
        for token, weight in zip(one.tokens[1:], one.weights, strict=True):
            assert not weight or token <= TOKENIZER.end_of_text


@pytest.mark.parametrize("skill", SKILLS, ids=lambda skill: skill.name)
def test_questions_have_answers(skill):
    for seed in range(5):
        prompt, right = question(TOKENIZER, skill.make(Dice(seed, held=skill.held)))

        assert prompt
        assert right
