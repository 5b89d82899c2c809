"""The command's server: several processes, sockets, stops and broken clients."""

import json
import os
import signal
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme
from running import SLOW, running, within

CLIENTS = 60
FORM = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


@pytest.fixture(scope="module")
def two():
    """Two workers, of which each answers some connections."""
    with running("--workers", "2", "--seed", "1") as mock:
        assert within(5, lambda: len(mock.workers()) == 2)
        yield mock


@pytest.fixture(scope="module")
def one():
    with running() as mock:
        yield mock


def anew(mock, method, path, **more):
    """The answer on a connection of its own, so that any worker may give it."""
    with mock.client() as client:
        return client.request(method, path, **more)


def line(mock, head, body=b"", length=None):
    """A connection on which a request was sent, or the beginning of one."""
    place = urlsplit(mock.url)
    told = socket.create_connection((place.hostname, place.port), 10)
    length = len(body) if length is None else length
    head = f"{head}\r\nHost: a\r\nAuthorization: Bearer k\r\nContent-Length: {length}"
    told.sendall(head.encode() + b"\r\n\r\n" + body)
    return told


def alive(pid):
    return Path(f"/proc/{pid}").exists()


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def test_workers_share_what_is_stored(two):
    content = {"file": ("a.jsonl", b'{"prompt":"a","completion":"b"}\n')}
    made = [
        anew(two, "POST", "/files", files=content, data={"purpose": "fine-tune"})
        for _ in range(12)
    ]
    ids = [reply.json()["id"] for reply in made]

    seen = [anew(two, "GET", f"/files/{id}").status_code for id in ids * 2]

    assert set(seen) == {200}
    assert len(set(ids)) == 12


def test_counts_of_workers_add_up(two):
    name = 'assay_requests_total{operation="listModels",status="200"}'
    before = two.metric(name)

    for _ in range(20):
        assert anew(two, "GET", "/models").status_code == 200

    assert {two.metric(name) for _ in range(6)} == {before + 20}


def test_a_worker_that_is_killed_is_replaced_and_the_others_go_on(two):
    name = 'assay_requests_total{operation="listModels",status="200"}'
    old, before = two.workers(), two.metric(name)

    os.kill(old[0], signal.SIGKILL)

    assert within(5, lambda: len(set(two.workers()) - set(old)) == 1)
    for _ in range(10):
        assert anew(two, "GET", "/models").status_code == 200
    assert old[1] in two.workers()
    assert two.metric(name) == before + 10


def test_a_mock_that_is_interrupted_leaves_nothing_behind(tmp_path):
    more = {"env": {**os.environ, "TMPDIR": str(tmp_path)}, "start_new_session": True}
    with running("--workers", "2", **more) as mock:
        assert within(5, lambda: len(mock.workers()) == 2)
        kept, workers = list(tmp_path.iterdir()), mock.workers()

        os.killpg(mock.process.pid, signal.SIGINT)

        assert mock.process.wait(10) == 0
    assert len(kept) == 1
    assert list(tmp_path.iterdir()) == []
    assert not any(map(alive, workers))


def test_a_stop_lets_a_stream_come_to_its_end():
    with running() as mock, mock.client() as client:
        script = {"texts": ["one two three four five six seven"], "delay": 0.1}
        assert client.post("/_assay/script", json=script).status_code == 200
        body = {"model": "ada", "stream": True, "max_tokens": 40}
        with client.stream("POST", "/completions", json=body) as reply:
            lines = reply.iter_lines()
            next(lines)

            mock.process.terminate()

            rest = [line for line in lines if line]
        assert mock.process.wait(10) == 0
    assert rest[-1] == "data: [DONE]"
    assert len(rest) > 3


def test_a_stop_waits_no_longer_than_it_may():
    with running("--grace", "0.3") as mock, mock.client() as client:
        script = {"texts": ["one two three four five six seven"], "delay": 5}
        assert client.post("/_assay/script", json=script).status_code == 200
        body = json.dumps({"model": "ada", "stream": True}).encode()
        head = "POST /v1/completions HTTP/1.1\r\nContent-Type: application/json"
        with line(mock, head, body):
            assert within(10, lambda: mock.metric("assay_streams") == 1)
            mock.process.terminate()

            assert mock.process.wait(4) == 0


