"""At least ten wrong inputs to every operation, and exactly how each is refused."""

import io

import httpx
import pytest
from PIL import Image

from conformance.recording import recording
from mockserver.app import application, house
from spec import load

INVALID = "invalid_request_error"
FAULTY = (400, INVALID, None, None)
NO_KEY = (401, INVALID, None, None)
NO_MODEL = (404, INVALID, None, "model_not_found")
NO_FILE = (404, INVALID, "id", None)
NO_URL = (404, INVALID, None, None)
NO_METHOD = (405, INVALID, None, None)
KEY = {"authorization": "Bearer sk-test"}

EVERYWHERE = {
    "no key": ({}, NO_KEY),
    "an empty header": ({"authorization": ""}, NO_KEY),
    "no key behind the scheme": ({"authorization": "Bearer "}, NO_KEY),
    "another scheme": ({"authorization": "Basic c2stdGVzdA=="}, NO_KEY),
    "a key without a scheme": ({"authorization": "sk-test"}, NO_KEY),
    "another organization": (
        {**KEY, "openai-organization": "org-nobody"},
        (401, INVALID, None, "invalid_organization"),
    ),
}
"""Headers that no operation takes."""


def picture(side=(64, 64), mode="RGBA", kind="PNG"):
    file = io.BytesIO()
    Image.new(mode, side).save(file, kind)
    return file.getvalue()


PNG, LINE = picture(), b'{"prompt": "a", "completion": "b"}\n'
RIGHT = {
    "createCompletion": {"model": "text-davinci-003", "prompt": "a"},
    "createChatCompletion": {
        "model": "gpt-3.5-turbo",
        "messages": [{"role": "user", "content": "a"}],
    },
    "createEdit": {"model": "text-davinci-edit-001", "instruction": "a"},
    "createEmbedding": {"model": "text-embedding-ada-002", "input": "a"},
    "createModeration": {"input": "a"},
    "createImage": {"prompt": "a", "size": "256x256"},
    "createImageEdit": {"image": (PNG, "a.png"), "prompt": "a", "size": "256x256"},
    "createImageVariation": {"image": (PNG, "a.png"), "size": "256x256"},
    "createTranscription": {
        "file": (recording("wav")["data"], "a.wav"),
        "model": "whisper-1",
    },
    "createFile": {"file": (LINE, "a.jsonl"), "purpose": "fine-tune"},
}
RIGHT["createTranslation"] = RIGHT["createTranscription"]
"""A request that is served, for each operation with a body."""

COUNTS = {
    "n of 0": {"n": 0},
    "a fraction of n": {"n": 1.5},
    "n as a word": {"n": "many"},
}
SAMPLING = {
    "a cold temperature": {"temperature": -0.1},
    "a hot temperature": {"temperature": 2.1},
    "top_p above 1": {"top_p": 1.1},
    "top_p as a list": {"top_p": [1]},
}
IMAGES = {
    "n of 11": {"n": "11"},
    "another size": {"size": "300x300"},
    "another format": {"response_format": "png"},
    "an unknown field": {"quality": "hd"},
}
UPLOADED = {
    "no image": {"image": ...},
    "an image as a text": {"image": "a.png"},
    "a JPEG": {"image": (picture(mode="RGB", kind="JPEG"), "a.png")},
    "half an image": {"image": (PNG[:60], "a.png")},
    "an oblong": {"image": (picture((64, 32)), "a.png")},
    "4 MB": {"image": (PNG + bytes(4 * 2**20), "a.png")},
}
HEARD = {
    "no file": {"file": ...},
    "a file as a text": {"file": "a.wav"},
    "a text in a file": {"file": (b"la la la", "a.txt")},
    "half a sound": {"file": (b"fLaC" + bytes(40), "a.flac")},
    "no model": {"model": ...},
    "another format": {"response_format": "csv"},
    "a cold temperature": {"temperature": "-1"},
    "a temperature as a word": {"temperature": "warm"},
    "an unknown field": {"voice": "alloy"},
}
WRONG = {
    "createCompletion": {
        **COUNTS,
        **SAMPLING,
        "no model": {"model": ...},
        "max_tokens of -1": {"max_tokens": -1},
        "logprobs of 6": {"logprobs": 6},
        "5 stop texts": {"stop": ["a", "b", "c", "d", "e"]},
        "best_of below n": {"n": 3, "best_of": 2},
    },
    "createChatCompletion": {
        **COUNTS,
        **SAMPLING,
        "no messages": {"messages": []},
        "another role": {"messages": [{"role": "oracle", "content": "a"}]},
        "a message without content": {"messages": [{"role": "user"}]},
        "messages as a text": {"messages": "a"},
    },
    "createEdit": {
        **COUNTS,
        **SAMPLING,
        "n of 21": {"n": 21},
        "no model": {"model": ...},
        "no instruction": {"instruction": ...},
        "an input as a list": {"input": ["a"]},
        "max_tokens": {"max_tokens": 5},
    },
    "createEmbedding": {
        "no input": {"input": ...},
        "an empty input": {"input": ""},
        "an empty list": {"input": []},
        "an empty text in a list": {"input": ["a", ""]},
        "an input as a number": {"input": 5},
        "dimensions": {"dimensions": 8},
    },
    "createModeration": {
        "no input": {"input": ...},
        "an input as a number": {"input": 5},
        "an input of numbers": {"input": [1, 2]},
        "a model as a list": {"model": ["a"]},
        "an unknown field": {"threshold": 1},
    },
    "createImage": {
        **COUNTS,
        **IMAGES,
        "no prompt": {"prompt": ...},
        "1,001 characters": {"prompt": "a" * 1001},
    },
    "createImageEdit": {
        **IMAGES,
        **UPLOADED,
        "no prompt": {"prompt": ...},
        "a mask of another size": {"mask": (picture((32, 32)), "b.png")},
    },
    "createImageVariation": {**IMAGES, **UPLOADED, "a prompt": {"prompt": "a"}},
    "createTranscription": {**HEARD, "another language": {"language": "english"}},
    "createTranslation": {**HEARD, "a language": {"language": "en"}},
    "createFile": {
        "no file": {"file": ...},
        "a file as a text": {"file": "a"},
        "no purpose": {"purpose": ...},
        "another purpose": {"purpose": "holiday"},
        "lines that are no JSON": {"file": (b"a\nb\n", "a.jsonl")},
        "an unknown field": {"name": "a"},
    },
}
"""Changes of a right request; ``...`` takes a field away."""
ASKED_BY_NAME = {
    "retrieveModel": ("/models/nobody", NO_MODEL),
    "deleteModel": ("/models/nobody", NO_MODEL),
    "retrieveEngine": ("/engines/nobody", NO_MODEL),
    "retrieveFile": ("/files/nobody", NO_FILE),
    "deleteFile": ("/files/nobody", NO_FILE),
    "downloadFile": ("/files/nobody/content", NO_FILE),
}
"""What is not there."""


