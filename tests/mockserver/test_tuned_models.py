"""Fine-tuned models: added, listed, used, deleted."""

import re
from datetime import date

import pytest
from asking import Mock

from mockserver.app import house

INVALID = "invalid_request_error"
NOT_FOUND = (404, INVALID, None, "model_not_found")


def add(mock, base="curie", suffix="mine", headers=None):
    return mock.ask("controlAddModel", {"base": base, "suffix": suffix}, headers).json


def listed(mock, headers=None):
    return {model["id"] for model in mock.ask("listModels", None, headers).json["data"]}


def test_a_tuned_model_is_named_after_its_base_and_its_house(mock):
    model = add(mock)

    stamp = r"\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d"
    assert re.fullmatch(rf"curie:ft-assay:mine-{stamp}", model["id"])
    assert model["owned_by"] == "org-assay"
    assert mock.rooms.spec.operations["retrieveModel"].answer.valid(model)


def test_a_tuned_model_is_listed_found_and_used(mock):
    model = add(mock)

    found = mock.ask("retrieveModel", model=model["id"])
    answer = mock.complete(model=model["id"], max_tokens=2)

    assert found.json == model
    assert model["id"] in listed(mock)
    assert answer.json["model"] == model["id"]


def test_a_deleted_model_is_gone(mock):
    name = add(mock)["id"]

    told = mock.ask("deleteModel", model=name)

    assert told.json == {"id": name, "object": "model", "deleted": True}
    assert name not in listed(mock)
    assert mock.ask("retrieveModel", model=name).error == NOT_FOUND
    assert mock.ask("deleteModel", model=name).error == NOT_FOUND
    assert mock.complete(model=name).error == NOT_FOUND


def test_a_base_model_cannot_be_deleted(mock):
    answer = mock.ask("deleteModel", model="curie")

    assert answer.error == (403, INVALID, None, None)
    assert "curie" in listed(mock)


def test_an_unknown_model_cannot_be_deleted(mock):
    assert mock.ask("deleteModel", model="nope").error == NOT_FOUND


@pytest.fixture
def guarded(spec, mind):
    return Mock(house(spec, mind=mind, keys=("sk-test",)))


def key(guarded, organization, role="owner"):
    body = {"organizations": [organization], "role": role}
    made = guarded.ask("controlAddKey", body).json["key"]
    return {"authorization": f"Bearer {made}"}


def test_a_reader_cannot_delete(guarded):
    name = add(guarded)["id"]
    reader = key(guarded, "org-assay", "reader")

    answer = guarded.ask("deleteModel", None, reader, model=name)

    assert answer.error == (403, INVALID, None, None)
    assert name in listed(guarded, reader)


def test_a_model_belongs_to_its_organization(guarded):
    name = add(guarded)["id"]
    stranger = key(guarded, "org-other")

    answer = guarded.ask("deleteModel", None, stranger, model=name)

    assert answer.error == NOT_FOUND
    assert name not in listed(guarded, stranger)
    assert name in listed(guarded)


@pytest.mark.parametrize("base", ["nope", ""])
def test_a_model_needs_a_base(mock, base):
    assert mock.ask("controlAddModel", {"base": base}).error == NOT_FOUND


def test_a_tuned_model_may_be_tuned_again(mock):
    first = add(mock, suffix="one")["id"]

    second = add(mock, base=first, suffix="two")

    assert mock.complete(model=second["id"], max_tokens=1).status == 200
    assert {first, second["id"]} <= listed(mock)


def test_a_tuned_model_goes_with_its_base(mock):
    name = add(mock)["id"]
    days = (date(2024, 1, 4) - mock.rooms.clock.today()).days

    mock.ask("controlClock", {"seconds": days * 24 * 60 * 60})

    assert mock.ask("retrieveModel", model=name).error == NOT_FOUND


def test_a_list_holds_each_model_once_and_each_can_be_found(mock):
    data = mock.ask("listModels").json["data"]

    ids = [model["id"] for model in data]
    assert len(set(ids)) == len(ids)
    for model in data:
        assert mock.ask("retrieveModel", model=model["id"]).json == model
