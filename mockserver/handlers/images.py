"""Pictures: drawn from a prompt, drawn into a picture, or made like one."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mockserver.context import Context
from mockserver.gallery import hung
from mockserver.registry import handles
from mockserver.reply import Reply
from mockserver.uploads import Upload

HOUR = 60 * 60  # seconds
NEWER = "dall-e-3"  # the model that revises prompts
KEPT = 16  # pictures of each kind that need not be painted again

Size = tuple[int, int]


@dataclass(frozen=True)
class CreateImage:
    """What to draw, and how the images are told."""

    prompt: str
    n: int
    size: str
    response_format: str
    user: str | None
    model: str | None = None
    style: str | None = None
    lifetime: int = HOUR
    """Seconds until a url yields nothing."""


@dataclass(frozen=True)
class EditImage:
    """A picture, what to draw in its holes or the mask's, and how that is told."""

    image: Upload
    mask: Upload | None
    prompt: str
    n: int
    size: str
    response_format: str
    user: str | None
    model: str | None = None
    lifetime: int = HOUR


@dataclass(frozen=True)
class VaryImage:
    """A picture, and how others like it are told."""

    image: Upload
    n: int
    size: str
    response_format: str
    user: str | None
    model: str | None = None
    lifetime: int = HOUR


@handles("createImage")
def create_image(request: CreateImage, context: Context) -> Reply:
    context.charge(request.user)
    _admit(request, context)
    size = _size(request.size)
    if request.model != NEWER:
        drawn = (_painted(request.prompt, size, index) for index in range(request.n))
        return _told(drawn, request, context)
    prompt = f"{request.prompt}, in a {request.style} style"
    drawn = (_painted(prompt, size, index) for index in range(request.n))
    return _told(drawn, request, context, revised_prompt=prompt)


@handles("createImageEdit")
def create_image_edit(request: EditImage, context: Context) -> Reply:
    context.charge(request.user)
    _admit(request, context)
    image, size = request.image.read(), _size(request.size)
    mask = request.mask.read() if request.mask is not None else None
    drawn = (_edited(image, mask, request.prompt, size, i) for i in range(request.n))
    return _told(drawn, request, context)


@handles("createImageVariation")
def create_image_variation(request: VaryImage, context: Context) -> Reply:
    from reference_model.image import vary

    context.charge(request.user)
    image, size = request.image.read(), _size(request.size)
    drawn = (vary(image, size, index) for index in range(request.n))
    return _told(drawn, request, context)


def _admit(request: CreateImage | EditImage, context: Context) -> None:
    """Raises Refuse where the prompt breaks the content policy."""
    from reference_model.moderate import flagged, scores

    if any(flagged(scores(request.prompt)).values()):
        coded = request.model == NEWER
        raise context.refuse("image-policy-code" if coded else "image-policy")


def _told(
    drawn: Iterator[bytes],
    request: CreateImage | EditImage | VaryImage,
    context: Context,
    **more: str,
) -> Reply:
    """The answer with the pictures, each as its bytes or as a url."""
    created = context.now
    data: list[dict[str, Any]] = []
    for picture in drawn:
        if request.response_format == "b64_json":
            shown = {"b64_json": base64.b64encode(picture).decode()}
        else:
            shown = {"url": hung(picture, request.lifetime, context)}
        data.append({**more, **shown})
    return Reply({"created": created, "data": data})


def _size(text: str) -> Size:
    width, _, height = text.partition("x")
    return int(width), int(height)


@lru_cache(maxsize=KEPT)
def _painted(prompt: str, size: Size, index: int) -> bytes:
    from reference_model.image import generate

    return generate(prompt, size, index)


@lru_cache(maxsize=KEPT)
def _edited(
    image: bytes, mask: bytes | None, prompt: str, size: Size, index: int
) -> bytes:
    from reference_model.image import edit

    return edit(image, mask, prompt, size, index)
