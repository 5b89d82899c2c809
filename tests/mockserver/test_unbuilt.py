"""Operations that are described and not built."""

import pytest

from mockserver.app import application, house
from mockserver.registry import built
from spec import load
from spec.pages import editions

UNBUILT = [
    (edition, operation)
    for edition in editions()
    for name, operation in load(edition).operations.items()
    if name not in built(load(edition))
]


@pytest.mark.parametrize(
    ("edition", "operation"), UNBUILT, ids=lambda one: getattr(one, "id", one)
)
def test_an_operation_without_a_handler_answers_501_in_the_envelope(
    edition, operation, mind
):
    client = application(house(load(edition), mind=mind)).test_client()
    path = operation.path.replace("{", "").replace("}", "")

    reply = client.open(
        f"/v1{path}", method=operation.method, headers={"Authorization": "Bearer sk-x"}
    )

    assert reply.status_code == 501
    error = reply.json["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert operation.id in error["message"]


def test_a_handler_serves_the_editions_that_it_was_written_for():
    assert "createChatCompletion" in built(load("2023-04"))
    assert "createChatCompletion" not in built(load("2023-12"))
    assert "createCompletion" in built(load("2023-12"))
