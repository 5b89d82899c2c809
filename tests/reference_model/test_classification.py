"""Measures of classes, beside their definitions."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_model.classification import (
    Classes,
    auprc,
    auroc,
    f_beta,
    precision_recall,
    weighted_f1,
)
from reference_model.finetune import Course
from reference_model.hyper import Hyper

PAIRS = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=30)


@given(PAIRS)
def test_auroc_is_how_often_a_true_one_wins(pairs):
    truth, likely = zip(*pairs, strict=True)
    duels = [
        (one > other) + (one == other) / 2
        for one, other in product(
            [score for true, score in pairs if true],
            [score for true, score in pairs if not true],
        )
    ]

    area = auroc(truth, likely)

    if not duels:
        assert area is None
    else:
        assert area == pytest.approx(sum(duels) / len(duels))


@given(PAIRS)
def test_auprc_is_the_precision_over_the_steps_of_recall(pairs):
    truth, likely = zip(*pairs, strict=True)
    area, before = 0.0, 0.0
    for bound in sorted(set(likely), reverse=True):
        precision, recall = precision_recall(truth, [x >= bound for x in likely])
        area, before = area + (recall - before) * precision, recall

    found = auprc(truth, likely)

    assert found is None if not any(truth) else found == pytest.approx(area)


SHARE = st.floats(0.001, 1)


@given(SHARE, SHARE, st.floats(0, 100))
def test_f_beta_is_its_formula(precision, recall, beta):
    below = beta * beta * precision + recall
    formula = (1 + beta * beta) * precision * recall / below

    assert f_beta(precision, recall, beta) == pytest.approx(formula)


@pytest.mark.parametrize("pair", [(0, 0), (0, 1), (1, 0)])
def test_f_beta_of_nothing_is_nothing(pair):
    assert f_beta(*pair, 1) == 0


@pytest.mark.parametrize("beta", [1e200, -1e200, 0.0, -1.0])
def test_f_beta_is_between_precision_and_recall_whatever_its_beta(beta):
    assert 0.2 <= f_beta(0.2, 0.8, beta) <= 0.8


def test_precision_and_recall_of_nothing_are_nothing():
    assert precision_recall([False, True], [False, False]) == (0, 0)
    assert precision_recall([False, False], [True, False]) == (0, 0)


def test_weighted_f1_counts_a_class_as_often_as_it_is_true():
    truth, chosen = ["a", "a", "a", "b"], ["a", "a", "b", "b"]

    # a: precision 1, recall 2/3; b: precision 1/2, recall 1
    assert weighted_f1(truth, chosen) == pytest.approx((3 * 0.8 + 2 / 3) / 4)


def test_two_classes_have_these_measures():
    classes = Classes((" no", " yes"), " yes", (0.5, 2))
    truth = [" yes", " no", " yes", " no"]
    likely = [[0.1, 0.9], [0.8, 0.2], [0.6, 0.4], [0.7, 0.3]]

    assert classes.scores(truth, likely) == pytest.approx(
        {
            "classification/accuracy": 0.75,
            "classification/precision": 1.0,
            "classification/recall": 0.5,
            "classification/auroc": 1.0,
            "classification/auprc": 1.0,
            "classification/f0.5": 5 / 6,
            "classification/f2": 5 / 9,
        }
    )


def test_many_classes_have_these_measures():
    classes = Classes(("a", "b", "c"))

    found = classes.scores(["a", "c"], [[0.5, 0.4, 0.1], [0.1, 0.2, 0.7]])

    assert found == {
        "classification/accuracy": 1.0,
        "classification/weighted_f1_score": pytest.approx(1.0),
    }


def course(completions, **told):
    examples = [(f"{place} ->", text) for place, text in enumerate(completions)]
    asked = Hyper(compute_classification_metrics=True, n_epochs=1, **told)
    return Course(examples, examples, hyper=asked)


def test_a_course_measures_its_classes():
    made = course([" yes", " no"], classification_positive_class=" yes")

    rows = [made.rows for _ in made.run()][-1]

    assert set(made.columns) == {name for row in rows for name in row}
    assert 0 <= rows[-1]["classification/auroc"] <= 1


@pytest.mark.parametrize(
    "told",
    [
        {"classification_n_classes": 3},
        {"classification_n_classes": 0},
        {"classification_positive_class": " maybe"},
        {"classification_n_classes": 2, "classification_positive_class": "yes"},
    ],
    ids=str,
)
def test_classes_that_are_not_in_the_data_are_told(told):
    with pytest.raises(ValueError, match="expected"):
        course([" yes", " no"], **told)
