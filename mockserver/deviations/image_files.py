"""Faults of images that are made from others: edits and variations."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

from mockserver.deviation import Body, Deviation
from mockserver.deviations.images import fault, ignored, made
from mockserver.faults import changed, refused_if, sent
from mockserver.uploads import Upload

EDIT, VARY = ("createImageEdit",), ("createImageVariation",)
KINDS = {"edit": EDIT, "variation": VARY}


def untyped(body: Body) -> bool:
    """Whether the image's part is not sent as a PNG."""
    image = body.get("image")
    return isinstance(image, Upload) and image.media_type != "image/png"


def worded(body: Body) -> bool:
    """Whether n is a text that is no number."""
    return isinstance(body.get("n"), str)


def opaque(body: Body) -> bool:
    image = body.get("image")
    return isinstance(image, Upload) and image.get("alpha") == "none"


def repainted(masked: bool) -> Callable[[Any], Any]:
    """All is drawn anew where there is a mask, or where there is none."""

    def seam(asked: Any) -> Any:
        if (asked.mask is not None) != masked:
            return asked
        return replace(asked, image=holed(asked.image, "all"), mask=None)

    return seam


def turned(asked: Any) -> Any:
    """The mask is read the other way round."""
    if asked.mask is None:
        return asked
    return replace(asked, mask=holed(asked.mask, "turned"))


def holed(file: Upload, how: str) -> Upload:
    """The same picture with a hole all over it, or where it had none."""
    from PIL import Image, ImageChops

    picture = Image.open(BytesIO(file.read())).convert("RGBA")
    alpha = ImageChops.invert(picture.getchannel("A"))
    picture.putalpha(0 if how == "all" else alpha)
    packed = BytesIO()
    picture.save(packed, "PNG")
    return Upload(packed, file, file.media_type)


def of_both(kind: str) -> Iterator[Deviation]:
    """What edits and variations may both get wrong."""
    operation, rest = KINDS[kind], f"{kind}-*"
    yield fault(
        f"{kind}-json-taken",
        f"{kind}-json-refused",
        operation,
        "api.*",
        on_refusal=made("not-a-form"),
    )
    yield fault(
        f"{kind}-part-typed",
        f"{kind}-part-type",
        operation,
        rest,
        "api.*",
        on_body=refused_if(untyped),
    )
    yield fault(f"{kind}-n-two", f"{kind}-n-default", operation, on_body=sent(n=2))
    yield fault(
        f"{kind}-n-ignored",
        f"{kind}-n-images",
        operation,
        on_request=changed(n=lambda _: 1),
    )
    yield fault(
        f"{kind}-n-unread",
        f"{kind}-n-text",
        operation,
        on_body=ignored(worded, "n"),
    )
    yield fault(
        f"{kind}-size-ignored",
        f"{kind}-size-given",
        operation,
        f"{kind}-size-default",
        on_request=changed(size=lambda _: "512x512"),
    )
    yield fault(
        f"{kind}-size-smaller",
        f"{kind}-size-default",
        operation,
        on_body=sent(size="512x512"),
    )
    yield fault(
        f"{kind}-format-base64-first",
        f"{kind}-format-default",
        operation,
        on_body=sent(response_format="b64_json"),
    )
    yield fault(
        f"{kind}-format-ignored",
        f"{kind}-format-base64",
        operation,
        on_request=changed(response_format=lambda _: "url"),
    )


DEVIATIONS = (
    *of_both("edit"),
    *of_both("variation"),
    fault(
        "edit-alpha-unread",  # the picture is a mere hint
        "edit-alpha-is-mask",
        EDIT,
        on_request=repainted(masked=False),
    ),
    fault(
        "edit-mask-unread",
        "edit-mask-area",
        EDIT,
        on_request=repainted(masked=True),
    ),
    fault("edit-mask-turned", "edit-mask-area", EDIT, on_request=turned),
    fault(
        "edit-mask-demanded",
        "edit-mask-optional",
        EDIT,
        "edit-*",
        "api.*",
        on_body=refused_if(lambda body: "mask" not in body),
    ),
    fault(
        "variation-opaque-refused",
        "variation-opaque",
        VARY,
        on_body=refused_if(opaque),
    ),
    fault(
        "variation-prompt-demanded",
        "variation-no-prompt",
        VARY,
        "variation-*",
        "api.*",
        on_body=refused_if(lambda body: "prompt" not in body),
    ),
)
