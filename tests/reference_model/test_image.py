import io
import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from reference_model.image import describe, edit, generate, vary

SMALL = (256, 256)
SIZES = [SMALL, (512, 512), (1024, 1024), (1792, 1024), (1024, 1792)]
PROMPTS = ["otter", "a red bicycle", "night", "lemons", "a robot", "music"]


def opened(data):
    return Image.open(io.BytesIO(data))


def pixels(data, mode="RGBA"):
    return np.asarray(opened(data).convert(mode)).astype(int)


def packed(picture, kind="PNG"):
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


def holed(size, box, mode="RGBA"):
    """A gradient with alpha 0 in a box."""
    rows, columns = np.mgrid[0 : size[1], 0 : size[0]]
    rgba = np.stack([rows % 256, columns % 256, 90 + 0 * rows, 255 + 0 * rows], -1)
    left, top, right, bottom = box
    rgba[top:bottom, left:right, 3] = 0
    return packed(Image.fromarray(rgba.astype(np.uint8)).convert(mode))


def apart(one, other):
    """The mean distance of two pictures' colours on thumbnails of 8 by 8."""
    small = [
        opened(each).convert("RGB").resize((8, 8), Image.Resampling.BOX)
        for each in (one, other)
    ]
    difference = np.asarray(small[0], float) - np.asarray(small[1], float)
    return np.linalg.norm(difference, axis=-1).mean()


@pytest.mark.parametrize("size", SIZES)
def test_an_image_is_a_png_of_the_size_asked(size):
    picture = opened(generate("A cute baby sea otter", size))

    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", size)


@settings(max_examples=15)
@given(st.text(max_size=50), st.integers(0, 9))
def test_an_image_is_the_same_again(prompt, index):
    assert generate(prompt, SMALL, index) == generate(prompt, SMALL, index)


def test_no_two_images_are_the_same():
    drawn = {generate(prompt, SMALL, index) for prompt in PROMPTS for index in (0, 1)}

    assert len(drawn) == 2 * len(PROMPTS)


def test_images_of_one_prompt_are_kin():
    firsts = [generate(prompt, SMALL) for prompt in PROMPTS]
    seconds = [generate(prompt, SMALL, 1) for prompt in PROMPTS]

    kin = [apart(one, other) for one, other in zip(firsts, seconds, strict=True)]
    strangers = [apart(a, b) for a in firsts for b in firsts if a is not b]

    assert 10 < np.mean(kin) < 0.8 * np.mean(strangers)


@pytest.mark.parametrize(("word", "channel"), [("rose", 0), ("grass", 1), ("sea", 2)])
def test_a_word_of_colour_is_seen(word, channel):
    means = pixels(generate(word, SMALL), "RGB").mean(axis=(0, 1))

    assert means.argmax() == channel


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_an_edit_changes_nothing_but_the_hole(mode):
    image = holed(SMALL, (60, 80, 200, 120), mode)

    edited = pixels(edit(image, None, "a hat", SMALL))

    changed = (edited != pixels(image)).any(axis=-1)
    inside = np.zeros(SMALL, bool)
    inside[80:120, 60:200] = True
    assert not changed[~inside].any()
    assert changed[inside].mean() > 0.9
    assert (edited[inside][:, 3] == 255).all()


def test_a_mask_decides_and_not_the_image():
    image = holed(SMALL, (0, 0, 20, 20))
    mask = holed(SMALL, (100, 100, 140, 140))

    edited = pixels(edit(image, mask, "a hat", SMALL))

    changed = (edited != pixels(image)).any(axis=-1)
    assert changed[100:140, 100:140].mean() > 0.9
    changed[100:140, 100:140] = False
    assert not changed.any()


def test_an_edit_of_another_size_keeps_the_resized_image():
    image = holed((64, 64), (16, 16, 48, 48))

    edited = pixels(edit(image, None, "a hat", SMALL))

    resized = np.asarray(opened(image).resize(SMALL, Image.Resampling.BICUBIC))
    rim = np.s_[56:200, 56:200]  # the hole, and what the curves of resizing reach
    kept = np.ones(SMALL, bool)
    kept[rim] = False
    assert (edited[kept] == resized[kept]).all()
    assert (edited[..., 3] == 255).all()


def test_edits_differ_by_prompt_and_index():
    image = holed(SMALL, (0, 0, 256, 128))

    edits = {
        edit(image, None, prompt, SMALL, index) for prompt in "ab" for index in (0, 1)
    }

    assert len(edits) == 4


def test_a_variation_is_far_nearer_than_another_picture():
    drawn = [generate(prompt, SMALL) for prompt in PROMPTS]

    near = [apart(image, vary(image, SMALL, i)) for image in drawn for i in (0, 1)]
    far = [apart(one, other) for one in drawn for other in drawn if one is not other]

    assert 0 < np.mean(near) < np.mean(far) / 5
    assert max(near) < min(far)


def test_variations_of_one_image_differ():
    image = generate("otter", (64, 64))

    varied = [vary(image, (512, 512), index) for index in range(3)]

    assert len(set(varied)) == 3
    assert {opened(each).size for each in varied} == {(512, 512)}
    assert varied[0] == vary(image, (512, 512), 0)


@pytest.mark.parametrize(
    ("mode", "kind", "alpha"),
    [
        ("RGB", "PNG", "none"),
        ("L", "PNG", "none"),
        ("P", "PNG", "none"),
        ("1", "PNG", "none"),
        ("I;16", "PNG", "none"),
        ("RGBA", "PNG", "opaque"),
        ("LA", "PNG", "opaque"),
        ("RGB", "JPEG", "none"),
        ("P", "GIF", "none"),
        ("RGB", "WEBP", "none"),
    ],
)
def test_an_upload_is_described(mode, kind, alpha):
    data = packed(Image.new("RGB", (40, 30), "teal").convert(mode), kind)

    facts = describe(data)

    assert facts == {"format": kind.lower(), "width": 40, "height": 30, "alpha": alpha}
    assert opened(vary(data, SMALL)).size == SMALL


def test_one_clear_pixel_makes_an_image_transparent():
    assert describe(holed((8, 8), (3, 3, 4, 4)))["alpha"] == "transparent"


WHOLE = [
    packed(Image.new(mode, (24, 24), colour), kind)
    for mode, colour, kind in [
        ("RGBA", (9, 9, 9, 0), "PNG"),
        ("P", 3, "PNG"),
        ("RGB", "red", "JPEG"),
        ("P", 3, "GIF"),
    ]
]


@settings(max_examples=300)
@given(st.data())
def test_a_broken_file_is_described_or_refused(data):
    broken = bytearray(data.draw(st.sampled_from(WHOLE)))
    places = st.integers(0, len(broken) - 1)
    for place, value in data.draw(st.dictionaries(places, st.integers(0, 255))).items():
        broken[place] = value
    cut = data.draw(st.integers(0, len(broken)))

    with suppress(ValueError):
        assert describe(bytes(broken[:cut]))["width"] > 0


@pytest.mark.parametrize("side", [6_000, 12_000, 50_000])
def test_a_small_file_of_very_many_pixels_is_refused(side):
    def chunk(name, body):
        return (
            struct.pack(">I", len(body))
            + name
            + body
            + struct.pack(">I", zlib.crc32(name + body))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(100_000)))

    with pytest.raises(ValueError, match="pixels"):
        describe(bomb + chunk(b"IEND", b""))
