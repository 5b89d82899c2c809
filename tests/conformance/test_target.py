import json

import pytest
from tiny_server import (
    MODELS,
    Said,
    refusal,
    reply,
    serving,
    small_api,
    speaking,
    stream,
)

from conformance.probe import choose_models, from_yaml, probe, to_yaml
from conformance.target import Absent, Claims, Limited, Unserved


@pytest.fixture
def echo():
    def answer(asked):
        body = asked.body.decode("utf-8", errors="replace")
        return reply([asked.method, asked.path, asked.headers, body])

    with serving(answer) as url:
        yield url


def test_a_key_is_sent_unless_it_is_taken_away(target_at, echo):
    target = target_at(echo)

    sent = [
        target.get("/models", **chosen).body[2].get("Authorization")
        for chosen in ({}, {"key": "other"}, {"key": None}, {"key": ""})
    ]

    assert sent == ["Bearer sk-right-key", "Bearer other", None, None]


def test_headers_are_added_replaced_and_taken_away(target_at, echo):
    target = target_at(echo, headers={"X-All": "1"})

    added = target.get("/models", headers={"X-It": "2"}).body[2]
    bare = target.post("/x", headers={"Content-Type": None}, content=b"{}").body[2]

    assert (added["X-All"], added["X-It"]) == ("1", "2")
    assert "Content-Type" not in bare


def test_names_become_a_body_or_a_query(target_at, echo):
    target = target_at(echo)

    assert target.post("/x", n=1, text="é").body[3] == '{"n": 1, "text": "é"}'
    assert target.post("/x").body[3] == "{}"
    assert target.post("/x", text="\ud800").body[3] == '{"text": "\\ud800"}'
    assert target.post("/x", content=b"\xff[").body[3] == "\ufffd["
    assert target.get("/x", limit=2).body[1] == "/v1/x?limit=2"
    assert target.delete("/x/1").body[3] == ""
    assert target.request("PUT", "/x", a=1).body[:2] == ["PUT", "/v1/x"]
    assert target.send("POST", "/x", [1]).body[3] == "[1]"
    assert target.get("/models/a%3Ab").body[1] == "/v1/models/a%3Ab"


def test_a_sample_is_changed_by_name(target_at):
    target = target_at("http://h/v1", models={"completions": "mine"})

    sample = target.sample("createCompletion", prompt="a", max_tokens=..., n=2)

    assert sample == {"model": "mine", "prompt": "a", "temperature": 0, "n": 2}


def test_a_call_fills_the_path(target_at, echo):
    target = target_at(echo, models={"models": "a:b c"})

    assert target.call("retrieveModel").body[1] == "/v1/models/a:b%20c"
    assert target.call("retrieveModel", path={"model": "z"}).body[1] == "/v1/models/z"


def test_chance_repeats_itself_by_clause(target_at, spec):
    target = target_at("http://h/v1", seed=7)
    one, two = (spec.clauses[id] for id in ("chat.example", "completions.example"))

    def drawn(clause):
        return target.over(target.tape, clause).random.random()

    assert drawn(one) == drawn(one) != drawn(two)


def test_the_operations_of_a_clause_are_the_claimed_ones(target_at, spec):
    claims = Claims(frozenset({"listModels", "controlClock"}))
    target = target_at("http://h/v1", claims=claims)

    found = target.operations(spec.clauses["api.request-id"])

    assert [operation.id for operation in found] == ["listModels"]


def test_a_429_is_a_limit_to_a_check_and_no_refusal(target_at, spec):
    with serving(lambda asked: refusal(429)) as url:
        target = target_at(url)
        checking = target.over(target.tape, spec.clauses["chat.example"])

        with pytest.raises(Limited):
            checking.get("/models")
        assert checking.get("/models", patience=False).status == 429
        assert target.get("/models").status == 429


def test_a_refusal_is_read_without_a_fault(target_at):
    with serving(lambda asked: refusal(404, "gone", "none")) as url:
        answer = target_at(url).get("/models")

    assert answer.refused
    assert answer.error["code"] == "none"
    assert answer.message == "gone"
    with pytest.raises(Unserved, match="404: gone"):
        answer.json()
    with pytest.raises(Absent, match="header x-request-id"):
        answer.headers["x-request-id"]


