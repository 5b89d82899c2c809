"""Pictures that servers draw, and some that they are to draw in."""

import base64
import struct
import zlib
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

import httpx

from conformance.answer import Answer
from conformance.target import Target
from conformance.view import Absent

if TYPE_CHECKING:
    from PIL.Image import Image

PIXELS = 2**25  # in a picture that we open; a small file can unpack to far more
SMALL = "256x256"
BASE64 = "b64_json"
UNREACHED = (
    httpx.InvalidURL,
    httpx.UnsupportedProtocol,
    httpx.ConnectError,
    httpx.ConnectTimeout,
)
"""What a url meets that leads nowhere."""


def drawn(target: Target, operation: str, **asked: Any) -> "list[Image]":
    """The pictures of an answer that is asked for their bytes.

    Raises Absent for one that cannot be read.
    """
    answer = target.call(operation, **{"response_format": BASE64, **asked})
    return [_seen(target, entry) for entry in answer.json()["data"]]


def _seen(target: Target, entry: Mapping[str, Any]) -> "Image":
    """The picture of an entry, whichever way it is told."""
    try:
        told = entry.get(BASE64)
        data = fetched(target, entry["url"]).content if told is None else unpacked(told)
        return opened(data)
    except (*UNREACHED, ValueError) as error:
        raise Absent(f"image that can be read: {error}") from error


def fetched(target: Target, url: Any) -> Answer:
    """What a url yields, asked without a key; raises one of UNREACHED."""
    response = target.client.get(str(url), follow_redirects=True)
    return Answer(response, target.tape.exchanges[-1])


def unpacked(text: Any) -> bytes:
    """The bytes behind base64; ValueError for anything else."""
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{str(text)[:40]!r} is not base64") from error


def opened(data: bytes, *formats: str) -> "Image":
    """A picture with all its pixels read; ValueError where that cannot be done."""
    from PIL import Image

    faults = (OSError, SyntaxError, ValueError, TypeError, struct.error, zlib.error)
    bombs = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    try:
        picture = Image.open(BytesIO(data), formats=formats or None)
        if picture.width * picture.height > PIXELS:
            raise ValueError(f"{picture.size} is more than {PIXELS} pixels")
        picture.load()
    except (*faults, *bombs) as error:
        begin = data[:16]
        raise ValueError(f"no whole picture begins with {begin!r}: {error}") from error
    return picture


def sized(picture: "Image") -> str:
    """Width and height as the API writes them."""
    return f"{picture.width}x{picture.height}"


def scene(hole: tuple[int, int, int, int] | None = None) -> "Image":
    """Slow changes of three colours, with alpha 0 in the box."""
    from PIL import Image

    across = Image.linear_gradient("L")
    picture = Image.merge(
        "RGB", (across, across.rotate(90), Image.radial_gradient("L"))
    )
    if hole:
        alpha = Image.new("L", picture.size, 255)
        alpha.paste(0, hole)
        picture.putalpha(alpha)
    return picture


def file(picture: "Image", **more: str) -> dict[str, Any]:
    """A picture as ``conformance.forms`` sends it."""
    packed = BytesIO()
    picture.save(packed, "PNG")
    return {"filename": "image.png", "data": packed.getvalue(), **more}


def changed(
    before: "Image", after: "Image", hole: tuple[int, int, int, int]
) -> tuple[Any, Any]:
    """Where colours differ outside and inside of the box: boxes, or None."""
    from PIL import ImageChops

    if before.size != after.size:
        raise Absent(f"image of the same size: {sized(after)}")
    inside = ImageChops.difference(before.convert("RGB"), after.convert("RGB"))
    outside = inside.copy()
    outside.paste(0, hole)
    return outside.getbbox(), inside.crop(hole).getbbox()
