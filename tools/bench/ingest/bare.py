"""The process with a bare client: it reads topic and payload, keeps the last value of each topic, and does no more."""

import asyncio
import time
from typing import Any

import aiomqtt
import orjson

from tools.bench.worker import Answer, arguments, serve


async def _main() -> None:
    values: dict[str, tuple[int, float, str]] = {}
    count = 0

    async def listen(client: aiomqtt.Client) -> None:
        nonlocal count
        async for message in client.messages:
            stamp, value, unit = orjson.loads(message.payload)
            values[message.topic.value] = stamp, value, unit
            count += 1

    async def answer(_question: dict[str, Any]) -> Answer:
        return {"cpu": time.process_time(), "clock": time.monotonic(), "messages": count}

    client = aiomqtt.Client("127.0.0.1", arguments()["port"], protocol=aiomqtt.ProtocolVersion.V311)
    async with client:
        await client.subscribe("/sensor/#")
        listening = asyncio.create_task(listen(client))
        await serve({}, answer)
        listening.cancel()


if __name__ == "__main__":
    asyncio.run(_main())
