"""Drives every operation with the newest library, and a stream without blocking."""

import asyncio

import v1_6
from openai import AsyncOpenAI
from telling import BASE_URL, GREEDY, MESSAGES, joined, tell


async def streamed() -> None:
    async with AsyncOpenAI(base_url=BASE_URL, api_key="sk-test") as client:
        chunks = await client.chat.completions.create(
            model="gpt-3.5-turbo", messages=MESSAGES, stream=True, n=2, **GREEDY
        )
        choices = [chunk.choices[0] async for chunk in chunks]
    tell("chat stream", joined((one.index, one.delta.content) for one in choices))


v1_6.main()
asyncio.run(streamed())
