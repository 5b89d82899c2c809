"""The pieces that written deviations are made of."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from mockserver.deviation import Body
from mockserver.reply import Refuse, Reply
from spec import Operation, Refusal

Json = Any
Events = Callable[[Iterator[Any]], Iterator[Any]]


def refused_if(wrong: Callable[[Body], object]) -> Callable[[Operation, Body], Body]:
    """Refuses the bodies that ``wrong`` says yes to, lawful as they are."""

    def seam(operation: Operation, body: Body) -> Body:
        if wrong(body):
            raise Refuse(replace(operation.refusals["schema"], message="No."))
        return body

    return seam


def sent(**values: Json) -> Callable[[Operation, Body], Body]:
    """Takes a field that is not sent as if it had this value."""
    return lambda operation, body: {**values, **body}


def changed(**changes: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Changes fields of the handler's request, each by a function of its value."""

    def seam(request: Any) -> Any:
        new = {name: change(getattr(request, name)) for name, change in changes.items()}
        return replace(request, **new)

    return seam


def body_of(change: Callable[[Json], Json]) -> Callable[[Reply], Reply]:
    """Changes the body of a success."""

    def seam(reply: Reply) -> Reply:
        return replace(reply, body=change(reply.body)) if reply.status == 200 else reply

    return seam


def with_choices(change: Callable[[Json], Json]) -> Callable[[Reply], Reply]:
    """Changes each choice of a success."""
    return body_of(
        lambda body: {**body, "choices": [change(choice) for choice in body["choices"]]}
    )


def with_usage(change: Callable[[Json], Json]) -> Callable[[Reply], Reply]:
    """Changes the usage of a success; a total is made to fit."""
    return body_of(lambda body: {**body, "usage": summed(change(body["usage"]))})


def summed(usage: Mapping[str, int]) -> dict[str, int]:
    """A usage whose total is the sum of its parts."""
    total = usage["prompt_tokens"] + usage["completion_tokens"]
    return {**usage, "total_tokens": total}


def milliseconds(reply: Reply) -> Reply:
    """Tells the time of creation in milliseconds."""
    return body_of(lambda body: {**body, "created": 1000 * body["created"]})(reply)


def total_wrong(reply: Reply) -> Reply:
    """Tells a total that is one more than its parts."""

    def changed(body: Json) -> Json:
        usage = body["usage"]
        wrong = {**usage, "total_tokens": usage["total_tokens"] + 1}
        return {**body, "usage": wrong}

    return body_of(changed)(reply)


def loaded_model(operation: Operation, body: Body) -> Body:
    """Takes an unknown model for the one that is loaded."""
    if str(body.get("model", "")).startswith("assay-no-such"):
        return {**body, "model": operation.sample["model"]}
    return body


def scores(change: Callable[[Json], Json]) -> Callable[[Json], Json]:
    """Changes the logprobs of a choice that has any."""

    def seam(choice: Json) -> Json:
        found = choice.get("logprobs")
        return {**choice, "logprobs": change(found)} if found else choice

    return seam


def chunks(change: Callable[[Json], Json]) -> Events:
    """Changes each chunk of a stream; neither its terminator nor a fault it ends in."""

    def seam(items: Iterator[Any]) -> Iterator[Any]:
        for item in items:
            whole = not isinstance(item, dict) or "error" in item
            yield item if whole else change(item)

    return seam


def parts(change: Callable[[Json], Json]) -> Events:
    """Changes each choice of each chunk."""
    return chunks(
        lambda chunk: {
            **chunk,
            "choices": [change(choice) for choice in chunk["choices"]],
        }
    )


def forgiven(name: str) -> Callable[[Refusal], Refusal | None]:
    """Goes on where the refusal ``name`` was due."""
    return lambda refusal: None if refusal.name == name else refusal


def told(name: str, **changes: Any) -> Callable[[Refusal], Refusal]:
    """Tells the refusal ``name`` with ``changes``."""
    return lambda no: replace(no, **changes) if no.name == name else no


def without(value: Mapping[str, Json], *names: str) -> dict[str, Json]:
    return {key: item for key, item in value.items() if key not in names}
