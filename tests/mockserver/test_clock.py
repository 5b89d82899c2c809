"""The server's time, and what comes and goes with it."""

import time
from datetime import date

import pytest
from asking import Mock

from mockserver.app import house
from mockserver.clock import Clock

DAY = 24 * 60 * 60
NOT_FOUND = (404, "invalid_request_error", None, "model_not_found")


def move_to(mock, day):
    today = date.fromisoformat(mock.ask("controlClock", {"seconds": 0}).json["today"])
    return mock.ask("controlClock", {"seconds": (day - today).days * DAY})


@pytest.mark.parametrize(
    ("edition", "moved", "today"),
    [
        ("2023-04", 0, date(2023, 4, 1)),
        ("2023-04", DAY - 1, date(2023, 4, 1)),
        ("2023-04", 30 * DAY, date(2023, 5, 1)),
        ("2023-12", 0, date(2023, 12, 1)),
        ("2024-02", 28 * DAY, date(2024, 2, 29)),
    ],
)
def test_an_edition_stands_at_the_first_day_of_its_month(edition, moved, today):
    assert Clock(edition, moved).today() == today


def test_stamps_follow_the_real_time_moved_on(mock):
    before = int(time.time())
    mock.ask("controlClock", {"seconds": DAY})

    created = mock.complete(max_tokens=0).json["created"]

    assert before + DAY <= created <= time.time() + DAY


def test_moves_add_up(mock):
    now = [mock.ask("controlClock", {"seconds": s}).json["now"] for s in (0, 10, 5)]

    assert 15 <= now[2] - now[0] <= 17


def test_a_moved_clock_tells_the_day_that_is_in_force(mock):
    assert move_to(mock, date(2023, 6, 27)).json["today"] == "2023-06-27"


def test_an_organization_moves_its_own_clock_and_no_other(spec, mind):
    mock = Mock(house(spec, mind=mind, keys=("sk-test",)))
    made = mock.ask("controlAddKey", {"organizations": ["org-other"]}).json["key"]
    other = {"authorization": f"Bearer {made}"}
    move_to(mock, date(2024, 1, 4))

    day = mock.ask("controlClock", {"seconds": 0}, other).json["today"]
    served = mock.ask("retrieveModel", None, other, model="text-davinci-003").status

    assert day == "2023-04-01"
    assert served == 200
    assert mock.ask("retrieveModel", model="text-davinci-003").status == 404


@pytest.mark.parametrize(
    ("day", "named"),
    [
        (date(2023, 6, 26), "gpt-3.5-turbo-0301"),
        (date(2023, 6, 27), "gpt-3.5-turbo-0613"),
        (date(2023, 12, 11), "gpt-3.5-turbo-1106"),
    ],
)
def test_an_alias_moves_on_its_day(mock, day, named):
    move_to(mock, day)

    assert mock.chat(max_tokens=1).json["model"] == named


def test_a_model_is_gone_from_the_day_of_its_shutdown(mock):
    move_to(mock, date(2024, 1, 3))
    before = mock.complete(max_tokens=0).status

    move_to(mock, date(2024, 1, 4))

    ids = {model["id"] for model in mock.ask("listModels").json["data"]}
    assert before == 200
    assert mock.complete(max_tokens=0).error == NOT_FOUND
    assert mock.ask("retrieveModel", model="text-davinci-003").error == NOT_FOUND
    assert "text-davinci-003" not in ids
    assert "text-embedding-ada-002" in ids


@pytest.mark.parametrize("seconds", [-1, 1.5, 10**9, None])
def test_the_clock_moves_forward_by_whole_seconds_only(mock, seconds):
    assert mock.ask("controlClock", {"seconds": seconds}).status == 400
