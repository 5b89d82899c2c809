import pytest
from tiny_server import (
    Said,
    closed,
    refusal,
    reply,
    serving,
    small_api,
    speaking,
    stream,
)

from conformance.registry import Check
from conformance.runner import find_out, run
from conformance.target import Claims
from conformance.wire import Budget

ID = "completions.example"
GOOD = {"choices": [{"index": 0, "text": "a", "logprobs": None}]}


def looked(target, function, requires=()):
    (result,) = run(target, {ID: Check(ID, function, requires)})
    return result


def holding(target):
    target.call("createCompletion").json()
    yield from ()


def finding(target):
    target.call("createCompletion").json()
    yield "saw it"


def reading(*path):
    def check(target):
        value = target.call("createCompletion").json()
        for key in path:
            value = value[key]
        yield from ()

    return check


def asking_nothing(target):
    yield from ()


def dividing(target):
    target.get("/models")
    yield str(1 / 0)


def misspelt(target):
    target.get("/models")
    target.got("/models")
    yield ""


def miscalled(target):
    target.get("/models")
    target.get()
    yield ""


def finding_then_absent(target):
    yield "saw it"
    target.call("createCompletion").json()["nothing"]


def chunks(target):
    yield from (f"chunk {chunk}" for chunk in target.stream("/completions").chunks if 0)


@pytest.mark.parametrize(
    ("said", "check", "outcome", "words"),
    [
        (reply(GOOD), holding, "holds", None),
        (reply(GOOD), finding, "fails", "saw it"),
        (
            refusal(400, "bad"),
            holding,
            "fails",
            "a lawful request was answered 400: bad",
        ),
        (refusal(503), holding, "fails", "answered 503"),
        (Said(302, b"", {"Location": "/"}), holding, "fails", "answered 302"),
        (Said(200, b"<html>"), holding, "fails", "no JSON object: '<html>'"),
        (reply([1]), holding, "fails", "no JSON object"),
        (refusal(429, "slow down"), holding, "untestable", "slow down"),
        (reply(GOOD), reading("usage", "total"), "untestable", "no usage"),
        (reply(GOOD), reading("choices", 0, "logprobs", "t"), "untestable", "form"),
        (reply(GOOD), reading("choices", 0, "text", "t"), "untestable", "form"),
        (reply(GOOD), finding_then_absent, "fails", "saw it"),
        (reply(GOOD), asking_nothing, "broken check", "made no request"),
        (
            reply(GOOD),
            dividing,
            "broken check",
            "ZeroDivisionError: division by zero (t",
        ),
        (reply(GOOD), misspelt, "broken check", "got"),
        (reply(GOOD), miscalled, "broken check", "missing"),
        (reply(GOOD), chunks, "fails", "content type 'application/json'"),
        (refusal(400, "bad"), chunks, "fails", "answered 400"),
        (stream(b"data: {}\n\ndata: [DONE]\n\n"), chunks, "holds", None),
        (stream(b"data: {}\n\ndata: no\n\n"), chunks, "fails", "event 1 held no JSON"),
    ],
)
def test_what_was_seen_decides_the_outcome(target_at, said, check, outcome, words):
    with serving(lambda asked: said) as url:
        result = looked(target_at(url), check)

    told = [*result.findings, *filter(None, [result.reason])]
    assert result.outcome == outcome
    assert [words in one for one in told] == ([True] if words else [])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (b"nonsense\r\n\r\n", "connection failed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "connection failed"),
        (b"", "connection failed"),
        (None, "did not answer in time: POST /v1/completions"),
    ],
    ids=["garbage", "cut short", "silence", "hang"],
)
def test_a_server_that_does_not_answer_is_untestable(target_at, words, reason):
    with speaking(words) as url:
        result = looked(target_at(url, timeout=0.05), holding)

    assert result.outcome == "untestable"
    assert reason in result.reason


def test_a_refused_connection_is_untestable(target_at):
    result = looked(target_at(closed()), holding)

    assert result.outcome == "untestable"
    assert "connection failed" in result.reason


def test_a_spent_budget_is_untestable(target_at):
    result = looked(target_at("http://127.0.0.1:1/v1", Budget(requests=0)), holding)

    assert result.outcome == "untestable"
    assert "budget" in result.reason


