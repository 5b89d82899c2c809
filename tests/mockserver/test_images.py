"""Images over a real socket: drawn, drawn into, made alike; and what is no image."""

import base64
import io
import logging
import struct
import zlib

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mockserver.app import application, house
from mockserver.server import serving
from spec import load

KEY = {"authorization": "Bearer sk-test"}
SMALL, SIDE = "256x256", 256
MAKE, EDIT, VARY = "/images/generations", "/images/edits", "/images/variations"
OTTER = {"prompt": "A cute baby sea otter", "size": SMALL}
HOUR = 3600
NEWER = {"prompt": "An otter", "model": "dall-e-3", "size": "1024x1024"}


def served(rooms):
    with (
        serving(application(rooms)) as url,
        httpx.Client(base_url=url, headers=KEY, timeout=60, trust_env=False) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def rooms(mind):
    return house(load("2023-04"), mind=mind, seed=1)


@pytest.fixture(scope="module")
def client(rooms):
    yield from served(rooms)


@pytest.fixture(scope="module")
def newer(mind):
    yield from served(house(load("2023-12"), mind=mind, seed=1))


def packed(picture, kind="PNG", **how):
    file = io.BytesIO()
    picture.save(file, kind, **how)
    return file.getvalue()


def gradient(holes=(), mode="RGBA"):
    """A picture of all colours, with alpha 0 in some boxes."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    rgba = np.stack([rows, columns, 255 - rows, 255 + 0 * rows], -1).astype(np.uint8)
    for left, top, right, bottom in holes:
        rgba[top:bottom, left:right, 3] = 0
    return Image.fromarray(rgba).convert(mode)


def pictures(answer):
    assert answer.status_code == 200, answer.text
    return [
        Image.open(io.BytesIO(base64.b64decode(entry["b64_json"], validate=True)))
        for entry in answer.json()["data"]
    ]


def made(client, **asked):
    return client.post(MAKE, json={**OTTER, "response_format": "b64_json", **asked})


def sent(client, path, image, mask=None, **asked):
    """The answer to a form with these bytes as its files."""
    files = {"image": ("image.png", image)}
    if mask is not None:
        files["mask"] = ("mask.png", mask)
    words = {} if path == VARY else {"prompt": "A robot at night"}
    fields = {"size": SMALL, "response_format": "b64_json", **words, **asked}
    return client.post(path, data=fields, files=files)


def colours(picture):
    return np.asarray(picture.convert("RGB")).astype(int)


def apart(one, other):
    """The mean distance of two pictures' colours on thumbnails of 8 by 8."""
    box = Image.Resampling.BOX
    small = [colours(each.convert("RGB").resize((8, 8), box)) for each in (one, other)]
    return np.linalg.norm(small[0] - small[1], axis=-1).mean()


@pytest.mark.parametrize("size", ["256x256", "512x512", "1024x1024"])
def test_an_image_is_a_png_of_the_size_asked(client, size):
    answers = (
        made(client, size=size),
        sent(client, EDIT, packed(gradient([(10, 20, 90, 80)])), size=size),
        sent(client, VARY, packed(gradient(mode="RGB")), size=size),
    )

    found = [picture for answer in answers for picture in pictures(answer)]

    assert {picture.format for picture in found} == {"PNG"}
    assert [f"{one.width}x{one.height}" for one in found] == [size] * 3


@pytest.mark.parametrize("size", ["1024x1024", "1792x1024", "1024x1792"])
def test_the_newer_model_draws_three_sizes_from_a_revised_prompt(newer, size):
    answer = made(newer, **{**NEWER, "size": size, "style": "natural"})

    (picture,) = pictures(answer)
    assert f"{picture.width}x{picture.height}" == size
    assert "natural" in answer.json()["data"][0]["revised_prompt"]


def test_the_older_model_revises_nothing(newer):
    answer = made(newer, model="dall-e-2")

    assert [entry.keys() for entry in answer.json()["data"]] == [{"b64_json"}]


def test_ten_images_are_ten_others(client):
    drawn = pictures(made(client, n=10))

    assert len({picture.tobytes() for picture in drawn}) == 10


boxes = st.builds(
    lambda left, top, width, height: (left, top, left + width, top + height),
    *(st.integers(0, 200), st.integers(0, 200)),
    *(st.integers(8, 56), st.integers(8, 56)),
)


@settings(max_examples=12)
@given(st.lists(boxes, min_size=1, max_size=3), st.booleans())
def test_an_edit_changes_only_what_is_open(client, holes, masked):
    before, open_ = gradient(mode="RGB"), gradient(holes)
    image, mask = (before, open_) if masked else (open_, None)

    (after,) = pictures(sent(client, EDIT, packed(image), mask and packed(mask)))

    hole = np.asarray(open_)[..., 3] == 0
    changed = (colours(before) != colours(after)).any(axis=-1)
    assert not changed[~hole].any()
    assert changed[hole].mean() > 0.5


def test_variations_are_like_the_image_and_unlike_each_other(client):
    image = pictures(made(client))[0]
    stranger = pictures(made(client, prompt="lemons"))[0]

    drawn = pictures(sent(client, VARY, packed(image), n=4))

    assert max(apart(image, one) for one in drawn) < apart(image, stranger) / 2
    assert len({one.tobytes() for one in drawn}) == 4


def test_a_url_shows_what_the_bytes_are(client):
    answer = made(client, response_format="url").json()["data"][0]

    shown = httpx.get(answer["url"], trust_env=False)

    assert shown.status_code == 200
    assert shown.headers["content-type"] == "image/png"
    told = base64.b64decode(made(client).json()["data"][0]["b64_json"])
    assert shown.content == told


def test_a_url_names_the_host_as_the_caller_did(client):
    headers = {"host": "images.example:8080"}

    answer = client.post(MAKE, json=OTTER, headers=headers).json()

    assert answer["data"][0]["url"].startswith("http://images.example:8080/images/img-")


def test_a_url_expires_an_hour_later_by_the_clock_of_its_organisation(client, rooms):
    made_for = {"organizations": ["org-late"]}
    key = client.post("/_assay/keys", json=made_for).json()["key"]
    late = {"authorization": f"Bearer {key}"}
    ours, other = (
        client.post(MAKE, json=OTTER, headers=headers).json()["data"][0]["url"]
        for headers in (late, KEY)
    )
    seen = []

    for seconds in (0, HOUR - 60, 60):
        asked = {"seconds": seconds}
        client.post("/_assay/clock", json=asked, headers=late).raise_for_status()
        seen.append(httpx.get(ours, trust_env=False).status_code)

    assert seen == [200, 200, 404]
    gone = httpx.get(ours, trust_env=False).json()["error"]
    assert gone["type"] == "invalid_request_error"
    assert httpx.get(other, trust_env=False).status_code == 200


def test_what_has_expired_is_thrown_away(mind):
    rooms = house(load("2023-04"), mind=mind, seed=1)
    for client in served(rooms):
        for _ in range(3):
            client.post(MAKE, json=OTTER).raise_for_status()
        names = [row["id"] for row in hanging(rooms)]
        client.post("/_assay/clock", json={"seconds": HOUR}).raise_for_status()

        client.post(MAKE, json=OTTER).raise_for_status()

        assert len(names) == 3
        assert len(hanging(rooms)) == 1
        assert not any(rooms.store.found("picture", name) for name in names)


def hanging(rooms):
    return rooms.store.all("picture", "org-assay")


def test_a_name_that_nobody_gave_is_not_found(client):
    answer = client.get(f"{str(client.base_url).removesuffix('/v1/')}/images/x.png")

    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"


PNG = packed(gradient([(10, 10, 90, 90)]))
HEAD = PNG[:8]


def part(name, data):
    """A chunk of a PNG."""
    whole = name + data
    return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))


