"""What is said of images that are made from others: edits and variations."""

from typing import TYPE_CHECKING, Any

from conformance.checks.images import counted, measured, told_as
from conformance.pictures import BASE64, SMALL, changed, drawn, file, scene
from conformance.registry import Findings, check
from conformance.target import Target
from conformance.view import Absent

if TYPE_CHECKING:
    from PIL.Image import Image

EDIT, VARY = "createImageEdit", "createImageVariation"
HOLE = (40, 96, 168, 200)  # left, top, right and bottom: neither square nor amid
KINDS = ("application/octet-stream", "image/png", "image/jpeg", "text/plain")


@check("images.edit-json-refused")
def edit_json_refused(target: Target) -> Findings:
    yield from taken_as_json(target, EDIT, prompt="An otter")


@check("images.edit-part-type")
def edit_part_type(target: Target) -> Findings:
    yield from judged_by_type(target, EDIT)


@check("images.edit-alpha-is-mask")
def edit_alpha_is_mask(target: Target) -> Findings:
    yield from strayed(target, scene(HOLE))


@check("images.edit-mask-area")
def edit_mask_area(target: Target) -> Findings:
    yield from strayed(target, scene(), mask=file(scene(HOLE)))


@check("images.edit-mask-optional")
def edit_mask_optional(target: Target) -> Findings:
    picture = scene(HOLE)
    for what, more in (("no mask", {}), ("a mask", {"mask": file(picture)})):
        answer = target.call(EDIT, image=file(picture), **more)
        if answer.status != 200:
            yield f"an image with {what} was answered {answer.status}"


@check("images.edit-n-default")
def edit_n_default(target: Target) -> Findings:
    yield from counted(target, EDIT, 1)


@check("images.edit-n-images")
def edit_n_images(target: Target) -> Findings:
    yield from counted(target, EDIT, 2, n=2)


@check("images.edit-n-text")
def edit_n_text(target: Target) -> Findings:
    yield from misread(target, EDIT)


@check("images.edit-size-given")
def edit_size_given(target: Target) -> Findings:
    for size in (SMALL, "512x512"):
        yield from measured(target, EDIT, size, size=size)


@check("images.edit-size-default")
def edit_size_default(target: Target) -> Findings:
    yield from measured(target, EDIT, "1024x1024", size=...)


@check("images.edit-format-default")
def edit_format_default(target: Target) -> Findings:
    yield from told_as(target, EDIT, "url", BASE64)


@check("images.edit-format-base64")
def edit_format_base64(target: Target) -> Findings:
    yield from told_as(target, EDIT, BASE64, "url", response_format=BASE64)


@check("images.variation-json-refused")
def variation_json_refused(target: Target) -> Findings:
    yield from taken_as_json(target, VARY)


@check("images.variation-part-type")
def variation_part_type(target: Target) -> Findings:
    yield from judged_by_type(target, VARY)


@check("images.variation-opaque")
def variation_opaque(target: Target) -> Findings:
    answer = target.call(VARY, image=file(scene()))
    if answer.status != 200:
        yield f"an image without an alpha channel was answered {answer.status}"


@check("images.variation-no-prompt")
def variation_no_prompt(target: Target) -> Findings:
    answer = target.call(VARY, prompt=...)
    if answer.status != 200:
        yield f"a form without a prompt was answered {answer.status}"


@check("images.variation-n-default")
def variation_n_default(target: Target) -> Findings:
    yield from counted(target, VARY, 1)


@check("images.variation-n-images")
def variation_n_images(target: Target) -> Findings:
    yield from counted(target, VARY, 2, n=2)


@check("images.variation-n-text")
def variation_n_text(target: Target) -> Findings:
    yield from misread(target, VARY)


@check("images.variation-size-given")
def variation_size_given(target: Target) -> Findings:
    for size in (SMALL, "512x512"):
        yield from measured(target, VARY, size, size=size)


@check("images.variation-size-default")
def variation_size_default(target: Target) -> Findings:
    yield from measured(target, VARY, "1024x1024", size=...)


@check("images.variation-format-default")
def variation_format_default(target: Target) -> Findings:
    yield from told_as(target, VARY, "url", BASE64)


@check("images.variation-format-base64")
def variation_format_base64(target: Target) -> Findings:
    yield from told_as(target, VARY, BASE64, "url", response_format=BASE64)


def taken_as_json(target: Target, operation: str, **asked: str) -> Findings:
    """Findings where an operation that takes a form takes JSON."""
    path = target.spec.operations[operation].path
    answer = target.post(path, image="image.png", **asked)
    if answer.status not in (400, 415):
        yield f"a JSON body was answered {answer.status}"


def judged_by_type(target: Target, operation: str) -> Findings:
    """Findings where a PNG is refused for the type that its part has."""
    picture = scene(HOLE)
    for kind in KINDS:
        answer = target.call(operation, image=file(picture, media_type=kind))
        if answer.status != 200:
            yield f"a PNG sent as {kind} was answered {answer.status}"


def misread(target: Target, operation: str) -> Findings:
    """Findings where an n that is no number is taken."""
    for text in ("two", "1.5", "2 images"):
        answer = target.call(operation, n=text)
        if not answer.refused:
            yield f"an n of {text!r} was answered {answer.status}"


def strayed(target: Target, picture: "Image", **more: Any) -> Findings:
    """Findings where an edit changed what is not in the hole."""
    for edited in drawn(target, EDIT, image=file(picture), size=SMALL, **more):
        outside, inside = changed(picture, edited, HOLE)
        if outside:
            yield f"outside of {HOLE} the image differed, within {outside}"
        elif not inside:
            raise Absent("change where the image is transparent")