def test_a_server_that_stays_silent_is_not_asked_for_ever(spec, target_at):
    ids = list(spec.operations["createCompletion"].fields)[:8]
    clauses = [
        c for c in spec.clauses.values() if c.operations == ("createCompletion",)
    ]
    checks = {c.id: Check(c.id, holding) for c in clauses[: len(ids)]}
    target = target_at(closed())

    results = list(run(target, checks))

    assert {result.outcome for result in results} == {"untestable"}
    assert target.tape.budget.asked == 5
    assert "stopped answering" in results[-1].reason


@pytest.mark.parametrize(
    ("claims", "outcome"),
    [
        (Claims(), "not claimed"),
        (Claims(frozenset({"createChatCompletion"})), "not claimed"),
        (Claims(frozenset({"createCompletion"})), "holds"),
    ],
)
def test_claims_decide_what_is_asked(target_at, claims, outcome):
    with serving(lambda asked: reply(GOOD)) as url:
        assert looked(target_at(url, claims=claims), holding).outcome == outcome


def test_a_capability_that_is_not_claimed_is_told(spec, target_at):
    claims = Claims(frozenset(spec.operations))
    check = Check("completions.prompt-default", holding)

    (result,) = run(target_at(closed(), claims=claims), {check.clause_id: check})

    assert result.outcome == "not claimed"
    assert result.reason == "the capability control is not claimed"


@pytest.mark.parametrize(
    ("requires", "deterministic", "outcome"),
    [
        (("deterministic",), False, "untestable"),
        (("deterministic",), True, "holds"),
        (("deterministic",), None, "holds"),
        (("control",), True, "untestable"),
    ],
)
def test_what_a_method_needs_is_asked_first(
    target_at, requires, deterministic, outcome
):
    claims = Claims(frozenset({"createCompletion"}))
    with serving(lambda asked: reply(GOOD)) as url:
        target = target_at(url, claims=claims, deterministic=deterministic)

        assert looked(target, holding, requires).outcome == outcome


def test_results_come_in_the_order_of_the_spec_and_are_told(spec, target_at):
    ids = ["completions.example", "api.client-libraries", "chat.example"]
    checks = {id: Check(id, holding) for id in (ids[0], ids[2])}
    told = []
    with serving(lambda asked: reply(GOOD)) as url:
        clauses = [spec.clauses[id] for id in ids]
        results = list(run(target_at(url), checks, told.append, clauses=clauses))

    assert [result.clause.id for result in results] == [ids[1], ids[2], ids[0]]
    assert results[0].outcome == "unobservable"
    assert told == results


def test_a_clause_that_nothing_observes_is_refused(spec, target_at):
    with pytest.raises(ValueError, match=r"completions\.example"):
        run(target_at(closed()), {}, clauses=[spec.clauses["completions.example"]])


def test_the_exchange_before_the_first_finding_tells(target_at):
    def third(target):
        for number in range(4):
            target.get(f"/models/{number}")
            if number == 2:
                yield "saw it"

    with serving(lambda asked: reply(GOOD)) as url:
        result = looked(target_at(url), third)

    assert result.telling.url.endswith("/models/2")


def test_exchanges_of_one_check_do_not_reach_another(target_at):
    with serving(lambda asked: reply(GOOD)) as url:
        target = target_at(url)
        first, second = looked(target, holding), looked(target, holding)

    assert len(first.exchanges) == len(second.exchanges) == 1
    assert target.tape.exchanges == []


@pytest.mark.parametrize(
    ("texts", "deterministic"), [("aaa", True), ("aba", False)], ids=["same", "other"]
)
def test_a_server_that_does_not_repeat_itself_is_found_out(
    target_at, texts, deterministic
):
    said = iter(texts)

    def answer(asked):
        if asked.method == "GET":
            return reply({"data": []})
        return reply({"choices": [{"message": {"content": next(said)}}]})

    with serving(answer) as url:
        assert find_out(target_at(url)).deterministic is deterministic


def test_what_cannot_be_found_out_is_noted(target_at):
    with serving(lambda asked: refusal(500)) as url:
        target = find_out(target_at(url))

    assert target.deterministic is None
    assert "could not be found out" in target.notes[0]


def test_a_text_completion_tells_of_determinism_too(target_at):
    with serving(small_api) as url:
        assert find_out(target_at(url)).deterministic is True