def claiming(width, height):
    """A small PNG that says that it is so large."""
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    rows = zlib.compress(bytes(10_000_000), 9)
    return HEAD + part(b"IHDR", head) + part(b"IDAT", rows) + part(b"IEND", b"")


BROKEN = {
    "empty": b"",
    "eight-bytes": HEAD,
    "truncated": PNG[: len(PNG) // 2],
    "no-pixels": HEAD + part(b"IHDR", PNG[16:29]) + part(b"IEND", b""),
    "wrong-checksum": PNG.replace(PNG[29:33], b"\0\0\0\0", 1),
    "bomb": claiming(20_000, 20_000),
    "no-size": claiming(0, 0),
    "jpeg": packed(gradient(mode="RGB"), "JPEG"),
    "gif": packed(gradient(mode="RGB"), "GIF"),
    "text": b"{}\n{}\n",
    "noise": bytes(range(256)) * 9,
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_is_no_png_is_refused_as_such(client, data, caplog):
    with caplog.at_level(logging.ERROR):
        answers = (
            sent(client, EDIT, data),
            sent(client, EDIT, PNG, data),
            sent(client, VARY, data),
        )

    assert [answer.status_code for answer in answers] == [400] * 3
    for answer in answers:
        assert answer.json()["error"]["type"] == "invalid_request_error"
        assert "PNG" in answer.json()["error"]["message"]
    assert caplog.records == []


ODD = {
    "palette": packed(gradient(mode="RGB").quantize(), transparency=0),
    "gray": packed(gradient(mode="L"), transparency=7),
    "gray-alpha": packed(gradient([(0, 0, 256, 256)], mode="LA")),
    "deep": packed(Image.new("I;16", (9, 9), 700)),
    "one-pixel": packed(Image.new("RGBA", (1, 1))),
    "bits": packed(gradient(mode="1")),
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
def test_a_png_of_any_kind_is_taken(client, data):
    answers = (sent(client, EDIT, data, data), sent(client, VARY, data))

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [picture.size for one in answers for picture in pictures(one)] == [
        (SIDE, SIDE)
    ] * 2


SEED = packed(gradient([(10, 10, 90, 90)]).resize((16, 16)))


@settings(max_examples=40)
@given(
    st.integers(0, len(SEED)),
    st.integers(0, 40),
    st.binary(max_size=40),
    st.sampled_from([EDIT, VARY]),
)
def test_no_bytes_make_it_fail(client, start, cut, put, path):
    data = SEED[:start] + put + SEED[start + cut :]

    answer = sent(client, path, data)

    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_prompt_against_the_policy_is_not_drawn(newer):
    prompt = "I want to kill them all, blood everywhere"

    older, coded = (
        newer.post(MAKE, json={**asked, "prompt": prompt}) for asked in (OTTER, NEWER)
    )
    edited = sent(newer, EDIT, PNG, prompt=prompt)

    assert [one.status_code for one in (older, coded, edited)] == [400] * 3
    codes = [one.json()["error"]["code"] for one in (older, coded, edited)]
    assert codes == [None, "content_policy_violation", None]


@pytest.mark.parametrize("model", ["dall-e-3", "davinci-002", "no-model"])
def test_only_one_model_works_on_files(newer, model):
    answers = [sent(newer, path, PNG, model=model) for path in (EDIT, VARY)]

    assert {answer.status_code for answer in answers} <= {400, 404}