@pytest.mark.parametrize("body", [b"gone", b'"gone"', b'{"error": "gone"}'])
def test_a_refusal_without_an_error_object_is_absent(target_at, body):
    with serving(lambda asked: Said(500, body)) as url:
        answer = target_at(url).get("/models")

    assert not answer.refused
    assert "gone" in answer.message
    with pytest.raises(Absent, match="error"):
        answer.error["message"]


def test_a_stream_is_read_to_its_terminator(target_at):
    parts = (b'data: {"a": [1]}\n', b"\ndata: [DONE]\n\ndata: {}\n\n")
    with serving(lambda asked: stream(*parts)) as url:
        answer = target_at(url).stream("/completions", prompt="hi")

    assert answer.chunks == [{"a": [1]}]
    assert [event.data for event in answer.events][1:] == ["[DONE]", "{}"]
    assert answer.raw == b"".join(parts)
    assert json.loads(answer.exchange.content) == {"stream": True, "prompt": "hi"}
    with pytest.raises(Absent, match=r"event 0\.a\[1\]"):
        answer.chunks[0]["a"][1]


def test_an_open_stream_that_is_refused_is_unserved(target_at):
    with (
        serving(lambda asked: refusal(400, "bad")) as url,
        target_at(url).open_stream("/completions") as opened,
        pytest.raises(Unserved, match="bad"),
    ):
        next(opened.arriving)


def test_what_answers_is_claimed(target_at):
    with serving(small_api) as url:
        claims = probe(target_at(url))

    assert claims.operations == {"createCompletion", "listModels", "retrieveModel"}
    assert claims.capabilities == {"auth"}


def test_a_control_page_is_claimed(target_at, spec):
    with serving(lambda asked: reply({})) as url:
        claims = probe(target_at(url))

    assert claims.operations == set(spec.operations)
    assert claims.capabilities == {"control"}


@pytest.mark.parametrize("status", [404, 405, 501])
def test_what_is_not_there_is_not_claimed(target_at, status):
    with serving(lambda asked: refusal(status, f"no {asked.path}")) as url:
        assert probe(target_at(url)) == Claims()


def test_nothing_is_claimed_by_garbage(target_at):
    with speaking(b"nonsense\r\n\r\n") as url:
        assert probe(target_at(url)) == Claims()


def test_claims_are_written_and_read(spec):
    claims = Claims(frozenset({"listModels"}), frozenset({"auth"}))

    assert from_yaml(to_yaml(claims), spec) == claims
    assert from_yaml("operations: [listModels]", spec).capabilities == frozenset()


@pytest.mark.parametrize(
    "text", ["operations: [nope]", "capabilities: x", "x: 1", "[", "- a", ""]
)
def test_claims_that_cannot_be_meant_are_refused(spec, text):
    with pytest.raises(ValueError, match="expected"):
        from_yaml(text, spec)


@pytest.mark.parametrize(
    ("listed", "chat", "completions"),
    [
        ([row["id"] for row in MODELS], "gpt-3.5-turbo", "text-davinci-003"),
        (["ada", "gpt-4"], "gpt-4", "ada"),
        (["llama"], "llama", "llama"),
        ([], "gpt-3.5-turbo", "text-davinci-003"),
    ],
    ids=["printed", "registry", "only one", "none"],
)
def test_models_are_chosen_from_what_is_listed(target_at, listed, chat, completions):
    data = [{"id": id} for id in listed]
    with serving(lambda asked: reply({"data": data})) as url:
        chosen = choose_models(target_at(url, models={"embeddings": "mine"}))

    assert chosen["chat"] == chat
    assert chosen["completions"] == completions
    assert chosen["embeddings"] == "mine"
    assert chosen["moderations"] == "text-moderation-latest"


@pytest.mark.parametrize("body", ["x", [], {"data": 3}, {"data": [1, {"id": 2}]}])
def test_a_strange_list_names_no_model(target_at, body):
    with serving(lambda asked: reply(body)) as url:
        assert choose_models(target_at(url))["chat"] == "gpt-3.5-turbo"
