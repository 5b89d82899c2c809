"""Where a deliberate fault may reach in, and that it reaches no further."""

from dataclasses import replace

import pytest
from asking import Mock

from mockserver.app import application
from mockserver.deviation import Deviation, Seams, mended
from mockserver.reply import Reply
from spec import Refusal

COMPLETION, CHAT = "createCompletion", "createChatCompletion"


@pytest.fixture
def deviating(rooms):
    def mock(*changes, operations=(COMPLETION,)):
        return Mock(
            rooms,
            *(
                Deviation(f"test-{place}", "api.under-v1", operations, **change)
                for place, change in enumerate(changes)
            ),
        )

    return mock


def texts(answer):
    return [choice["text"] for choice in answer.json["choices"]]


def renamed(reply):
    return replace(reply, body={**reply.body, "object": "renamed"})


def teapot(refusal):
    return replace(refusal, status=418)


def upper(parts):
    return (part.upper() for part in parts)


def test_a_body_is_changed_before_it_is_validated(deviating):
    mock = deviating({"on_body": lambda _, body: {**body, "n": 200}})

    assert mock.complete().status == 400
    assert mock.chat(max_tokens=1).status == 200


def test_a_forgotten_rule_is_not_asked(deviating):
    mock = deviating({"forget": frozenset({"completions.best-of-covers-n"})})

    assert mock.complete(n=3, best_of=2, max_tokens=1).status == 200
    assert mock.complete(best_of=2, stream=True).status == 400


def test_a_request_is_changed_before_it_is_handled(deviating):
    mock = deviating({"on_request": lambda request: replace(request, n=1)})

    assert len(texts(mock.complete(n=3, max_tokens=1))) == 1


def test_a_job_is_changed_before_it_is_sampled(deviating):
    mock = deviating({"on_job": lambda job: replace(job, max_tokens=1)})

    assert mock.complete(max_tokens=9).json["usage"]["completion_tokens"] == 1


def test_an_answer_is_changed_but_not_a_stream(deviating):
    mock = deviating({"on_reply": renamed})

    whole, chunks = mock.complete(max_tokens=1), mock.complete(stream=True).chunks

    assert whole.json["object"] == "renamed"
    assert {chunk["object"] for chunk in chunks} == {"text_completion"}


def test_the_events_of_a_stream_are_changed_its_terminator_included(deviating):
    mock = deviating({"on_events": lambda items: list(items)[-1:]})

    assert mock.complete(stream=True).events == ["[DONE]"]


def test_the_bytes_of_a_stream_are_changed(deviating):
    mock = deviating({"on_bytes": upper})

    assert mock.complete(stream=True).raw.startswith(b'DATA: {"ID"')


def test_headers_are_changed(deviating):
    mock = deviating({"on_headers": lambda headers: mended(headers, x_request_id=None)})

    assert "x-request-id" not in mock.complete(max_tokens=0).headers


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (teapot, 418),
        (lambda refusal: Reply({"error": "flat"}, 400), 400),
        (lambda refusal: None, 200),
    ],
    ids=["another refusal", "another reply", "none"],
)
@pytest.mark.parametrize(
    "fault",
    [{"temperature": 1.5, "top_k": 1}, {"model": "gpt-4"}],
    ids=["schema", "model"],
)
def test_a_refusal_is_changed_or_left_out(deviating, change, status, fault):
    mock = deviating({"on_refusal": change})

    assert mock.complete(max_tokens=1, **fault).status == status


def test_changes_follow_one_another(deviating):
    mock = deviating(
        {"on_job": lambda job: replace(job, max_tokens=job.max_tokens + 1)},
        {"on_job": lambda job: replace(job, max_tokens=job.max_tokens * 2)},
    )

    answer = mock.complete(max_tokens=1, logit_bias={"50256": -100})

    assert answer.json["usage"]["completion_tokens"] == 4


def test_only_the_named_operations_deviate(deviating):
    mock = deviating({"on_reply": renamed}, operations=(CHAT,))

    assert mock.complete(max_tokens=0).json["object"] == "text_completion"
    assert mock.chat(max_tokens=1).json["object"] == "renamed"


def test_where_none_are_named_all_deviate(deviating):
    mock = deviating({"on_reply": renamed}, operations=())

    assert mock.sample("listModels").json["object"] == "renamed"


def test_a_route_may_be_missing(rooms):
    gone = Deviation("x", "api.under-v1", routes=lambda path: path != "/models")
    client = application(rooms, [gone]).test_client()
    key = {"authorization": "Bearer k"}

    told = [client.get(f"/v1/models{one}", headers=key) for one in ("", "/ada")]

    assert [reply.status_code for reply in told] == [404, 200]


def test_without_deviations_nothing_changes():
    seams, refusal = Seams(), Refusal("x", 400, "t", None, None, "m")

    assert seams.pass_through("on_reply", refusal) is refusal
    assert seams.refusal(refusal) is refusal
    assert seams.forgotten == frozenset()


def test_a_header_is_mended_by_its_name_with_underscores():
    headers = {"x-request-id": "1", "vary": "Origin"}

    changed = mended(headers, x_request_id="2", vary=None, server="us")

    assert changed == {"x-request-id": "2", "server": "us"}
