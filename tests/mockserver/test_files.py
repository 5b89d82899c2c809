"""Files over a loopback socket: as they went in, so they come out."""

import hashlib
import itertools
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from mockserver.app import application, house
from mockserver.server import serving
from spec import load

KEY = {"authorization": "Bearer sk-test"}
LINE = b'{"prompt": "a ->", "completion": " b"}\n'
MB = 1 << 20
INVALID = "invalid_request_error"


@pytest.fixture
def client(rooms):
    with (
        serving(application(rooms)) as url,
        httpx.Client(base_url=url, headers=KEY, timeout=30) as client,
    ):
        yield client


def upload(client, data=LINE, name="train.jsonl", purpose="fine-tune"):
    parts = {"file": (name, data, "application/octet-stream")}
    return client.post("/files", data={"purpose": purpose}, files=parts)


def content(client, id):
    return client.get(f"/files/{id}/content")


def faults(reply):
    error = reply.json()["error"]
    return reply.status_code, error["type"], error["param"], error["code"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a",
        b"\r\n--\r\n\r\n",
        bytes(range(256)) * 99,
        b"\n" * 3 * MB,
        b"-" * MB,
        b"\0" * 20 * MB,
    ],
    ids=["none", "one", "like a boundary", "every", "line feeds", "a MB", "20 MB"],
)
def test_bytes_come_back_as_they_were_sent(client, data):
    made = upload(client, data, purpose="answers").json()

    back = content(client, made["id"])

    assert made["bytes"] == len(data)
    assert back.content == data
    assert back.headers["content-length"] == str(len(data))
    assert back.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    "name",
    [
        "données 训练 \N{OTTER}.jsonl",
        "../../etc/passwd",
        "C:\\data\\train.jsonl",
        "\\\\share\\train.jsonl",
        'a "quoted" name; filename=b',
        "a" * 3000,
        " ",
    ],
)
def test_a_name_is_kept_and_is_no_path(client, name):
    made = upload(client, name=name).json()

    told = client.get(f"/files/{made['id']}").json()["filename"]
    header = content(client, made["id"]).headers["content-disposition"]

    assert made["filename"] == told == name
    assert header.isascii()
    assert len(header) < 1000


def test_a_file_without_a_name_is_a_text_and_refused(client):
    parts = {"file": (None, LINE), "purpose": (None, "fine-tune")}

    reply = client.post("/files", files=parts)

    assert faults(reply) == (400, INVALID, None, None)


def test_parts_come_in_any_order_and_type(client):
    for kind in ("text/plain", "application/json", ""):
        file = ("file", ("a.jsonl", LINE, kind))
        purpose = ("purpose", (None, "fine-tune"))

        replies = [
            client.post("/files", files=parts)
            for parts in ([file, purpose], [purpose, file])
        ]

        assert [reply.status_code for reply in replies] == [200, 200]


def test_the_same_file_twice_is_two_files(client):
    first, second = (upload(client).json()["id"] for _ in range(2))

    client.delete(f"/files/{first}")

    assert first != second
    assert content(client, first).status_code == 404
    assert content(client, second).content == LINE


def test_of_a_part_that_comes_twice_the_first_counts(client):
    parts = [
        ("purpose", (None, "fine-tune")),
        ("purpose", (None, "gardening")),
        ("file", ("a.jsonl", LINE)),
        ("file", ("b.jsonl", b"no lines")),
    ]

    made = client.post("/files", files=parts).json()

    assert (made["filename"], made["bytes"]) == ("a.jsonl", len(LINE))


FORM = b'--x\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nanswers\r\n'
FILE = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
BROKEN = {
    "nothing": b"",
    "no boundary": b"purpose=answers",
    "another boundary": (FORM + FILE + b"a\r\n--x--").replace(b"--x", b"--y"),
    "cut in a head": FORM + FILE[:40],
    "cut in the file": FORM + FILE + b"half of",
    "no end": FORM + FILE + b"a\r\n--x\r\n",
    "no name": FORM + FILE.replace(b' name="file";', b"") + b"a\r\n--x--\r\n",
    "no disposition": FORM + b"--x\r\ncontent-type: text/plain\r\n\r\na\r\n--x--\r\n",
    "no UTF-8 in a head": FORM + FILE.replace(b'"a"', b'"\xff"') + b"a\r\n--x--\r\n",
    "a head of a MB": FORM + FILE[:-4] + b"a" * MB,
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("boundary", ["; boundary=x", ""], ids=["named", "unnamed"])
def test_a_broken_form_is_refused_and_the_next_one_served(client, raw, boundary):
    headers = {"content-type": f"multipart/form-data{boundary}"}

    reply = client.post("/files", content=raw, headers=headers)

    assert faults(reply) == (400, INVALID, None, None)
    assert upload(client).status_code == 200
    assert len(client.get("/files").json()["data"]) == 1


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"purpose": (None, "fine-tune")}, "'file' is a required property"),
        ({"file": ("a", LINE)}, "'purpose' is a required property"),
        ({"purpose": ("a", b"fine-tune"), "file": ("a", LINE)}, "not of type 'string'"),
        (
            {"purpose": (None, "answers"), "file": ("a", LINE), "n": (None, "1")},
            "Unrecognized request argument supplied: n",
        ),
    ],
    ids=["file", "purpose", "purpose in a file", "more"],
)
def test_a_form_with_the_wrong_parts_is_told_what_is_wrong(client, parts, words):
    reply = client.post("/files", files=parts)

    assert faults(reply) == (400, INVALID, None, None)
    assert words in reply.json()["error"]["message"]


