import hashlib
import json
import shlex
import subprocess
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from jsonschema import Draft202012Validator
from tiny_server import Said, forgetting, refusal, reply, serving, speaking, stream

from conformance.exchange import Exchange, curl
from conformance.wire import Budget, BudgetSpent, estimate, waiting


def test_an_exchange_holds_what_was_sent_and_received(target_at):
    with serving(lambda asked: reply({"ok": True})) as url:
        target = target_at(url)
        target.post("/completions", prompt="hi")

    one = target.tape.exchanges[0]
    assert (one.method, one.url) == ("POST", f"{url}/completions")
    assert json.loads(one.content) == {"prompt": "hi"}
    assert (b"Accept-Encoding", b"identity") in one.sent
    assert (one.status, one.body) == (200, b'{"ok": true}')
    assert one.header("content-type") == "application/json"


def test_chunks_are_timed_as_they_come(target_at):
    def slowly():
        yield b"data: 1\n\n"
        time.sleep(0.1)
        yield b"data: 2\n\n"

    said = Said(200, slowly(), {"Content-Type": "text/event-stream"})
    with serving(lambda asked: said) as url:
        answer = target_at(url).stream("/completions")

    assert answer.times[1] - answer.times[0] > 0.05


def test_a_reader_who_leaves_early_has_the_first_chunks(target_at):
    def endlessly():
        while True:
            yield b"data: {}\n\n"
            time.sleep(0.01)

    said = Said(200, endlessly(), {"Content-Type": "text/event-stream"})
    with serving(lambda asked: said) as url:
        target = target_at(url)
        with target.open_stream("/completions") as opened:
            first = next(opened.arriving)

    assert first.data == "{}"
    assert target.tape.exchanges[0].body.startswith(b"data: {}\n\n")


def test_an_answer_that_never_ends_is_given_up(target_at, monkeypatch):
    monkeypatch.setattr("conformance.wire.WHOLE", 0.1)

    def endlessly():
        while True:
            yield b"x"
            time.sleep(0.02)

    with (
        serving(lambda asked: Said(200, endlessly())) as url,
        pytest.raises(httpx.ReadTimeout),
    ):
        target_at(url, timeout=0.2).get("/models")


def test_an_answer_beyond_all_bounds_is_given_up(target_at, monkeypatch):
    monkeypatch.setattr("conformance.wire.LARGEST", 10)
    with (
        serving(lambda asked: Said(200, b"x" * 99)) as url,
        pytest.raises(httpx.ReadError),
    ):
        target_at(url).get("/models")


@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_is_obeyed(target_at, status):
    answers = iter([reply({}, status, Retry_After="7"), reply({"ok": 1})])
    slept = []
    with serving(lambda asked: next(answers)) as url:
        target = target_at(url, sleep=slept.append)
        answer = target.get("/models")

    assert answer.status == 200
    assert slept == [7]
    assert [one.status for one in target.tape.exchanges] == [status, 200]


@pytest.mark.parametrize(
    ("said", "patience"),
    [
        (refusal(429), True),
        (reply({}, 429, Retry_After="61"), True),
        (reply({}, 429, Retry_After="soon"), True),
        (reply({}, 500, Retry_After="1"), True),
        (reply({}, 429, Retry_After="1"), False),
    ],
    ids=["no header", "too long", "no time", "another status", "impatient"],
)
def test_what_is_no_invitation_is_returned(target_at, said, patience):
    with serving(lambda asked: said) as url:
        target = target_at(url)
        answer = target.get("/models", patience=patience)

    assert answer.status == said.status
    assert len(target.tape.exchanges) == 1


def test_patience_ends(target_at):
    with serving(lambda asked: reply({}, 429, Retry_After="1")) as url:
        target = target_at(url)
        answer = target.get("/models")

    assert answer.status == 429
    assert len(target.tape.exchanges) == 4


def test_a_retry_after_may_be_a_date():
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)

    wait = waiting(httpx.Response(503, headers={"Retry-After": then}))

    assert wait is not None
    assert 25 < wait <= 30


def test_a_kept_connection_that_was_closed_is_no_answer(target_at):
    with forgetting() as url:
        target = target_at(url)
        statuses = [target.get("/models").status for _ in range(3)]
        target.close()

    assert statuses == [200, 200, 200]
    assert [one.status for one in target.tape.exchanges] == [200, None, 200, None, 200]


def test_a_new_connection_that_is_closed_is_an_answer(target_at):
    with speaking(b"") as url:
        target = target_at(url)
        with pytest.raises(httpx.RemoteProtocolError):
            target.get("/models")

    assert len(target.tape.exchanges) == 1


def test_requests_are_counted(target_at):
    with serving(lambda asked: reply({})) as url:
        target = target_at(url, Budget(requests=1))
        target.get("/models")
        with pytest.raises(BudgetSpent, match="1 requests"):
            target.get("/models")


