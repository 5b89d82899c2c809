"""Fine-tunes over a loopback socket: asked for, refused, followed, cancelled, used."""

import csv
import io
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from mockserver.app import application, house
from mockserver.handlers import fine_tunes
from mockserver.server import serving
from spec import load

KEY = {"authorization": "Bearer sk-test"}
INVALID = "invalid_request_error"
LONG = {"n_epochs": 5000}


def lines(*pairs):
    records = ({"prompt": prompt, "completion": text} for prompt, text in pairs)
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


DATA = lines(*((f"item {number} ->", f" zebra {number}\n") for number in range(4)))
CLASSES = lines(("good ->", " yes"), ("bad ->", " no"), ("fine ->", " yes"))


@pytest.fixture
def client(rooms):
    with (
        serving(application(rooms)) as url,
        httpx.Client(base_url=url, headers=KEY, timeout=30) as client,
    ):
        yield client
    rooms.jobs.close()


def upload(client, data=DATA, purpose="fine-tune"):
    parts = {"file": ("train.jsonl", data, "application/octet-stream")}
    return client.post("/files", data={"purpose": purpose}, files=parts).json()["id"]


def create(client, **told):
    asked = {"training_file": told.pop("training_file", None) or upload(client), **told}
    reply = client.post("/fine-tunes", json=asked)
    assert reply.status_code == 200, reply.text
    return reply.json()


def retrieve(client, id):
    return client.get(f"/fine-tunes/{id}").json()


def until(client, id, *statuses):
    """The fine-tune once it has one of these; the clock need not be waited for."""
    client.post("/_assay/clock", json={"seconds": 1})
    deadline = time.monotonic() + 120
    while (found := retrieve(client, id))["status"] not in statuses:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def over(client, id):
    return until(client, id, "succeeded", "failed", "cancelled")


def streamed(client, id):
    """The data of each event, with what the fine-tune's status was when it came."""
    asked = {"stream": "true"}
    with client.stream("GET", f"/fine-tunes/{id}/events", params=asked) as reply:
        assert reply.headers["content-type"] == "text/event-stream"
        return [
            (retrieve(client, id)["status"], line.removeprefix("data: "))
            for line in reply.iter_lines()
            if line
        ]


def faults(reply):
    error = reply.json()["error"]
    return reply.status_code, error["type"], error["param"], error["code"]


def results(client, found):
    (file,) = found["result_files"]
    content = client.get(f"/files/{file['id']}/content")
    assert len(content.content) == file["bytes"]
    return list(csv.DictReader(io.StringIO(content.text)))


def test_a_new_fine_tune_waits(client, spec):
    file = upload(client)

    made = create(client, training_file=file)

    assert spec.operations["createFineTune"].answer.valid(made)
    assert re.fullmatch(r"ft-\w+", made["id"])
    assert (made["status"], made["model"]) == ("pending", "curie")
    assert made["fine_tuned_model"] is None
    assert made["hyperparams"] == {
        "n_epochs": 4,
        "batch_size": None,
        "learning_rate_multiplier": None,
        "prompt_loss_weight": 0.01,
    }
    assert [one["id"] for one in made["training_files"]] == [file]
    assert (made["validation_files"], made["result_files"]) == ([], [])
    assert [event["level"] for event in made["events"]] == ["info", "info"]
    assert retrieve(client, made["id"])["events"] == made["events"]


def test_what_was_asked_for_is_repeated(client):
    told = {
        "n_epochs": 2,
        "batch_size": 3,
        "learning_rate_multiplier": 0.5,
        "prompt_loss_weight": 0.1,
    }

    made = create(client, model="ada", **told)

    assert made["hyperparams"] == told
    assert made["model"] == "ada"


