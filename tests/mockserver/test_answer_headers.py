"""The headers of answers, as the live API sent them in 2023."""

import re

import pytest

MODEL_OPERATIONS = ("createCompletion", "createChatCompletion", "createEmbedding")
OPERATIONS = (*MODEL_OPERATIONS, "createModeration", "listModels", "retrieveModel")
DURATION = re.compile(r"(\d+h)?(\d+m)?(\d+(\.\d+)?s)?|\d+ms")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_says_who_where_and_how_long(mock, operation):
    headers = mock.sample(operation).headers

    assert headers["content-type"] == "application/json"
    assert headers["openai-version"] == "2020-10-01"
    assert headers["openai-organization"].startswith("org-")
    assert headers["openai-processing-ms"].isdecimal()
    assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"])
    assert headers["strict-transport-security"] == "max-age=15724800; includeSubDomains"
    assert headers["access-control-allow-origin"] == "*"


def test_no_two_answers_share_a_request_id(mock):
    seen = {mock.sample("listModels").headers["x-request-id"] for _ in range(50)}

    assert len(seen) == 50


@pytest.mark.parametrize("operation", MODEL_OPERATIONS)
def test_an_answer_of_a_model_names_it_and_the_rate_limit(mock, operation):
    answer = mock.sample(operation)

    limits = {
        name.removeprefix("x-ratelimit-"): value
        for name, value in answer.headers.items()
        if name.startswith("x-ratelimit-")
    }
    assert answer.headers["openai-model"] == answer.json["model"]
    assert set(limits) == {"limit-requests", "remaining-requests", "reset-requests"}
    assert limits["limit-requests"] == "3500"
    assert limits["remaining-requests"] == "3499"
    assert DURATION.fullmatch(limits["reset-requests"])


@pytest.mark.parametrize("operation", ["createCompletion", "createChatCompletion"])
def test_a_stream_has_the_headers_of_an_answer(mock, operation):
    headers = mock.sample(operation, stream=True).headers

    assert headers["content-type"].startswith("text/event-stream")
    assert "openai-model" in headers
    assert "x-ratelimit-limit-requests" in headers
    assert "content-length" not in headers


@pytest.mark.parametrize("operation", ["listModels", "retrieveModel"])
def test_where_no_model_answers_there_is_no_rate_limit(mock, operation):
    headers = mock.sample(operation).headers

    assert not [name for name in headers if name.startswith("x-ratelimit")]
    assert "openai-model" not in headers


def test_what_remains_of_a_rate_limit_goes_down(mock):
    mock.ask("controlLimits", {"requests": 3})

    answers = [mock.sample("createEmbedding").headers for _ in range(3)]

    left = [headers["x-ratelimit-remaining-requests"] for headers in answers]
    assert left == ["2", "1", "0"]
    assert {headers["x-ratelimit-limit-requests"] for headers in answers} == {"3"}


def test_a_refusal_for_want_of_a_key_says_nothing_of_accounts(mock):
    headers = mock.ask("createCompletion", {}, {"authorization": None}).headers

    assert headers["content-type"].startswith("application/json")
    assert "x-request-id" in headers
    assert not [name for name in headers if name.startswith(("openai-", "x-ratelimit"))]


def test_other_refusals_say_whom_they_are_told(mock):
    headers = mock.ask("createCompletion", {}).headers

    assert headers["openai-organization"] == "org-assay"
    assert headers["content-type"] == "application/json"


def test_headers_of_client_libraries_are_passed_over(mock):
    sent = {
        "openai-version": "2020-10-01",
        "x-openai-client-user-agent": "{}",
        "x-stainless-lang": "python",
        "openai-debug": "true",
        "idempotency-key": "x",
        "x-request-id": "mine",
        "accept": "text/plain",
    }

    answer = mock.ask("listModels", None, sent)

    assert answer.status == 200
    assert answer.headers["x-request-id"] != "mine"