def test_tokens_are_estimated_and_then_told(target_at):
    budget = Budget(tokens=100)
    with serving(lambda asked: reply({"usage": {"total_tokens": 90}})) as url:
        target = target_at(url, budget)
        target.post("/completions", prompt="hi", max_tokens=20)
        with pytest.raises(BudgetSpent, match="100 tokens"):
            target.post("/completions", prompt="hi", max_tokens=20)

    assert budget.used == 90


def test_a_refusal_costs_no_tokens(target_at):
    budget = Budget()
    with serving(lambda asked: refusal(400)) as url:
        target_at(url, budget).post("/completions", prompt="hi")

    assert (budget.asked, budget.used) == (1, 0)


def test_time_is_counted(target_at):
    with pytest.raises(BudgetSpent, match="0 seconds"):
        target_at("http://127.0.0.1:1/v1", Budget(seconds=0)).get("/models")


@pytest.mark.parametrize(
    ("body", "cost"),
    [
        (b"", 0),
        (b"\xff", 0),
        (b"[1]", 0),
        (b'{"model": "m"}', 0),
        (b'{"prompt": "abcd", "max_tokens": 5, "n": 2}', 12),
        (b'{"prompt": "abcd", "max_tokens": "5"}', 18),
    ],
)
def test_a_cost_is_estimated(body, cost):
    assert estimate(body) == cost


def test_the_first_request_may_take_longer(target_at):
    def slow(asked):
        time.sleep(0.3)
        return reply({})

    with serving(slow) as url:
        target = target_at(url, timeout=0.15)
        target.get("/models")
        with pytest.raises(httpx.ReadTimeout):
            target.get("/models")

    assert target.tape.exchanges[1].error.startswith("ReadTimeout")


def test_no_secret_is_written(target_at):
    def tell(asked):
        return reply({"you": asked.headers["Authorization"]}, X_Key="sk-right-key")

    with serving(tell) as url:
        target = target_at(url, headers={"Api-Key": "s3cret-value"})
        target.post("/completions", prompt="sk-right-key")

    written = json.dumps(target.tape.exchanges[0].as_json(target.secrets))
    assert "sk-right-key" not in written
    assert "s3cret-value" not in written
    assert '"Authorization: Bearer $OPENAI_API_KEY"' in curl(
        target.tape.exchanges[0], target.secrets
    )


def test_a_key_of_the_checks_own_is_shown(target_at):
    with serving(lambda asked: reply({})) as url:
        target = target_at(url)
        target.get("/models", key="wrong")

    assert "'Authorization: Bearer wrong'" in curl(
        target.tape.exchanges[0], target.secrets
    )


def test_a_curl_line_repeats_the_request(target_at):
    seen = []

    def note(asked):
        seen.append((asked.method, asked.path, asked.body, asked.headers["X-It"]))
        return reply({})

    with serving(note) as url:
        target = target_at(url)
        target.post("/completions", prompt="it's\n@é $HOME", headers={"X-It": "a 'b'"})
        line = curl(target.tape.exchanges[0], target.secrets)
        subprocess.run(line, shell=True, check=True, capture_output=True, timeout=10)

    assert seen[0] == seen[1]


@pytest.mark.parametrize("content", [b"\xff\x00", b"a" * 9000], ids=["bytes", "long"])
def test_a_body_that_no_shell_takes_stands_in_a_file(content):
    line = curl(Exchange("POST", "http://h/v1/files", (), content))

    assert "@body.bin" in shlex.split(line, comments=True)
    assert hashlib.sha256(content).hexdigest() in line


def test_a_long_body_is_cut_with_the_digest_of_the_whole():
    whole = "é".encode() * 40000
    one = Exchange("GET", "http://h/v1", (), b"", 200, (), [(0.1, b"a" + whole)])

    body = one.as_json()["response"]["body"]

    assert body["truncated"]
    assert len(body["text"].encode()) in (65535, 65536)
    assert body["bytes"] == 80001
    assert body["sha256"] == hashlib.sha256(b"a" + whole).hexdigest()


def test_an_exchange_has_the_form_of_the_record(target_at, run_schema):
    parts = (b"data: \xff\n\n", b": hm\n\n", b"data: [DONE]\n\n")
    with serving(lambda asked: stream(*parts)) as url:
        target = target_at(url)
        target.stream("/completions")
    with speaking(b"nonsense\r\n\r\n") as url:
        other = target_at(url)
        with pytest.raises(httpx.RemoteProtocolError):
            other.get("/models")

    rows = [t.tape.exchanges[0].as_json(t.secrets) for t in (target, other)]
    shape = {"$ref": "#/$defs/exchange", "$defs": run_schema["$defs"]}
    of_one = Draft202012Validator(shape)
    assert [list(of_one.iter_errors(row)) for row in rows] == [[], []]
    assert [e["data"] for e in rows[0]["response"]["events"]] == ["\ufffd", "[DONE]"]
    assert "base64" in rows[0]["response"]["body"]
    assert rows[1]["response"] is None
    assert rows[1]["error"].startswith("RemoteProtocolError")
