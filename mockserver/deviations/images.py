"""Faults of images that are drawn from a prompt, and of the models that draw them."""

import base64
from collections.abc import Callable
from io import BytesIO
from typing import Any

from mockserver.deviation import Body, Deviation
from mockserver.deviations.api import Told
from mockserver.faults import body_of, changed, refused_if, sent, told, without
from mockserver.gallery import PICTURE
from mockserver.reply import Reply
from spec import Operation, Refusal

MAKE = ("createImage",)
ALL = (*MAKE, "createImageEdit", "createImageVariation")
MODELS = ("dall-e-2", "dall-e-3")
NEWER = MODELS[1]
CENTURY = 100 * 365 * 24 * 60 * 60  # seconds
ELSEWHERE = "http://localhost:1"  # where the server that draws thinks that it is
LONGEST = 4000  # characters of a prompt
EVERYTHING = ("*", "api.*")


def fault(
    id: str, noticed_by: str, operations: tuple[str, ...], *also: str, **seams: Any
) -> Deviation:
    """A deviation of the resource ``images``."""
    patterns = tuple(p if "." in p else f"images.{p}" for p in also)
    return Deviation(
        f"images.{id}", f"images.{noticed_by}", operations, patterns, **seams
    )


def entries(change: Callable[[Body], Body]) -> Callable[[Reply], Reply]:
    """Changes each image of a success."""
    return body_of(
        lambda body: {**body, "data": [change(entry) for entry in body["data"]]}
    )


def moved(host: str) -> Callable[[Body], Body]:
    """The urls name another host, or none."""

    def move(entry: Body) -> Body:
        if "url" not in entry:
            return entry
        path = entry["url"].partition("/images/")[2]
        return {**entry, "url": f"{host}/images/{path}"}

    return move


def packed(change: Callable[[str], str]) -> Callable[[Body], Body]:
    """Changes the base64 of an image that has it."""

    def repack(entry: Body) -> Body:
        text = entry.get("b64_json")
        return entry if text is None else {**entry, "b64_json": change(text)}

    return repack


def jpeg(text: str) -> str:
    """The same picture as a JPEG."""
    from PIL import Image

    file = BytesIO()
    Image.open(BytesIO(base64.b64decode(text))).convert("RGB").save(file, "JPEG")
    return base64.b64encode(file.getvalue()).decode()


def both_ways(body: Body, reply: Reply) -> Reply:
    """A url that is asked for comes with the bytes."""
    if body.get("response_format") != "url":
        return reply
    return entries(lambda entry: {**entry, "b64_json": "iVBORw0KGgo="})(reply)


def small_null(operation: Operation, body: Body) -> Body:
    """A size of null is the smallest, and not the default."""
    return {**body, "size": "256x256"} if body.get("size", ...) is None else body


def made(*names: str) -> Callable[[Refusal], Told]:
    """Answers with an image where one of these refusals is due."""
    entry = {"url": "http://localhost/images/img-made-up.png"}
    body = {"created": 1_680_000_000, "data": [entry]}
    return lambda no: Reply(body) if no.name in names else no


def ignored(wrong: Callable[[Body], object], name: str) -> Any:
    """Takes a field that is wrong as if it had not been sent."""
    return lambda operation, body: without(body, name) if wrong(body) else body


def other_model(body: Body) -> bool:
    """Whether a model is named that draws nothing, or is none."""
    return isinstance(body.get("model"), str) and body["model"] not in MODELS


def newer(body: Body) -> bool:
    return body.get("model") == NEWER


def misnamed(field: str, *names: str | None) -> Callable[[Body], bool]:
    return lambda body: field in body and body[field] not in names


def cut(operation: Operation, body: Body) -> Body:
    """A prompt that is too long loses its end."""
    prompt = body.get("prompt")
    return {**body, "prompt": prompt[:LONGEST]} if isinstance(prompt, str) else body


def two(operation: Operation, body: Body) -> Body:
    """Without n there are two images, where the model draws as many."""
    return body if newer(body) else {"n": 2, **body}


