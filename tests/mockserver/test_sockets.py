"""The mock over real sockets."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest
from running import running, within

from conformance.target import Claims, Target
from mockserver.app import application
from mockserver.registry import built
from mockserver.server import listen, serving, url

KEY = {"authorization": "Bearer sk-test"}
LARGE = 20 * 1024 * 1024


@pytest.fixture(scope="module")
def workers():
    """The URL of a mock in processes of its own."""
    with running() as mock:
        yield mock.url


@pytest.fixture
def inside(rooms):
    """The URL of a mock in this process, whose rooms can be looked into."""
    with serving(application(rooms)) as url:
        yield url


@pytest.fixture(params=["workers", "inside"])
def base_url(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def client(base_url):
    with httpx.Client(base_url=base_url, headers=KEY, timeout=30) as client:
        yield client


def test_every_sample_is_served(base_url, spec):
    target = Target(base_url, spec, key="sk-test", claims=Claims(built(spec)))
    for operation in map(spec.operations.get, sorted(built(spec))):
        if operation.capability or operation.id == "deleteModel":
            continue

        reply = target.call(operation.id)

        assert reply.status == 200, operation.id
        if operation.reply:
            assert list(operation.answer.faults(reply.body)) == []
    target.close()


@pytest.mark.parametrize("operation", ["createCompletion", "createChatCompletion"])
def test_a_stream_is_framed_event_by_event(client, spec, operation):
    asked = spec.operations[operation]

    reply = client.post(asked.path, json={**asked.sample, "stream": True, "n": 2})

    *events, end, rest = reply.content.split(b"\n\n")
    assert (end, rest) == (b"data: [DONE]", b"")
    for event in events:
        chunk = json.loads(event.removeprefix(b"data: "))
        assert list(asked.stream.part.faults(chunk)) == []


def test_tokens_are_sent_as_they_come(client):
    client.post("/_assay/script", json={"texts": ["one two three four"], "delay": 0.1})
    body = {"model": "ada", "stream": True, "max_tokens": 4}

    with client.stream("POST", "/completions", json=body) as reply:
        moments = [time.monotonic() for _ in reply.iter_bytes()]

    assert len(moments) > 1
    assert moments[-1] - moments[0] >= 0.1


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused_and_the_next_request_served(
    client, chunked
):
    whole = b'{"input": "%s"}' % (b"a" * LARGE)
    pieces = (whole[start : start + 65536] for start in range(0, len(whole), 65536))

    reply = client.post(
        "/moderations",
        content=pieces if chunked else whole,
        headers={"content-type": "application/json"},
    )

    assert reply.status_code == 413
    assert set(reply.json()["error"]) == {"message", "type", "param", "code"}
    assert client.post("/moderations", json={"input": "a"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nope", 404),
        ("POST", "/v1/nope", 404),
        ("POST", "/chat/completions", 404),
        ("GET", "/v1/models/", 404),
        ("GET", "/v1/models/a/b", 404),
        ("GET", "/v1/completions", 405),
        ("PUT", "/v1/completions", 405),
        ("POST", "/v1/models", 405),
        ("OPTIONS", "/v1/models", 405),
        ("PATCH", "/v1/models/ada", 405),
        ("GET", "/v1/%ff", 404),
        ("GET", "/v1/models/%e2%82", 404),
    ],
)
def test_an_unknown_path_or_method_is_told_in_the_envelope(
    client, base_url, method, path, status
):
    reply = client.request(method, base_url.removesuffix("/v1") + path)

    assert reply.status_code == status
    assert reply.json()["error"]["type"] == "invalid_request_error"
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-request-id"]


def test_the_root_of_the_host_says_welcome(client, base_url):
    reply = client.get(base_url.removesuffix("v1"), headers={"authorization": ""})

    assert reply.status_code == 200
    assert reply.json().keys() == {"message"}


@pytest.mark.parametrize("colon", [":", "%3A", "%3a"])
def test_a_tuned_model_is_found_by_its_encoded_name(client, colon):
    name = client.post("/_assay/models", json={"base": "ada"}).json()["id"]

    path = "/models/" + name.replace(":", colon)

    assert client.get(path).json()["id"] == name
    assert client.delete(path).json() == {
        "id": name,
        "object": "model",
        "deleted": True,
    }
    assert client.get(path).status_code == 404


def test_a_connection_is_kept_open_after_a_refusal(base_url):
    place = urlsplit(base_url)
    request = b"GET /v1/models HTTP/1.1\r\nHost: a\r\n%s\r\n"
    with socket.create_connection((place.hostname, place.port), 10) as line:
        told = []
        for key in (b"", b"Authorization: Bearer sk-test\r\n"):
            line.sendall(request % key)
            told.append(reply_on(line))

    assert [head.split()[1] for head in told] == [b"401", b"200"]


def test_many_connections_are_kept_open(base_url):
    place = urlsplit(base_url)
    request = b"GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer k\r\n\r\n"
    with ExitStack() as stack:
        lines = [
            stack.enter_context(socket.create_connection((place.hostname, place.port)))
            for _ in range(40)
        ]
        told = []
        for line in lines * 2:
            line.sendall(request)
            told.append(reply_on(line))

    assert not any(b"close" in head.lower() for head in told)


def reply_on(line):
    """The head of the next reply; its body is read too."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += line.recv(65536)
    head, _, body = raw.partition(b"\r\n\r\n")
    fields = dict(
        field.lower().split(b": ", 1) for field in head.split(b"\r\n")[1:] if field
    )
    left = int(fields[b"content-length"]) - len(body)
    while left > 0:
        left -= len(line.recv(left))
    return head


def test_requests_at_once_are_answered_as_they_are_alone(client):
    body = {"model": "ada", "temperature": 0, "max_tokens": 12, "logprobs": 2}
    prompts = ["Once upon a time", "Hello", "The cat", "Anna", "A", "B"]

    def ask(prompt):
        return client.post("/completions", json={**body, "prompt": prompt}).json()

    alone = [ask(prompt)["choices"] for prompt in prompts]
    with ThreadPoolExecutor(len(prompts)) as pool:
        together = [reply["choices"] for reply in pool.map(ask, prompts)]

    assert together == alone


@pytest.mark.parametrize("path", ["/completions", "/chat/completions"])
def test_a_client_that_hangs_up_frees_its_row(rooms, inside, path):
    place = urlsplit(inside)
    longest = 3500
    body = json.dumps(
        {
            "model": "gpt-3.5-turbo" if "chat" in path else "text-davinci-003",
            **(
                {"messages": [{"role": "user", "content": "hi"}]}
                if "chat" in path
                else {}
            ),
            "max_tokens": longest,
            "logit_bias": {"50256": -100},
            "stream": True,
        }
    ).encode()
    head = f"POST /v1{path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer k\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"

    with socket.create_connection((place.hostname, place.port), 10) as line:
        line.sendall(head.encode() + body)
        assert b"200 OK" in line.recv(4096)
        assert within(10, lambda: rooms.mind.rows == 1)

    assert within(5, lambda: rooms.mind.rows == 0)
    assert within(5, lambda: used(rooms) > 0)
    assert used(rooms) < longest


def used(rooms):
    return rooms.accounts.organization("org-assay").usage["completion_tokens"]


def test_an_address_of_ipv6_stands_in_brackets(rooms):
    server = listen(application(rooms), "::1", 0)

    shown = url(server)
    server.stop()

    assert shown == f"http://[::1]:{server.bind_addr[1]}/v1"
