"""State that several servers on one store share."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from mockserver.app import application, house

KEY = {"authorization": "Bearer sk-test"}
LINE = b'{"prompt": "a ->", "completion": " b"}\n'
HOUR, MB = 3600, 10**6
EMBED = {"model": "text-embedding-ada-002", "input": "Once upon a time", "user": "ann"}
COMPLETE = {"model": "ada", "prompt": "Once", "max_tokens": 8, "user": "ann"}
PICTURE = {"prompt": "An otter", "size": "256x256"}


def client(app):
    transport = httpx.WSGITransport(app, raise_app_exceptions=False)
    return httpx.Client(transport=transport, base_url="http://mock/v1", headers=KEY)


@pytest.fixture
def pair(spec, mind, shared):
    """Clients of two servers on one store."""
    made = [house(spec, mind=mind, store=shared) for _ in range(2)]
    yield [client(application(rooms)) for rooms in made]
    for rooms in made:
        rooms.store.database.close()


def told(reply, status=200):
    assert reply.status_code == status, reply.text
    return reply.json()


def upload(client, data=LINE):
    parts = {"file": ("a.jsonl", data), "purpose": (None, "fine-tune")}
    return client.post("/files", files=parts)


def say(client, page, **asked):
    return told(client.post(f"/_assay/{page}", json=asked))


def counters(client):
    return told(client.get("/_assay/counters"))


def test_a_file_of_one_is_read_and_deleted_at_the_other(pair):
    one, other = pair

    id = told(upload(one, LINE * 3))["id"]

    assert other.get(f"/files/{id}/content").content == LINE * 3
    assert told(other.get("/files")) == told(one.get("/files"))
    told(other.delete(f"/files/{id}"))
    assert one.get(f"/files/{id}").status_code == 404


def test_a_picture_of_one_is_shown_by_the_other(pair):
    one, other = pair

    (entry,) = told(one.post("/images/generations", json=PICTURE))["data"]

    shown = [each.get(entry["url"]) for each in pair]
    assert shown[0].content == shown[1].content
    assert shown[1].headers["content-type"] == "image/png"
    say(other, "clock", seconds=HOUR)
    assert [each.get(entry["url"]).status_code for each in pair] == [404, 404]


def test_both_count_into_the_same_usage(pair):
    with ThreadPoolExecutor(8) as pool:
        replies = list(
            pool.map(lambda n: pair[n % 2].post("/embeddings", json=EMBED), range(40))
        )

    used = sum(told(reply)["usage"]["prompt_tokens"] for reply in replies)
    one, other = map(counters, pair)
    assert one == other
    assert one["usage"] == {"prompt_tokens": used, "completion_tokens": 0}
    assert (other["users"], other["user_requests"]) == ({"ann": used}, {"ann": 40})


@pytest.mark.parametrize(
    ("limit", "error"),
    [
        ({"requests": 5}, "requests"),
        ({"user_requests": 5}, "requests"),
        ({"tokens": 1}, "tokens"),
        ({"quota": 1}, "insufficient_quota"),
    ],
    ids=["requests", "user_requests", "tokens", "quota"],
)
def test_a_limit_that_one_was_told_is_felt_at_both(pair, limit, error):
    one, other = pair
    say(one, "limits", **limit)

    with ThreadPoolExecutor(4) as pool:
        replies = list(
            pool.map(lambda n: pair[n % 2].post("/embeddings", json=EMBED), range(12))
        )
    last = other.post("/embeddings", json=EMBED)

    served = sum(reply.status_code == 200 for reply in replies)
    assert served == 5 if 5 in limit.values() else 1 <= served <= 4
    assert told(last, 429)["error"]["type"] == error
    say(other, "limits")
    assert one.post("/embeddings", json=EMBED).status_code == 200


def test_a_key_of_one_is_known_and_revoked_at_the_other(pair):
    one, other = pair
    key = say(one, "keys", organizations=["org-b", "org-c"], role="reader")["key"]
    mine = {"authorization": f"Bearer {key}", "openai-organization": "org-c"}

    reply = other.get("/models", headers=mine)
    say(other, "revocations", key=key)

    assert told(reply)
    assert reply.headers["openai-organization"] == "org-c"
    assert one.get("/models", headers=mine).status_code == 401


def test_a_clock_that_one_moves_is_the_others_too(pair):
    one, other = pair

    moved = say(one, "clock", seconds=400 * 24 * HOUR)

    assert say(other, "clock", seconds=0)["today"] == moved["today"]
    assert other.get("/models/text-davinci-003").status_code == 404


def test_what_one_was_told_to_say_the_other_says_once(pair):
    one, other = pair
    say(one, "script", texts=[" first", " second"])

    texts = [
        told(each.post("/completions", json=COMPLETE))["choices"][0]["text"]
        for each in (other, one)
    ]

    assert texts == [" first", " second"]


def test_a_fault_that_one_was_told_meets_one_request_of_the_other(pair):
    one, other = pair
    say(one, "fault", refusal="overloaded")

    codes = [each.get("/models").status_code for each in (other, one, other)]

    assert codes == [503, 200, 200]


def test_a_stream_of_the_other_meets_the_fault_on_its_way(pair):
    one, other = pair
    say(one, "fault", refusal="overloaded", after=1)

    broken, whole = (
        each.post("/completions", json={**COMPLETE, "stream": True}).text
        for each in (other, one)
    )

    assert '"error"' in broken
    assert whole.endswith("data: [DONE]\n\n")
    assert '"error"' not in whole


def test_a_policy_that_one_was_told_binds_the_other(pair):
    one, other = pair
    say(one, "policy", prompt_tokens=2, blocked=["x"])

    assert told(other.post("/completions", json=COMPLETE | {"prompt": [5] * 3}), 400)
    say(other, "policy")
    assert told(one.post("/completions", json=COMPLETE))


def test_the_prompt_that_one_saw_the_other_tells(pair):
    one, other = pair

    told(one.post("/completions", json=COMPLETE | {"prompt": [5, 6, 7]}))

    assert counters(other)["prompt"]["tokens"] == [5, 6, 7]


def test_uploads_at_once_at_both_do_not_exceed_the_total(pair):
    weight = 100  # so that 1 GB is 10 MB
    say(pair[0], "limits", file_weight=weight)
    data = LINE + b" " * (2 * MB)

    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(lambda n: upload(pair[n % 2], data), range(9)))

    codes = sorted(reply.status_code for reply in replies)
    kept = told(pair[1].get("/files"))["data"]
    assert codes == [200] * 4 + [400] * 5
    assert sum(file["bytes"] for file in kept) * weight <= 1000 * MB
    assert len(kept) == 4


def test_a_server_of_a_seed_makes_new_ids_where_the_old_ones_last(spec, mind, shared):
    made = []
    for _ in range(2):
        rooms = house(spec, mind=mind, store=shared, seed=1)
        made.append(told(upload(client(application(rooms))))["id"])
        rooms.store.database.close()

    assert made[0] != made[1]
