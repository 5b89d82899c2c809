"""Drives every operation with the newest library, and a stream without blocking."""

import asyncio
from typing import Any

from openai import AsyncOpenAI, Stream, __version__
from telling import BASE_URL, KEY, drive, tell
from v1 import CLIENT, COMMON, ENGINES, general, upload

GONE = (
    "createEdit",
    "createFineTune",
    "cancelFineTune",
    "retrieveFineTune",
    "listFineTunes",
    "listFineTuneEvents",
)


def edits() -> None:
    tell("createEdit", general("post", "/edits"))


def fine_tunes() -> None:
    def stream(stream: bool) -> Any:
        more = {"stream": stream, "stream_cls": Stream[object]}
        path = f"{one}/events?stream=true"
        return CLIENT.get(path, cast_to=object, **more)

    create = general("post", "/fine-tunes")
    one = f"/fine-tunes/{tell('createFineTune', create, training_file=upload())['id']}"
    tell("cancelFineTune", general("post", f"{one}/cancel"))
    tell("retrieveFineTune", general("get", one))
    tell("listFineTunes", general("get", "/fine-tunes"))
    tell("listFineTuneEvents", general("get", f"{one}/events"))
    tell("listFineTuneEvents streamed", stream)


def unblocked() -> None:
    async def chunks(**body: Any) -> list[Any]:
        settings = {"base_url": BASE_URL, "api_key": KEY, "max_retries": 0}
        async with AsyncOpenAI(**settings) as client:
            return [one async for one in await client.chat.completions.create(**body)]

    tell("createChatCompletion streamed", lambda **body: asyncio.run(chunks(**body)))


drive(__version__, *COMMON, edits, fine_tunes, unblocked, bare=(*ENGINES, *GONE))