@pytest.fixture(scope="module")
def client(mind):
    """In this process: a refusal that comes before the body is read is heard."""
    app = application(house(load("2023-04"), mind=mind, seed=1))
    transport = httpx.WSGITransport(app)
    with httpx.Client(transport=transport, base_url="http://mock") as client:
        yield client


SPEC = load("2023-04")
OPERATIONS = {one.id: one for one in SPEC.operations.values() if not one.capability}


def path(operation):
    return "/v1" + operation.filled(operation.sample.get("path", {}))


def refused(reply):
    error = reply.json()["error"]
    assert error["message"]
    return (reply.status_code, error["type"], error["param"], error["code"])


def sent(client, id, changes):
    """The answer to a right request with changes, as a form where it has to be one."""
    operation = OPERATIONS[id]
    whole = {**RIGHT[id], **changes}
    body = {name: value for name, value in whole.items() if value is not ...}
    if operation.media_type == "application/json":
        return client.post(path(operation), json=body, headers=KEY)
    form = {
        name: value[::-1] if isinstance(value, tuple) else (None, value)
        for name, value in body.items()
    }
    return client.post(path(operation), files=form, headers=KEY)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize(("headers", "error"), EVERYWHERE.values(), ids=EVERYWHERE)
def test_who_asks_must_say_so(client, operation, headers, error):
    reply = client.request(operation.method, path(operation), headers=headers)

    assert refused(reply) == error


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_another_method_is_not_allowed(client, operation, method):
    reply = client.request(method, path(operation), headers=KEY)

    assert refused(reply) == NO_METHOD


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize("change", ["{}/", "{}/more/of/it", "/v2{}"])
def test_a_path_beside_it_is_not_found(client, operation, change):
    beside = change.format(path(operation))

    reply = client.request(operation.method, beside, headers=KEY)

    assert refused(reply) == NO_URL


@pytest.mark.parametrize("id", RIGHT)
def test_what_is_right_is_served(client, id):
    assert sent(client, id, {}).status_code == 200


@pytest.mark.parametrize(
    ("id", "changes"),
    [
        pytest.param(id, one, id=f"{id}: {name}")
        for id, rows in WRONG.items()
        for name, one in rows.items()
    ],
)
def test_what_is_wrong_is_refused(client, id, changes):
    assert refused(sent(client, id, changes)) == FAULTY


@pytest.mark.parametrize("id", [id for id in RIGHT if "model" in RIGHT[id]])
@pytest.mark.parametrize("model", ["nobody", "", "ada\0"])
def test_an_unknown_model_is_not_found(client, id, model):
    assert refused(sent(client, id, {"model": model})) == NO_MODEL


@pytest.mark.parametrize(("id", "asked"), list(ASKED_BY_NAME.items()))
def test_what_is_not_there_is_not_found(client, id, asked):
    place, error = asked

    reply = client.request(OPERATIONS[id].method, f"/v1{place}", headers=KEY)

    assert refused(reply) == error


def test_nothing_with_a_body_is_left_out():
    """Fine-tunes have a table of their own."""
    asked = {one.id for one in OPERATIONS.values() if one.body}

    assert {*RIGHT} == {*WRONG} == asked - {"createFineTune"}