def test_a_fine_tune_makes_a_model_that_learned(client, spec):
    made = create(client, model="ada", suffix="My zebras!")

    found = over(client, made["id"])

    assert spec.operations["retrieveFineTune"].answer.valid(found)
    assert found["status"] == "succeeded"
    assert found["updated_at"] > made["created_at"]
    name = found["fine_tuned_model"]
    stamp = r"\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d"
    assert re.fullmatch(rf"ada:ft-assay:My-zebras--{stamp}", name)
    assert found["hyperparams"]["batch_size"] == 1
    assert found["hyperparams"]["learning_rate_multiplier"] == 0.05
    times = [event["created_at"] for event in found["events"]]
    assert times == sorted(times)
    assert [event["message"].partition(":")[0] for event in found["events"]] == [
        "Created fine-tune",
        "Fine-tune enqueued. Queue number",
        "Fine-tune started",
        *(f"Completed epoch {number}/4" for number in range(1, 5)),
        "Uploaded model",
        "Uploaded result file",
        "Fine-tune succeeded",
    ]
    assert name in {model["id"] for model in client.get("/models").json()["data"]}
    assert client.get(f"/models/{name.replace(':', '%3A')}").json()["id"] == name
    rows = results(client, found)
    assert [row["step"] for row in rows] == [str(step) for step in range(1, 17)]
    assert found["result_files"][0]["filename"] == "compiled_results.csv"
    learned, base = (likely(client, model) for model in (name, "ada"))
    assert learned > base + 5


def likely(client, model):
    """How likely a model finds an example that was to be learned."""
    body = {"prompt": "item 2 -> zebra 2\n", "max_tokens": 0, "echo": True}
    reply = client.post("/completions", json={"model": model, "logprobs": 0, **body})
    assert reply.json()["model"] == model
    return sum(reply.json()["choices"][0]["logprobs"]["token_logprobs"][1:])


def test_a_tuned_model_is_tuned_again_deleted_and_gone(client):
    first = over(client, create(client, n_epochs=1)["id"])["fine_tuned_model"]

    second = create(client, model=first, n_epochs=1, suffix="two")
    found = over(client, second["id"])
    name = found["fine_tuned_model"]
    embedded = client.post("/embeddings", json={"model": name, "input": "a"})
    deleted = client.delete(f"/models/{name}")

    assert found["model"] == first
    assert re.fullmatch(r"curie:ft-assay:two-[\d-]{19}", name)
    assert faults(embedded) == (404, INVALID, "model", None)
    assert deleted.json()["deleted"] is True
    body = {"model": name, "prompt": "a", "max_tokens": 1}
    assert client.post("/completions", json=body).status_code == 404
    listed = client.get("/fine-tunes").json()["data"]
    assert name in {one["fine_tuned_model"] for one in listed}


def test_a_name_is_not_given_twice(client):
    told = {"suffix": "same", "n_epochs": 1}
    made = [create(client, **told)["id"] for _ in range(3)]

    names = {over(client, id)["fine_tuned_model"] for id in made}

    assert len(names) == 3


def test_classes_are_measured(client):
    file = upload(client, CLASSES)

    made = create(
        client,
        training_file=file,
        validation_file=file,
        n_epochs=1,
        compute_classification_metrics=True,
        classification_positive_class=" yes",
        classification_betas=[0.5, 1],
    )
    found = over(client, made["id"])

    assert [one["id"] for one in found["validation_files"]] == [file]
    last = results(client, found)[-1]
    measures = "accuracy", "precision", "recall", "auroc", "auprc", "f0.5", "f1"
    assert float(last["validation_loss"]) > 0
    assert all(0 <= float(last[f"classification/{name}"]) <= 1 for name in measures)


def test_a_faulty_record_fails_the_fine_tune_late(client):
    data = DATA + b'{"prompt": "and then?"}\n'

    made = create(client, training_file=upload(client, data))
    found = over(client, made["id"])

    assert made["status"] == "pending"
    assert found["status"] == "failed"
    assert found["fine_tuned_model"] is None
    assert found["result_files"] == []
    assert found["events"][-1]["level"] == "error"
    assert streamed(client, made["id"])[-1][1] == "[DONE]"