def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    more = {"env": {**os.environ, "TMPDIR": str(tmp_path)}}
    with running("--workers", "2", **more) as mock:
        assert within(5, lambda: len(mock.workers()) == 2)
        workers = mock.workers()

        mock.process.kill()

        assert within(5, lambda: not any(map(alive, workers)))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A mock that a file sets up: https, two keys, a limit; and whom to trust."""
    folder, authority = tmp_path_factory.mktemp("guarded"), trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    (folder / "mock.toml").write_text(f"""
        tls-cert = "{folder}/cert.pem"
        tls-key = "{folder}/key.pem"
        api-key = ["sk-test"]
        [[keys]]
        key = "sk-reader"
        organizations = ["org-a", "org-b"]
        role = "reader"
        [[organizations]]
        id = "org-a"
        requests = 2
    """)
    with (
        running("--config", str(folder / "mock.toml")) as mock,
        mock.client(trusting) as client,
    ):
        yield client


def test_tls_is_served(guarded):
    assert guarded.base_url.scheme == "https"
    assert guarded.get("/models").status_code == 200


def test_keys_and_limits_are_those_of_the_file(guarded):
    def status(key, **more):
        headers = {"authorization": f"Bearer {key}", **more}
        return guarded.get("/models", headers=headers).status_code

    assert [status("sk-other"), status("sk-test")] == [401, 200]
    assert [status("sk-reader") for _ in range(3)] == [200, 200, 429]
    assert status("sk-reader", **{"openai-organization": "org-b"}) == 200
    assert status("sk-test", **{"openai-organization": "org-b"}) == 401


def test_clients_that_leave_in_the_middle_cost_nothing_later(one):
    (pid,) = one.workers()
    anew(one, "POST", "/completions", json={"model": "ada", "max_tokens": 1})
    before = open_files(pid)
    upload = f"POST /v1/files HTTP/1.1\r\nContent-Type: {FORM}"
    body = json.dumps({**SLOW, "stream": True}).encode()
    stream = "POST /v1/completions HTTP/1.1\r\nContent-Type: application/json"
    with ExitStack() as clients:
        for _ in range(20):
            told = line(one, upload, PART + b"a" * 900_000, 10_000_000)
            clients.enter_context(told)
        assert within(10, lambda: open_files(pid) >= before + 35)
        for _ in range(10):
            clients.enter_context(line(one, stream, body))
        assert within(10, lambda: one.metric("assay_streams") == 10)

    name = 'assay_requests_total{operation="createFile",status="499"}'
    assert within(10, lambda: one.metric(name) == 20)
    assert within(10, lambda: one.metric("assay_streams") == 0)
    assert within(10, lambda: one.metric("assay_texts") == 0)
    assert within(5, lambda: open_files(pid) <= before + 3)


def test_clients_that_are_slow_hold_nobody_up(one):
    (pid,) = one.workers()
    content = {"file": ("a.jsonl", b'{"prompt":"a","completion":"b"}\n' * 100_000)}
    made = anew(one, "POST", "/files", files=content, data={"purpose": "fine-tune"})
    read = f"GET /v1/files/{made.json()['id']}/content HTTP/1.1"
    upload = f"POST /v1/files HTTP/1.1\r\nContent-Type: {FORM}"
    with ExitStack() as slow:
        for _ in range(CLIENTS):
            slow.enter_context(line(one, upload, PART, 10_000_000))
            slow.enter_context(line(one, read))
        assert within(10, lambda: threads(pid) > 2 * CLIENTS)

        replies = [anew(one, "GET", "/models") for _ in range(5)]

    assert {reply.status_code for reply in replies} == {200}
    assert max(reply.elapsed.total_seconds() for reply in replies) < 2


def test_what_is_sampled_at_temperature_0_is_the_same_on_every_worker(two):
    body = {"model": "ada", "prompt": "Once", "max_tokens": 8, "temperature": 0}

    told = {
        anew(two, "POST", "/completions", json=body).json()["choices"][0]["text"]
        for _ in range(8)
    }

    assert len(told) == 1


def test_requests_at_once_are_answered(two):
    with ThreadPoolExecutor(30) as pool:
        codes = list(
            pool.map(lambda _: anew(two, "GET", "/models").status_code, range(30))
        )

    assert codes == [200] * 30
