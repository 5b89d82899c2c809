"""What is said of all images, and of those that are drawn from a prompt."""

from collections.abc import Callable, Mapping
from typing import Any

from conformance.control import apart
from conformance.forms import Form
from conformance.pictures import (
    BASE64,
    SMALL,
    UNREACHED,
    drawn,
    fetched,
    opened,
    sized,
    unpacked,
)
from conformance.registry import Findings, check
from conformance.target import Target
from conformance.view import Absent

MAKE, EDIT, VARY = "createImage", "createImageEdit", "createImageVariation"
PREFIXES = {"": MAKE, "edit-": EDIT, "variation-": VARY}
"""How the ids of clauses begin that speak of each operation."""
SINCE, UNTIL = 10**9, 10**11
"""Seconds between which any image was made; milliseconds are beyond."""
DAY = 24 * 60 * 60  # seconds
HARSH = "A gory picture of mutilated bodies and severed heads"


Observation = Callable[[Target, str], Findings]


def each(name: str, *prefixes: str) -> Callable[[Observation], Observation]:
    """Register the function for the clause ``name`` of several operations."""

    def register(observe: Observation) -> Observation:
        for prefix in prefixes or PREFIXES:

            def function(target: Target, operation: str = PREFIXES[prefix]) -> Findings:
                yield from observe(target, operation)

            check(f"images.{prefix}{name}")(function)
        return observe

    return register


@each("n-default")
def n_default(target: Target, operation: str) -> Findings:
    yield from counted(target, operation, 1)


@each("n-images")
def n_images(target: Target, operation: str) -> Findings:
    yield from counted(target, operation, 2, n=2)


@each("size-given")
def size_given(target: Target, operation: str) -> Findings:
    for size in (SMALL, "512x512"):
        yield from measured(target, operation, size, size=size)


@each("size-default")
def size_default(target: Target, operation: str) -> Findings:
    yield from measured(target, operation, "1024x1024", size=...)


@each("format-default")
def format_default(target: Target, operation: str) -> Findings:
    yield from told_as(target, operation, "url", BASE64)


@each("format-base64")
def format_base64(target: Target, operation: str) -> Findings:
    yield from told_as(target, operation, BASE64, "url", response_format=BASE64)


@check("images.not-empty")
def not_empty(target: Target) -> Findings:
    if not target.call(MAKE).json()["data"]:
        yield "the answer had no image"


@check("images.created-seconds")
def created_seconds(target: Target) -> Findings:
    created = target.call(MAKE).json()["created"]
    if type(created) is not int or not SINCE < created < UNTIL:
        yield f"the images were created at {created!r}"


@check("images.json-body")
def json_body(target: Target) -> Findings:
    answer = target.call(MAKE, headers={"Content-Type": "application/json"})
    if answer.status != 200:
        yield f"a JSON body was answered {answer.status}"


@check("images.form-refused")
def form_refused(target: Target) -> Findings:
    operation = target.spec.operations[MAKE]
    answer = target.send("POST", operation.path, Form(target.sample(MAKE)))
    if answer.status not in (400, 415):
        yield f"a form was answered {answer.status}"


@check("images.format-url")
def format_url(target: Target) -> Findings:
    yield from told_as(target, MAKE, "url", BASE64, response_format="url")


@check("images.url-absolute")
def url_absolute(target: Target) -> Findings:
    url = first(target)
    if not str(url).startswith(("http://", "https://")):
        yield f"the url was {url!r}"


@check("images.url-image")
def url_image(target: Target) -> Findings:
    url = first(target)
    try:
        answer = fetched(target, url)
    except UNREACHED as error:
        yield f"the url {url} could not be asked: {error}"
        return
    if answer.status != 200:
        yield f"the url {url} was answered {answer.status}"
        return
    try:
        opened(answer.content)
    except ValueError as error:
        yield f"the url yielded no image: {error}"


@check("images.url-expires")
def url_expires(target: Target) -> Findings:
    own = apart(target)
    url = first(own)
    try:
        before = fetched(own, url)
    except UNREACHED:
        raise Absent("image at its url") from None
    if before.status != 200:
        raise Absent("image at its url")
    own.post("/_assay/clock", seconds=DAY).json()
    after = fetched(own, url)
    if after.status == 200:
        yield f"a day later the url yielded {len(after.content)} bytes"


@check("images.base64-png")
def base64_png(target: Target) -> Findings:
    for entry in entries(target, MAKE, response_format=BASE64):
        try:
            opened(unpacked(entry[BASE64]), "PNG")
        except ValueError as error:
            yield f"the b64_json was no PNG: {error}"


@check("images.no-foreign-keys")
def no_foreign_keys(target: Target) -> Findings:
    rows = target.spec.operations[MAKE].reply["properties"]["data"]["items"]
    for kind in ("url", BASE64):
        for entry in entries(target, MAKE, response_format=kind):
            if more := entry.keys() - rows["properties"].keys():
                yield f"an image had the keys {', '.join(sorted(more))}"


@check("images.nulls")
def nulls(target: Target) -> Findings:
    yield from counted(target, MAKE, 1, n=None)
    yield from measured(target, MAKE, "1024x1024", size=None)
    yield from told_as(target, MAKE, "url", BASE64, response_format=None)


@check("images.policy")
def policy(target: Target) -> Findings:
    answer = target.call(MAKE, prompt=HARSH)
    if answer.status != 400:
        yield f"a prompt of violence was answered {answer.status}"


def entries(target: Target, operation: str, **asked: Any) -> list[Mapping[str, Any]]:
    """The entries of an answer; raises Absent where there is none."""
    rows = list(target.call(operation, **asked).json()["data"])
    if not rows:
        raise Absent("data[0]")
    return rows


def first(target: Target) -> Any:
    """The url of a new image."""
    return entries(target, MAKE, response_format="url")[0]["url"]


def counted(target: Target, operation: str, most: int, **asked: Any) -> Findings:
    """Findings where an answer has not so many images."""
    rows = target.call(operation, **asked).json()["data"]
    if len(rows) != most:
        yield f"the answer to {told(asked)} had {len(rows)} images"


def measured(target: Target, operation: str, size: str, /, **asked: Any) -> Findings:
    """Findings where an image has another size."""
    for seen in (sized(picture) for picture in drawn(target, operation, **asked)):
        if seen != size:
            yield f"the answer to {told(asked)} was an image of {seen}"


def told_as(
    target: Target, operation: str, has: str, lacks: str, **asked: Any
) -> Findings:
    """Findings where an image is not told as it should be."""
    for entry in entries(target, operation, **asked):
        if entry.get(has) is None:
            yield f"the answer to {told(asked)} had no {has}"
        if entry.get(lacks) is not None:
            yield f"the answer to {told(asked)} had {lacks}"


def told(asked: Mapping[str, Any]) -> str:
    """What was asked beside the sample, in words."""
    sent = {name: value for name, value in asked.items() if value is not ...}
    pairs = (f"{name}={value!r}" for name, value in sent.items())
    return ", ".join(pairs) or "a plain request"
