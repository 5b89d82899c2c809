"""What may follow what in the life of an object, and how lists are paged."""

import pytest

from spec import Lifecycle, load
from spec.pages import editions

LIVES = [
    (edition, life)
    for edition in editions()
    for life in load(edition).lifecycles.values()
]
BULB = Lifecycle(
    name="Bulb",
    field="state",
    start="off",
    moves={"off": ("on",), "on": ("off", "broken"), "broken": ()},
    terminal=("broken",),
)


def test_a_move_is_legal_where_it_is_drawn():
    assert BULB.legal("off", "on")
    assert not BULB.legal("off", "broken")


@pytest.mark.parametrize(
    ("before", "after", "seen"),
    [
        ("off", "off", True),
        ("off", "broken", True),
        ("on", "off", True),
        ("broken", "on", False),
    ],
)
def test_who_polls_may_miss_the_states_between(before, after, seen):
    assert BULB.reachable(before, after) is seen


@pytest.mark.parametrize("known", ["2023-04", "2023-12"])
def test_each_edition_has_the_lives_of_its_objects(known):
    names = {life.name for edition, life in LIVES if edition == known}

    spring = {"FileObject", "FineTune"}
    winter = spring | {"FineTuningJob", "RunObject", "RunStepObject"}
    assert names == (spring if known == "2023-04" else winter)


@pytest.mark.parametrize(
    ("edition", "life"), LIVES, ids=lambda one: getattr(one, "name", one)
)
def test_every_life_has_legal_and_illegal_moves_and_a_walk_to_an_end(edition, life):
    pairs = [(a, b) for a in life.states for b in life.states if a != b]

    assert any(life.legal(*pair) for pair in pairs)
    assert not all(life.legal(*pair) for pair in pairs)
    assert life.walk[0] == life.start
    assert life.walk[-1] in life.terminal


def test_paged_lists_name_their_parameters():
    paged = {op.id: op.page for op in load("2023-12").operations.values() if op.page}

    assert len(paged) == 8
    assert paged["listAssistants"].before == "before"
    assert paged["listPaginatedFineTuningJobs"].before is None
    assert {page.first for page in paged.values()} == {"newest"}


def test_retention_is_told_of_every_operation_that_keeps_something():
    spec = load("2023-12")
    kept = {op.id for op in spec.operations.values() if not op.capability}

    assert kept - spec.retention.keys() == {
        "listModels",
        "retrieveModel",
        "deleteModel",
    }
    assert spec.retention["createModeration"].zero == "always"
    assert spec.retention["createFile"].days is None
