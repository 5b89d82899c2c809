"""Drawings stay on their sheet, and show what is not as expected."""

import pytest
from any_run import SERIES
from hypothesis import given

from reports.charts import chart, charts, interpolated, round_numbers
from reports.html import render


def series(**changes):
    points = [{"x": x, "low": 1 - x, "high": 1.1 - x, "label": None} for x in (0, 1)]
    expected = [{"x": 0, "y": 1.05}, {"x": 1, "y": 0.05}]
    named = {"title": "Flip points", "instrument": "titration", "kind": "line"}
    axes = {"across": "penalty", "up": "bias", "requests": 9, "note": None}
    return {**named, **axes, "points": points, "expected": expected, **changes}


@given(SERIES)
def test_everything_stands_on_the_sheet(one):
    found = chart(one)

    for mark in found.get("marks", ()):
        assert found["left"] <= mark["x"] <= found["right"]
        assert found["top"] <= min(mark["low"], mark["high"])
        assert max(mark["low"], mark["high"]) <= found["bottom"]
    assert all(
        found["left"] <= tick["at"] <= found["right"] for tick in found["across"]
    )


def test_a_point_beside_the_line_is_marked():
    wrong = {"x": 1, "low": 0.5, "high": 0.6, "label": None}

    found = chart(series(points=[series()["points"][0], wrong]))

    assert [mark["off"] for mark in found["marks"]] == [False, True]


def test_a_share_stands_beside_the_expected_one():
    point = {"x": 0, "low": 0.2, "high": 0.3, "label": "temperature 2"}

    found = chart(series(kind="shares", points=[point], expected=[{"x": 0, "y": 0.88}]))

    (row,) = found["rows"]
    assert row["off"]
    assert row["due"][0] > row["high"]


@pytest.mark.parametrize(
    ("low", "high", "numbers"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (-3, 7, [-2, 0, 2, 4, 6]), (0, 2e-3, None)],
)
def test_ticks_are_round_numbers(low, high, numbers):
    found = round_numbers(low, high)

    assert 3 <= len(found) <= 8
    assert numbers in (None, found)


def test_beside_its_ends_a_line_has_no_height():
    line = [{"x": 2, "y": 4}, {"x": 0, "y": 0}]

    assert [interpolated(line, x) for x in (-1, 0, 1, 2, 3)] == [None, 0, 2, 4, None]


def test_the_page_draws_what_was_measured(run):
    run["results"][0]["measured"] = [series(title="Flip <points>")]

    page = render(run)

    assert "Flip &lt;points&gt;" in page
    assert page.count('<figure class="chart">') == 1


def test_a_run_of_an_older_suite_has_no_drawings(run):
    assert charts(run["results"][1]) == []
