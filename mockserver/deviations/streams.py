"""Faults of streams, for completions and for chat."""

from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import Any

from mockserver.deviation import Body, Deviation, mended
from mockserver.faults import changed, chunks, parts, refused_if, without

Json = Any
OPERATIONS = {"completions": "createCompletion", "chat": "createChatCompletion"}


def all_but_last(items: Iterator[Any]) -> Iterator[Any]:
    held = next(items, None)
    for item in items:
        yield held
        held = item


def one_buffer(pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield b"".join(pieces)


def new_ids(items: Iterator[Any]) -> Iterator[Any]:
    number = count()
    return chunks(lambda chunk: {**chunk, "id": f"{chunk['id']}-{next(number)}"})(items)


def later_and_later(items: Iterator[Any]) -> Iterator[Any]:
    number = count()
    return chunks(lambda chunk: {**chunk, "created": chunk["created"] + next(number)})(
        items
    )


def never_finished(choice: Json) -> Json:
    return {**choice, "finish_reason": None}


def finished_as(word: str | None) -> Any:
    """Says ``word`` where the finish reason is null; leaves the key out for None."""

    def change(choice: Json) -> Json:
        if choice["finish_reason"] is not None:
            return choice
        if word is None:
            return without(choice, "finish_reason")
        return {**choice, "finish_reason": word}

    return change


def first_choice_finished(choice: Json) -> Json:
    return choice if choice["index"] == 0 else never_finished(choice)


def with_usage_chunk(items: Iterator[Any]) -> Iterator[Any]:
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    chunk: Json = {}
    for item in items:
        if isinstance(item, str):
            yield {**chunk, "choices": [], "usage": usage}
        else:
            chunk = item
        yield item


def text_of(choice: Json) -> str:
    if "delta" in choice:
        return choice["delta"].get("content") or ""
    return choice.get("text") or ""


def with_text(choice: Json, text: str) -> Json:
    if "delta" in choice:
        return {**choice, "delta": {**choice["delta"], "content": text}}
    return {**choice, "text": text}


def second_piece_lost(items: Iterator[Any]) -> Iterator[Any]:
    seen = 0
    for item in items:
        if not isinstance(item, str) and text_of(item["choices"][0]):
            seen += 1
            if seen == 2:
                continue
        yield item


def characters_split(items: Iterator[Any]) -> Iterator[Any]:
    """Decodes the bytes of each token alone, as they were never put together."""

    def torn(choice: Json) -> Json:
        text = text_of(choice)
        return choice if text.isascii() else with_text(choice, "�" * len(text))

    return parts(torn)(items)


def text_at_the_end(items: Iterator[Any]) -> Iterator[Any]:
    """Holds a choice's text back until its finish reason is known."""
    held: dict[int, str] = {}
    for item in items:
        if isinstance(item, str):
            yield item
            continue
        choice = item["choices"][0]
        index = choice["index"]
        held[index] = held.get(index, "") + text_of(choice)
        if choice["finish_reason"] is not None:
            yield {
                **item,
                "choices": [{**with_text(choice, held[index]), "finish_reason": None}],
            }
            yield {
                **item,
                "choices": [with_text(choice, "") if "text" in choice else choice],
            }


def never_hung_up(items: Iterator[Any]) -> Iterator[Any]:
    """Goes on generating for a client that has left."""
    try:
        yield from _unclosed(items)
    except GeneratorExit:
        for _ in items:
            pass


def _unclosed(items: Iterator[Any]) -> Iterator[Any]:
    while True:
        item = next(items, None)
        if item is None:
            return
        yield item


def named_events(pieces: Iterator[bytes]) -> Iterator[bytes]:
    return (b"event: message\n" + piece for piece in pieces)


def no_space(pieces: Iterator[bytes]) -> Iterator[bytes]:
    return (piece.replace(b"data: ", b"data:", 1) for piece in pieces)


def pings(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield b": ping\n\n"
        yield piece


def comments_as_data(pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield b"data: : PROCESSING\n\n"
    yield from pieces


def two_in_one(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Puts an error into an event that is not finished."""
    first = next(pieces)
    yield first.rstrip(b"\n") + b' {"error": {"message": "late"}}\n\n'
    yield from pieces


def empty_ids(items: Iterator[Any]) -> Iterator[Any]:
    return chunks(lambda chunk: {**chunk, "id": ""})(items)


def index_of_token(items: Iterator[Any]) -> Iterator[Any]:
    """Numbers the tokens where the choices should be numbered."""
    number = count()
    return parts(lambda choice: {**choice, "index": next(number)})(items)


def fault_as_chunk(items: Iterator[Any]) -> Iterator[Any]:
    """Tells a failure in an event, and then ends as if nothing had happened."""
    yield next(items)
    for _ in items:  # what was sampled is counted all the same
        pass
    yield {"error": {"message": "failed", "type": "server_error"}}
    yield "[DONE]"


def several_streamed(body: Body) -> bool:
    return bool(body.get("stream")) and (body.get("n") or 1) != 1


def cut_off(items: Iterator[Any]) -> Iterator[Any]:
    """Ends in the middle, as a connection does that simply closes."""
    yield next(items)
    if (second := next(items, None)) is not None:
        yield second


def _both() -> Iterator[Deviation]:
    for resource, operation in OPERATIONS.items():
        fault = partial(_fault, resource, operation)
        stream, stop = f"{resource}.stream-*", f"{resource}.stop-across-tokens"
        scores = f"{resource}.logprobs-streamed"
        yield fault("without-done", "done", on_events=all_but_last)
        yield fault("cut-off", "done", also=(stream, stop, scores), on_events=cut_off)
        yield fault("id-changes", "one-answer", on_events=new_ids)
        yield fault("id-empty", "chunks", on_events=empty_ids)
        yield fault(
            "index-of-token", "choices", also=(stream, scores), on_events=index_of_token
        )
        yield fault(
            "fault-as-chunk",
            "chunks",
            also=(stream, stop, scores),
            on_events=fault_as_chunk,
        )
        yield fault(
            "n-refused",
            "choices",
            on_body=refused_if(several_streamed),
            also=(stream,),
        )
        yield fault("created-drifts", "one-answer", on_events=later_and_later)
        yield fault(
            "never-finished", "finish", also=(stream,), on_events=parts(never_finished)
        )
        yield fault(
            "finish-empty",
            "finish-null",
            on_events=parts(finished_as("")),
            also=(f"{resource}.stream-fold",),
        )
        yield fault(
            "finish-null-word",
            "finish-null",
            on_events=parts(finished_as("null")),
            also=(f"{resource}.stream-fold",),
        )
        yield fault(
            "finish-key-missing", "finish-null", on_events=parts(finished_as(None))
        )
        yield fault(
            "one-choice-finished", "choices", on_events=parts(first_choice_finished)
        )
        yield fault(
            "usage-unasked", "no-usage", on_events=with_usage_chunk, also=(stream,)
        )
        yield fault(
            "piece-lost",
            "fold",
            on_events=second_piece_lost,
            also=(stop, scores, f"{resource}.stream-whole-characters"),
        )
        yield fault("characters-split", "whole-characters", on_events=characters_split)
        yield fault(
            "text-at-the-end",
            "pieces",
            on_events=text_at_the_end,
            also=(stream, scores),
        )
        yield fault(
            "buffered",
            "as-available",
            on_bytes=one_buffer,
            also=(f"{resource}.stream-hang-up",),
        )
        yield fault("never-hung-up", "hang-up", on_events=never_hung_up)
        yield fault(
            "named-events",
            "data-only",
            on_bytes=named_events,
            also=(f"{resource}.stream-framing",),
        )
        yield fault("no-space", "framing", on_bytes=no_space)
        yield fault("pings", "framing", on_bytes=pings)
        yield fault(
            "comment-as-data",
            "framing",
            on_bytes=comments_as_data,
            also=(stream, stop, scores),
        )
        yield fault(
            "two-values-in-one-event",
            "framing",
            on_bytes=two_in_one,
            also=(stream, stop, scores),
        )
        yield fault(
            "as-text", "content-type", also=(stream, stop, scores), on_headers=_as_text
        )
        yield fault(
            "always", "default", also=("*",), on_request=changed(stream=lambda _: True)
        )


def _as_text(headers: dict[str, str]) -> dict[str, str]:
    if headers["content-type"] != "text/event-stream":
        return headers
    return mended(headers, content_type="text/plain")


def _fault(
    resource: str, operation: str, name: str, clause: str, **seams: Any
) -> Deviation:
    return Deviation(
        f"{resource}.stream-{name}",
        f"{resource}.stream-{clause}",
        (operation,),
        **seams,
    )


DEVIATIONS = tuple(_both())
