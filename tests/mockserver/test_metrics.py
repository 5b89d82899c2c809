"""What passes a server, counted and written down."""

import json
from contextlib import ExitStack, closing

import pytest
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import Client, create_environ, run_wsgi_app

from mockserver.accounts import Bill
from mockserver.app import application
from mockserver.logs import AccessLog
from mockserver.metrics import Metrics
from mockserver.turnstile import Turnstile

KEY = {"authorization": "Bearer sk-secret"}
BODY = {"model": "ada", "prompt": "a secret", "max_tokens": 2, "temperature": 0}


@pytest.fixture
def turnstile(rooms):
    return Turnstile(application(rooms))


@pytest.fixture
def passed(turnstile):
    """What was told of each passage."""
    told = []
    turnstile.tell(told.append)
    return told


@pytest.fixture
def log(turnstile):
    """Begins an access log."""
    with ExitStack() as stack:
        yield lambda place: turnstile.tell(
            stack.enter_context(closing(AccessLog(str(place))))
        )


@pytest.fixture
def client(turnstile):
    return Client(turnstile)


def counted(page):
    """The value of each name with its labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
    }


def test_a_passage_is_told_with_what_was_asked_and_sent(client, passed):
    reply = client.post("/v1/completions", json=BODY, headers=KEY)

    assert len(passed) == 1
    one = passed[0]
    assert (one.method, one.path, one.status) == ("POST", "/v1/completions", 200)
    assert one.operation == "createCompletion"
    assert one.sent == len(reply.data)
    assert one.received == len(json.dumps(BODY))
    assert one.organization == "org-assay"
    assert one.request_id == reply.headers["x-request-id"]
    assert one.seconds > 0


def test_a_stream_is_open_until_it_is_closed(client, turnstile, passed):
    reply = client.post(
        "/v1/completions", json={**BODY, "stream": True}, headers=KEY, buffered=False
    )
    first = next(reply.response)

    assert (turnstile.streams, passed) == (1, [])
    reply.close()
    assert turnstile.streams == 0
    assert passed[0].stream
    assert passed[0].sent == len(first)


def test_a_body_that_ends_early_is_of_a_client_that_left(turnstile, passed, caplog):
    environ = create_environ("/v1/completions", method="POST", json=BODY, headers=KEY)

    run_wsgi_app(turnstile, environ | {"CONTENT_LENGTH": "999"}, buffered=True)

    assert [one.status for one in passed] == [499]
    assert caplog.records == []


@pytest.mark.parametrize("path", ["/v1/nope", "/nope", "/v1/models/%C3%BC"])
def test_what_is_no_operation_is_told_too(client, passed, path):
    client.get(path)

    assert (passed[0].status, passed[0].path) == (
        (401, "/v1/models/ü") if "models" in path else (404, path)
    )


def test_counters_add_up(rooms, turnstile):
    metrics = Metrics()
    client = Client(metrics.beside(rooms, turnstile))
    metrics.spent("org-assay", Bill(3, 2, None, None))
    for _ in range(3):
        client.get("/v1/models", headers=KEY)
    client.post("/v1/nope", data=b"abc")

    page = client.get("/metrics")

    told = counted(page)
    assert page.mimetype == "text/plain"
    assert {
        name[1:]: value
        for name, value in told.items()
        if name[0] == "assay_requests_total"
    } == {
        (("operation", "listModels"), ("status", "200")): 3,
        (("operation", "none"), ("status", "404")): 1,
    }
    assert told["assay_request_seconds_count", ("operation", "listModels")] == 3
    assert told["assay_received_bytes_total", ("operation", "none")] == 3
    for kind, count in (("prompt", 3), ("completion", 2)):
        labels = (("kind", kind), ("organization", "org-assay"))
        assert told["assay_tokens_total", *labels] == count
    assert (told["assay_texts",], told["assay_streams",]) == (0, 0)


def test_jobs_are_counted_by_status(rooms, turnstile):
    for id, status in (("a", "running"), ("b", "succeeded"), ("c", "succeeded")):
        rooms.store.put("fine-tune", "org-assay", {"id": id, "status": status})

    told = counted(Client(Metrics().beside(rooms, turnstile)).get("/metrics"))

    jobs = {name[1]: value for name, value in told.items() if name[0] == "assay_jobs"}
    assert jobs == {("status", "running"): 1, ("status", "succeeded"): 2}


def test_the_page_is_not_part_of_what_it_counts(rooms, turnstile, passed):
    client = Client(Metrics().beside(rooms, turnstile))

    assert client.get("/metrics").status_code == 200
    assert client.get("/v1/metrics", headers=KEY).status_code == 404
    assert [one.path for one in passed] == ["/v1/metrics"]


def test_without_metrics_the_page_is_an_unknown_path(client):
    reply = client.get("/metrics")

    assert reply.status_code == 404
    assert reply.json["error"]["type"] == "invalid_request_error"


def test_the_access_log_has_neither_keys_nor_contents(client, log, tmp_path):
    path = tmp_path / "access.jsonl"
    log(path)

    client.post("/v1/completions?key=sk-secret", json=BODY, headers=KEY)
    client.get("/v1/models", headers={"authorization": "Bearer"})

    first, second = map(json.loads, path.read_text().splitlines())
    assert "secret" not in path.read_text()
    assert first.keys() == {
        "time",
        "method",
        "path",
        "operation",
        "status",
        "bytes",
        "ms",
        "organization",
        "request_id",
    }
    assert (first["path"], first["status"]) == ("/v1/completions", 200)
    assert (second["status"], second["organization"]) == (401, None)


def test_a_log_that_was_moved_away_is_begun_anew(client, log, tmp_path):
    path = tmp_path / "access.jsonl"
    log(path)
    client.get("/v1/models", headers=KEY)
    path.rename(tmp_path / "old")

    client.get("/v1/models", headers=KEY)

    assert len(path.read_text().splitlines()) == 1
    assert len((tmp_path / "old").read_text().splitlines()) == 1


def test_a_log_may_go_to_stderr(client, log, capsys):
    log("-")

    client.get("/v1/models", headers=KEY)

    assert json.loads(capsys.readouterr().err)["path"] == "/v1/models"
