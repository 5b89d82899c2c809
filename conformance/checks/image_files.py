"""What is said of images that are made from others: edits and variations."""

from typing import TYPE_CHECKING, Any

from conformance.checks.images import EDIT, VARY, each
from conformance.pictures import SMALL, changed, drawn, file, scene
from conformance.registry import Findings, check
from conformance.target import Target
from conformance.view import Absent

if TYPE_CHECKING:
    from PIL.Image import Image

FORMS = ("edit-", "variation-")
HOLE = (40, 96, 168, 200)  # left, top, right and bottom: neither square nor amid
KINDS = ("application/octet-stream", "image/png", "image/jpeg", "text/plain")


@each("json-refused", *FORMS)
def json_refused(target: Target, operation: str) -> Findings:
    path = target.spec.operations[operation].path
    answer = target.post(path, **target.sample(operation, image="image.png"))
    if answer.status not in (400, 415):
        yield f"a JSON body was answered {answer.status}"


@each("part-type", *FORMS)
def part_type(target: Target, operation: str) -> Findings:
    picture = scene(HOLE)
    for kind in KINDS:
        answer = target.call(operation, image=file(picture, media_type=kind))
        if answer.status != 200:
            yield f"a PNG sent as {kind} was answered {answer.status}"


@each("n-text", *FORMS)
def n_text(target: Target, operation: str) -> Findings:
    for text in ("two", "1.5", "2 images"):
        answer = target.call(operation, n=text)
        if not answer.refused:
            yield f"an n of {text!r} was answered {answer.status}"


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


def strayed(target: Target, picture: "Image", **more: Any) -> Findings:
    """Findings where an edit changed what is not in the hole."""
    for edited in drawn(target, EDIT, image=file(picture), size=SMALL, **more):
        outside, inside = changed(picture, edited, HOLE)
        if outside:
            yield f"outside of {HOLE} the image differed, within {outside}"
        elif not inside:
            raise Absent("change where the image is transparent")
