"""Records that requests change, in one process and shared by several."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.ledger import OwnLedger, ledger
from mockserver.records import WINDOW, Key, Member, Organization, Policy, Recent, Seen
from mockserver.store import Store


@pytest.fixture(params=["own", "file", "postgresql"])
def book(request, tmp_path, opened):
    match request.param:
        case "own":
            return ledger(opened().database)
        case "file":
            return ledger(opened(f"sqlite:///{tmp_path / 'assay.db'}").database)
    return ledger(opened(request.getfixturevalue("postgres").fresh()).database)


def test_what_is_not_there_yet_is_blank(book):
    assert book.read(Organization, "org-a") == Organization()
    assert book.all(Seen, "org-a") == []


def test_what_changes_in_a_record_that_is_held_lasts(book):
    with book.held(Organization, "org-a") as house:
        house.policy = Policy(("a", "b"), completion_tokens=3)
        house.calls.add(100)
        house.usage["prompt_tokens"] += 5
    with book.held(Key, "k") as key:
        key.member = Member(("org-a",), "reader")
        key.broken, key.script = ("overloaded", 2), [(1, 2), (3,)]

    house, key = book.read(Organization, "org-a"), book.read(Key, "k")
    assert house.policy.completion_tokens == 3
    assert list(house.policy.blocked) == ["a", "b"]
    assert (house.calls.total, house.usage["prompt_tokens"]) == (1, 5)
    assert (key.member.role, list(key.broken)) == ("reader", ["overloaded", 2])
    assert [list(tokens) for tokens in key.script] == [[1, 2], [3]]


def test_records_are_apart_by_kind_owner_and_name(book):
    for owner, name in (("a", ""), ("a", "x"), ("b", "x"), ("\0", "x")):
        book.put(Seen([len(owner + name)]), owner, name)

    told = [book.read(Seen, *names).prompt for names in (("a",), ("a", "x"), ("c",))]
    assert [list(prompt) for prompt in told] == [[1], [2], []]
    assert len(book.all(Seen, "a")) == 2
    assert len(book.all(Seen, "\0")) == 1
    assert book.read(Organization, "a") == Organization()


def test_a_record_is_replaced(book):
    for number in (1, 2):
        book.put(Seen([number]), "a", "x")

    assert [list(seen.prompt) for seen in book.all(Seen, "a")] == [[2]]


def test_a_record_is_held_by_one_at_a_time(book):
    def count(_):
        with book.held(Organization, "org-a") as house:
            house.usage["prompt_tokens"] += 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(80)))

    assert book.read(Organization, "org-a").usage["prompt_tokens"] == 80


def test_what_has_an_end_is_thrown_away_then(book):
    for owner, until in (("a", 100), ("b", 100), ("c", 101), ("d", None)):
        book.put(Seen([1], until=until), owner)

    book.expire(100, "a")
    assert [len(book.all(Seen, owner)) for owner in "abcd"] == [0, 1, 1, 1]
    book.expire(100)
    assert [len(book.all(Seen, owner)) for owner in "abcd"] == [0, 0, 1, 1]


def test_a_change_that_fails_is_none(shared, opened):
    book = ledger(opened(shared).database)

    def fail():
        with book.held(Organization, "org-a") as house:
            house.moved = 5
            house.moved //= 0

    with pytest.raises(ArithmeticError):
        fail()

    assert book.read(Organization, "org-a").moved == 0


def test_what_one_changes_the_other_reads(shared, opened):
    one, other = (ledger(opened(shared).database) for _ in range(2))

    with one.held(Organization, "org-a") as house:
        house.moved = 5
    with other.held(Organization, "org-a") as house:
        house.moved += 1

    assert one.read(Organization, "org-a").moved == 6


def test_a_private_store_has_records_in_memory(opened):
    assert isinstance(ledger(Store().database), OwnLedger)
    assert not opened().database.used


@given(st.lists(st.tuples(st.integers(0, 150), st.integers(0, 9))))
def test_what_came_in_the_window_is_counted(steps):
    recent, sent, now = Recent(), [], 0
    for seconds, count in steps:
        now += seconds
        recent.forget(now)
        recent.add(now, count)
        sent.append((now, count))

    assert recent.total == sum(n for at, n in sent if at >= now - WINDOW)
    assert len(recent.counts) <= WINDOW + 1