@pytest.mark.parametrize("count", [1, 1001])
def test_a_form_with_too_much_text_or_too_many_parts_is_refused(client, count):
    text = "a" * (17 * MB // count)

    reply = client.post("/files", files=[("purpose", (None, text))] * count)

    assert faults(reply) == (413, INVALID, None, None)
    assert upload(client).status_code == 200


def test_who_reads_a_file_that_is_deleted_is_not_left_waiting(client):
    id = upload(client, b"a" * 64 * MB, purpose="answers").json()["id"]

    with client.stream("GET", f"/files/{id}/content") as reply:
        pieces = reply.iter_raw()
        next(pieces)
        assert client.delete(f"/files/{id}").status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            list(pieces)

    assert content(client, id).status_code == 404


def test_who_hangs_up_does_no_harm(client):
    id = upload(client, b"a" * 20 * MB, purpose="answers").json()["id"]

    with client.stream("GET", f"/files/{id}/content") as reply:
        next(reply.iter_raw())

    assert len(content(client, id).content) == 20 * MB


def test_files_go_in_and_out_side_by_side(client):
    def there_and_back(number):
        data = bytes([number]) * (MB + number)
        made = upload(client, data, f"{number}", "answers").json()
        return content(client, made["id"]).content == data

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(there_and_back, range(24)))


def test_time_and_faults_decide_what_becomes_of_a_file(mock, client):
    good = upload(client).json()
    bad = upload(client, LINE * 2 + b'{"prompt": "a"}\n').json()
    other = upload(client, b"{}", purpose="answers").json()

    mock.ask("controlClock", {"seconds": 2})

    rows = client.get("/files").json()["data"]
    assert [one["status"] for one in (good, bad, other)] == ["uploaded"] * 3
    assert {row["id"]: (row["status"], row["status_details"]) for row in rows} == {
        good["id"]: ("processed", None),
        bad["id"]: (
            "error",
            "Invalid file format. Example 3 has no prompt and completion.",
        ),
        other["id"]: ("processed", None),
    }


def test_the_answer_to_an_upload_shows_how_a_file_begins(client, monkeypatch):
    """Even if a second passes whenever the server looks at its clock."""
    seconds = itertools.count(1_700_000_000)
    monkeypatch.setattr("mockserver.clock.time.time", lambda: next(seconds))

    assert upload(client).json()["status"] == "uploaded"


@pytest.mark.parametrize("count", [1, 40], ids=["one", "many"])
def test_what_is_deleted_makes_room_again(mock, client, count):
    mock.ask("controlLimits", {"file_weight": 10**9 // (count * len(LINE))})
    ids = [upload(client).json()["id"] for _ in range(count)]

    full = upload(client)
    client.delete(f"/files/{ids[0]}")

    assert faults(full) == (400, INVALID, None, None)
    assert upload(client).status_code == 200


def test_the_newer_edition_lists_by_purpose_and_the_older_does_not(mind):
    for edition, count in (("2023-04", 2), ("2023-12", 1)):
        rooms = house(load(edition), mind=mind)
        with (
            serving(application(rooms)) as url,
            httpx.Client(base_url=url, headers=KEY) as client,
        ):
            purposes = ("fine-tune", "assistants" if count == 1 else "answers")
            for purpose in purposes:
                assert upload(client, purpose=purpose).status_code == 200

            listed = client.get("/files", params={"purpose": purposes[1]}).json()

        assert len(listed["data"]) == count


def test_records_of_the_newer_edition_may_be_messages(mind):
    rooms = house(load("2023-12"), mind=mind)
    with (
        serving(application(rooms)) as url,
        httpx.Client(base_url=url, headers=KEY) as client,
    ):
        lines = (b'{"messages": []}\n', LINE, b'{"prompt": "a"}\n')
        made = [upload(client, line).json()["id"] for line in lines]
        client.post("/_assay/clock", json={"seconds": 2})

        found = [client.get(f"/files/{id}").json()["status"] for id in made]

    assert found == ["processed", "processed", "error"]


def memory(process, field):
    """Bytes that a process has now (VmRSS), or had at most (VmHWM)."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    line = next(row for row in text.splitlines() if row.startswith(field))
    return int(line.split()[1]) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_file_of_200_mb_is_never_whole_in_memory(tmp_path):
    """Sent and read in pieces here too; the file is a pattern that never repeats."""
    place = tmp_path / "large"
    with place.open("wb") as file:
        for number in range(200):
            file.write(hashlib.sha256(bytes([number])).digest() * (MB // 32))
    command = [sys.executable, "-m", "mockserver", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as mock:
        try:
            url = mock.stdout.readline().removeprefix("ready ").strip()
            with httpx.Client(base_url=url, headers=KEY, timeout=60) as client:
                asked = {"model": "ada", "max_tokens": 1}
                client.post("/completions", json=asked).raise_for_status()
                before = memory(mock, "VmRSS")

                with place.open("rb") as file:
                    made = upload(client, file, purpose="answers").json()
                total = hashlib.sha256()
                path = f"/files/{made['id']}/content"
                with client.stream("GET", path) as reply:
                    for piece in reply.iter_raw():
                        total.update(piece)

                grown = memory(mock, "VmHWM") - before
        finally:
            mock.terminate()

    with place.open("rb") as file:
        assert total.hexdigest() == hashlib.file_digest(file, "sha256").hexdigest()
    assert made["bytes"] == 200 * MB
    assert grown < 100 * MB