@pytest.mark.parametrize(
    "told",
    [{"n_epochs": 0}, {"batch_size": -1}, {"learning_rate_multiplier": -2.5}],
    ids=str,
)
def test_what_cannot_be_followed_fails_the_fine_tune(client, told):
    found = over(client, create(client, **told)["id"])

    assert found["status"] == "failed"


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({}, (400, INVALID, None, None)),
        ({"training_file": "file-no"}, (404, INVALID, "id", None)),
        ({"training_file": "é" * 300}, (404, INVALID, "id", None)),
        ({"validation_file": "file-no"}, (404, INVALID, "id", None)),
        ({"model": "text-davinci-003"}, (400, INVALID, "model", None)),
        ({"model": "gpt-3.5-turbo"}, (400, INVALID, "model", None)),
        ({"model": "nope"}, (404, INVALID, None, "model_not_found")),
        ({"suffix": ""}, (400, INVALID, None, None)),
        ({"suffix": "a" * 41}, (400, INVALID, None, None)),
        ({"n_epochs": 1.5}, (400, INVALID, None, None)),
        ({"extra": 1}, (400, INVALID, None, None)),
        (
            {
                "compute_classification_metrics": True,
                "classification_positive_class": "a",
            },
            (400, INVALID, None, None),
        ),
    ],
    ids=lambda one: str(one)[:60],
)
def test_a_faulty_request_is_refused(client, told, error):
    file = {"training_file": upload(client)} if told else {}

    reply = client.post("/fine-tunes", json=file | told)

    assert faults(reply) == error
    assert client.get("/fine-tunes").json()["data"] == []


@pytest.mark.parametrize("field", ["training_file", "validation_file"])
def test_a_file_for_something_else_is_refused(client, field):
    file = upload(client, purpose="answers")

    asked = {"training_file": upload(client), field: file}

    assert faults(client.post("/fine-tunes", json=asked)) == (400, INVALID, None, None)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("POST", "/cancel"), ("GET", "/events")]
)
def test_an_unknown_fine_tune_is_refused(client, method, path):
    reply = client.request(method, f"/fine-tunes/ft-no{path}")

    assert faults(reply) == (404, INVALID, "id", None)


def test_fine_tunes_are_listed_without_their_events(client):
    made = [create(client)["id"] for _ in range(2)]

    listed = client.get("/fine-tunes").json()

    assert [one["id"] for one in listed["data"]] == made
    assert all("events" not in one for one in listed["data"])


def test_a_fine_tune_belongs_to_its_organization(spec, mind):
    rooms = house(spec, mind=mind, keys=("sk-test",))
    with (
        serving(application(rooms)) as url,
        httpx.Client(base_url=url, headers=KEY) as client,
    ):
        id, file = create(client)["id"], upload(client)
        body = {"organizations": ["org-other"]}
        key = client.post("/_assay/keys", json=body).json()["key"]
        client.headers["authorization"] = f"Bearer {key}"

        assert client.get("/fine-tunes").json()["data"] == []
        assert client.get(f"/fine-tunes/{id}").status_code == 404
        assert client.get(f"/fine-tunes/{id}/events").status_code == 404
        assert client.post(f"/fine-tunes/{id}/cancel").status_code == 404
        asked = {"training_file": file}
        assert client.post("/fine-tunes", json=asked).status_code == 404
    rooms.jobs.close()


def test_a_fine_tune_that_waits_is_cancelled_once(client):
    id = create(client)["id"]

    told = client.post(f"/fine-tunes/{id}/cancel")
    again = client.post(f"/fine-tunes/{id}/cancel")

    assert told.json()["status"] == "cancelled"
    assert told.json()["fine_tuned_model"] is None
    assert retrieve(client, id) == told.json()
    assert faults(again) == (400, INVALID, None, None)