ANSWERS = (
    fault(
        "none",
        "not-empty",
        ALL,
        *EVERYTHING,
        on_reply=body_of(lambda body: {**body, "data": []}),
    ),
    fault(
        "created-milliseconds",
        "created-seconds",
        ALL,
        on_reply=body_of(lambda body: {**body, "created": 1000 * body["created"]}),
    ),
    fault(
        "json-refused",
        "json-body",
        MAKE,
        *EVERYTHING,
        on_body=refused_if(lambda body: True),
    ),
    fault(
        "form-taken",
        "form-refused",
        MAKE,
        "api.*",
        on_refusal=made("wrong-media-type"),
    ),
    fault("n-two", "n-default", MAKE, on_body=two),
    fault("n-ignored", "n-images", MAKE, on_request=changed(n=lambda _: 1)),
    fault(
        "size-ignored",
        "size-given",
        MAKE,
        "size-default",
        "nulls",
        on_request=changed(size=lambda _: "512x512"),
    ),
    fault("size-smaller", "size-default", MAKE, on_body=sent(size="512x512")),
    fault(
        "format-base64-first",
        "format-default",
        MAKE,
        on_body=sent(response_format="b64_json"),
    ),
    fault("format-both", "format-url", MAKE, on_answer=both_ways),
    fault(
        "format-ignored",
        "format-base64",
        MAKE,
        on_request=changed(response_format=lambda _: "url"),
    ),
    fault("null-is-small", "nulls", MAKE, on_body=small_null),
    fault(
        "foreign-keys",
        "no-foreign-keys",
        ALL,
        on_reply=entries(lambda entry: {"embedding": None, "index": 0, **entry}),
    ),
    fault(
        "policy-unasked",
        "policy",
        MAKE,
        on_refusal=made("image-policy", "image-policy-code"),
    ),
)
PICTURES = (
    fault(
        "url-relative", "url-absolute", ALL, "url-image", on_reply=entries(moved(""))
    ),
    fault("url-elsewhere", "url-image", ALL, on_reply=entries(moved(ELSEWHERE))),
    fault("url-empty", "url-image", MAKE, routes=lambda path: path != PICTURE),
    fault(
        "url-for-ever",
        "url-expires",
        ALL,
        on_request=changed(lifetime=lambda _: CENTURY),
    ),
    fault(
        "base64-data-url",
        "base64-png",
        ALL,
        on_reply=entries(packed(lambda text: f"data:image/png;base64,{text}")),
    ),
    fault("base64-jpeg", "base64-png", MAKE, on_reply=entries(packed(jpeg))),
)
DRAWERS = (
    fault(
        "one-model",
        "models",
        MAKE,
        *EVERYTHING,
        on_body=refused_if(newer),
    ),
    fault("any-model", "model-other", MAKE, on_body=ignored(other_model, "model")),
    fault(
        "newer-by-default",
        "model-default",
        MAKE,
        *EVERYTHING,
        on_body=sent(model=NEWER),
    ),
    fault("prompt-cut", "prompt-dall-e-3", MAKE, "fuzz-invalid", on_body=cut),
    fault(
        "size-any",
        "size-names-five",
        MAKE,
        "fuzz-invalid",
        on_body=ignored(
            misnamed(
                "size",
                *(None, "256x256", "512x512", "1024x1024", "1792x1024", "1024x1792"),
            ),
            "size",
        ),
    ),
    fault(
        "quality-any",
        "quality-names",
        MAKE,
        "quality-*",
        "fuzz-invalid",
        on_body=ignored(misnamed("quality", "standard", "hd"), "quality"),
    ),
    fault(
        "style-any",
        "style-names",
        MAKE,
        "fuzz-invalid",
        on_body=ignored(misnamed("style", None, "vivid", "natural"), "style"),
    ),
    fault(
        "prompt-kept-secret",
        "revised-prompt",
        MAKE,
        on_reply=entries(lambda entry: without(entry, "revised_prompt")),
    ),
    fault(
        "policy-codeless",
        "policy-code",
        MAKE,
        on_refusal=told("image-policy-code", code=None),
    ),
    *(
        fault(
            f"{kind}-any-model",
            f"{kind}-model-other",
            (operation,),
            on_body=ignored(other_model, "model"),
        )
        for kind, operation in (("edit", ALL[1]), ("variation", ALL[2]))
    ),
)
DEVIATIONS = (*ANSWERS, *PICTURES, *DRAWERS)
