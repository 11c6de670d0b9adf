"""The process with the members: each sends what it read, and listens until it has its acknowledgement and its shares.

They share one connection to the broker: many would be the broker's work, and none of the organiser's.
"""

import asyncio
from collections.abc import Iterable
import logging
import random
import ssl
import time
from typing import Any, Final

import aiomqtt

from custom_components.energy_neighbours.core.messages import (
    Live,
    LiveShare,
    Reading,
    ReadingQuarter,
    Request,
    Share,
    ShareQuarter,
    decode,
    encode,
)
from custom_components.energy_neighbours.core.topics import ROOT, Kind, member_topic, parse_topic
from tools.bench.worker import Answer, arguments, serve

from .street import COMMUNITY, FIRST_REVISION, Street, device

PATIENCE: Final = 300
"""After this time [s] something was lost."""
HEARD: Final = (Kind.REQUEST, Kind.SHARE, Kind.LIVE_SHARE)


class _Crowd:
    """All members of a street.

    Parameters
    ----------
    client
        Their connection.
    street
        Where they live.
    ahead
        How far the organiser's clock is ahead of this process's [s].
    """

    def __init__(self, client: aiomqtt.Client, street: Street, ahead: float) -> None:
        self._client = client
        self._street = street
        self._ahead = ahead
        self._quarters = street.quarters(street.span)
        self._seen = dict.fromkeys(self._quarters, FIRST_REVISION)
        self._shares: dict[str, dict[int, ShareQuarter]] = {code: {} for code in self._quarters}
        self._unacknowledged = {code: {each.start for each in quarters} for code, quarters in self._quarters.items()}
        self._waiting = set(self._quarters)
        self._served = asyncio.Event()
        self._live_shares = 0

    async def listen(self) -> None:
        """Take what the organiser tells."""
        async for message in self._client.messages:
            topic, payload = parse_topic(message.topic.value), message.payload
            if not isinstance(payload, bytes) or topic is None or topic.code not in self._quarters:
                raise RuntimeError(f"nobody listens to {message.topic}")
            code = topic.code
            match topic.kind:
                case Kind.REQUEST:
                    self._take_request(code, decode(Request, payload))
                case Kind.SHARE:
                    self._take_shares(code, decode(Share, payload))
                case _:
                    decode(LiveShare, payload)
                    self._live_shares += 1

    def _take_request(self, code: str, message: Request) -> None:
        if message.refused or message.other_device:
            raise RuntimeError(f"the organiser does not take what {code} sent: {message}")
        self._unacknowledged[code] -= {each.start for each in message.acknowledged}
        self._look(code)

    def _take_shares(self, code: str, message: Share) -> None:
        if message.after > self._seen[code]:
            raise RuntimeError(f"{code} missed shares between revisions {self._seen[code]} and {message.after}")
        self._seen[code] = max(self._seen[code], message.revision)
        known = self._shares[code]
        for each in message.quarters:
            if each.start not in known or known[each.start].revision <= each.revision:
                known[each.start] = each
        self._look(code)

    def _look(self, code: str) -> None:
        """Look whether a member has all that it waits for."""
        known = self._shares[code]
        final = all(start in known and not known[start].provisional for start in self._street.span.quarter_hours)
        if final and not self._unacknowledged[code]:
            self._waiting.discard(code)
            if not self._waiting:
                self._served.set()

    async def send(self, seconds: float) -> Answer:
        """Let all send what they read, each at a moment of its own within some time; wait until all are served."""
        begin = time.perf_counter()
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
            for code, after in self._moments(seconds):
                group.create_task(self._send(code, after))
            await self._served.wait()
        shares = {
            code: [[known[start].offered, known[start].allocated] for start in self._street.span.quarter_hours]
            for code, known in self._shares.items()
        }
        return {"seconds": time.perf_counter() - begin, "shares": shares}

    async def _send(self, code: str, after: float) -> None:
        await asyncio.sleep(after)
        message = Reading(
            issued_at=self._now(),
            device=device(code),
            shares_seen=self._seen[code],
            quarters=tuple(self._quarters[code]),
        )
        await self._client.publish(member_topic(COMMUNITY, code, Kind.READING), encode(message), qos=1)

    async def tell_power(self, seconds: float, every: float) -> Answer:
        """Let all tell their power again and again for some time; return how many live shares they were told."""
        self._live_shares = 0
        async with asyncio.TaskGroup() as group:
            for code, after in self._moments(every):
                group.create_task(self._tell_power(code, after, every, round(seconds / every)))
            await asyncio.sleep(seconds)
        return {"told": self._live_shares}

    async def _tell_power(self, code: str, after: float, every: float, times: int) -> None:
        reading: ReadingQuarter = self._quarters[code][-1]
        for number in range(times):
            await asyncio.sleep(every if number else after)
            live = Live(
                issued_at=self._now(),
                time=time.time() + self._ahead,
                offtake=4 * (reading.offtake or 0),
                injection=4 * (reading.injection or 0),
            )
            await self._client.publish(member_topic(COMMUNITY, code, Kind.LIVE), encode(live), qos=0)

    def _moments(self, seconds: float) -> Iterable[tuple[str, float]]:
        """Yield each member with its moment [s], in an order that does not follow their names."""
        codes = list(self._quarters)
        dice = random.Random(len(codes))  # noqa: S311 - not for secrets
        dice.shuffle(codes)
        for code in codes:
            yield code, dice.uniform(0, seconds)

    def _now(self) -> int:
        return int(time.time() + self._ahead)


async def _main() -> None:
    given: dict[str, Any] = arguments()
    broker = given["broker"]
    async with aiomqtt.Client(
        broker["host"],
        broker["port"],
        username=broker["username"],
        password=broker["password"],
        tls_context=ssl.create_default_context(cadata=broker["ca"]),
    ) as client:
        crowd = _Crowd(client, Street(**given["street"]), given["ahead"])
        for kind in HEARD:
            await client.subscribe(f"{ROOT}/{COMMUNITY}/members/+/{kind}", qos=kind.qos)
        listening = asyncio.create_task(crowd.listen())

        async def answer(question: dict[str, Any]) -> Answer:
            asked = question.pop("ask")
            answering = asyncio.create_task(crowd.send(**question) if asked == "send" else crowd.tell_power(**question))
            await asyncio.wait([answering, listening], return_when=asyncio.FIRST_COMPLETED)
            if listening.done():
                answering.cancel()
                await listening
            return await answering

        await serve({}, answer)
        listening.cancel()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(_main())