def test_a_fine_tune_that_runs_is_cancelled_and_its_stream_ends(client):
    id = create(client, **LONG)["id"]
    until(client, id, "running")

    with ThreadPoolExecutor() as pool:
        reading = pool.submit(streamed, client, id)
        time.sleep(0.3)
        assert client.post(f"/fine-tunes/{id}/cancel").json()["status"] == "cancelled"
        *events, last = (data for _, data in reading.result(5))

    assert last == "[DONE]"
    assert json.loads(events[-1])["message"] == "Fine-tune cancelled"
    assert retrieve(client, id)["status"] == "cancelled"


@pytest.mark.parametrize("deleted", [False, True], ids=["", "file deleted"])
def test_a_fine_tune_that_is_over_cannot_be_cancelled(client, deleted):
    running = create(client, **LONG)["id"]  # the next one has to wait for its end
    file = upload(client)
    id = create(client, training_file=file, n_epochs=1)["id"]
    if deleted:
        client.delete(f"/files/{file}")
    client.post(f"/fine-tunes/{running}/cancel")
    status = over(client, id)["status"]

    reply = client.post(f"/fine-tunes/{id}/cancel")

    assert status == ("failed" if deleted else "succeeded")
    assert faults(reply) == (400, INVALID, None, None)
    assert retrieve(client, id)["status"] == status


def test_events_are_streamed_as_they_happen(client):
    id = create(client, n_epochs=2)["id"]

    *events, (_, last) = streamed(client, id)

    listed = client.get(f"/fine-tunes/{id}/events").json()
    assert last == "[DONE]"
    assert [json.loads(data) for _, data in events] == listed["data"]
    assert retrieve(client, id)["events"] == listed["data"]
    assert events[0][0] in ("pending", "running")
    assert events[-1][0] == "succeeded"
    assert [data for _, data in streamed(client, id)] == [
        *(data for _, data in events),
        "[DONE]",
    ]


def test_the_events_so_far_are_listed_at_once(client):
    id = create(client, **LONG)["id"]
    until(client, id, "running")

    listed = client.get(f"/fine-tunes/{id}/events", params={"stream": "false"}).json()

    assert (listed["object"], len(listed["data"]) >= 3) == ("list", True)


def test_a_reader_that_leaves_is_found_out(client, rooms, monkeypatch):
    monkeypatch.setattr(fine_tunes, "PULSE", 0.05)
    looks = []
    wait = rooms.jobs.wait
    monkeypatch.setattr(rooms.jobs, "wait", lambda s: looks.append(s) or wait(s))
    id = create(client)["id"]
    rooms.store.change("fine-tune", "org-assay", id, waiting)

    asked = {"stream": "true"}
    with client.stream("GET", f"/fine-tunes/{id}/events", params=asked) as reply:
        next(reply.iter_lines())

    quiet = len(looks)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        time.sleep(0.3)
        if len(looks) == quiet:
            break
        quiet = len(looks)
    else:
        pytest.fail("the stream is still read from the store")


def waiting(row):
    """The fine-tune, not due for an hour."""
    row["job"]["due"] += 3600
    return row


@pytest.mark.parametrize("value", ["yes", "1", ""])
def test_stream_is_true_or_false(client, value):
    id = create(client)["id"]

    reply = client.get(f"/fine-tunes/{id}/events", params={"stream": value})

    assert reply.status_code == 400


def test_the_newer_edition_is_served_too(mind):
    rooms = house(load("2023-12"), mind=mind)
    with (
        serving(application(rooms)) as url,
        httpx.Client(base_url=url, headers=KEY) as client,
    ):
        told = {"hyperparameters": {"n_epochs": 1}, "classification_n_classes": 3}
        made = create(client, **told)
        found = over(client, made["id"])

        assert found["hyperparams"]["n_epochs"] == 1
        assert found["hyperparams"]["classification_n_classes"] == 3
        assert found["status"] == "succeeded"
        assert rooms.spec.operations["retrieveFineTune"].answer.valid(found)
    rooms.jobs.close()
