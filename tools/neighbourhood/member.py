"""A home far away that takes part in a community over its broker, as a household's Home Assistant does.

What it sends is what real homes measured, at the same weekday and time of day. It keeps nothing: after a restart it
sends all of it again, and the organiser knows what it has.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
import logging
import ssl
import time
from typing import Final

import aiomqtt

from custom_components.energy_neighbours.core.invitation import Invitation
from custom_components.energy_neighbours.core.message_fields import MessageError
from custom_components.energy_neighbours.core.messages import (
    MAX_QUARTERS,
    Consent,
    Live,
    Message,
    Reading,
    ReadingQuarter,
    Request,
    Share,
    decode,
    encode,
)
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, QUARTERS_PER_HOUR, Quality, quarter_start
from custom_components.energy_neighbours.core.topics import Kind, member_filters, member_topic, parse_topic

_LOGGER = logging.getLogger(__name__)

AGAIN: Final = 60.0
"""What is not acknowledged is sent again after this time [s]."""
LIVE: Final = 10.0
"""So often the power of now is told [s]."""
RETRY: Final = 3.0
"""A lost connection is tried again after this time [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How a home takes part.

    Parameters
    ----------
    energies
        Offtake and injection of the quarter-hour that begins at a time [s, Unix], in Wh.
    late
        It sends a quarter-hour so long after its end [s].
    away
        Whether it is away at a time [s, Unix]: then it is not connected.
    """

    energies: Callable[[int], tuple[int, int]]
    late: int = 0
    away: Callable[[float], bool] = lambda _time: False


class RemoteMember:
    """One home.

    Parameters
    ----------
    invitation
        With which it joined.
    since
        The first quarter-hour that it sends [s, Unix].
    habits
        What it does.
    """

    def __init__(self, invitation: Invitation, since: int, habits: Habits) -> None:
        self._invitation = invitation
        self._since = since
        self._habits = habits
        self._acknowledged: set[int] = set()
        self._sent: dict[int, float] = {}
        self._seen = 0
        self.shares: dict[int, int] = {}
        """What it was allocated, by start [Wh]."""

    async def run(self) -> None:
        """Take part until cancelled."""
        context = await asyncio.to_thread(self._trust)
        while True:
            if not self._habits.away(time.time()):
                with suppress(aiomqtt.MqttError, TimeoutError):
                    await self._stay(context)
            await asyncio.sleep(RETRY)

    def _trust(self) -> ssl.SSLContext | None:
        if not self._invitation.tls:
            return None
        context = ssl.create_default_context()
        if self._invitation.ca:
            context.load_verify_locations(cadata=self._invitation.ca)
        return context

    async def _stay(self, context: ssl.SSLContext | None) -> None:
        """Be connected until it goes away, or the connection breaks."""
        known = self._invitation
        client = aiomqtt.Client(
            known.host,
            known.port,
            username=known.username,
            password=known.password,
            identifier=known.username,
            tls_context=context,
        )
        async with client:
            for topic in member_filters(known.community, known.code):
                await client.subscribe(topic, qos=1)
            consent = Consent(issued_at=int(time.time()), readings=True, live=True, statistics=True, since=self._since)
            await self._send(client, Kind.CONSENT, consent)
            self._sent.clear()
            async with asyncio.TaskGroup() as tasks:
                listening = tasks.create_task(self._listen(client))
                while not self._habits.away(time.time()) and not listening.done():
                    await self._send_readings(client)
                    await self._send_live(client)
                    await asyncio.sleep(LIVE)
                listening.cancel()

    async def _send(self, client: aiomqtt.Client, kind: Kind, message: Message) -> None:
        topic = member_topic(self._invitation.community, self._invitation.code, kind)
        await client.publish(topic, encode(message), qos=kind.qos, retain=kind.retained)

    async def _send_readings(self, client: aiomqtt.Client) -> None:
        now = time.time()
        due = [
            start
            for start in range(self._since, quarter_start(now - self._habits.late), QUARTER)
            if start not in self._acknowledged and now - self._sent.get(start, 0) > AGAIN
        ][:MAX_QUARTERS]
        if not due:
            return
        quarters = tuple(
            ReadingQuarter(start, *self._habits.energies(start), None, Quality.MEASURED, 1) for start in due
        )
        code = self._invitation.code
        reading = Reading(issued_at=int(now), device=f"home-{code}", shares_seen=self._seen, quarters=quarters)
        await self._send(client, Kind.READING, reading)
        self._sent |= dict.fromkeys(due, now)

    async def _send_live(self, client: aiomqtt.Client) -> None:
        now = time.time()
        offtake, injection = (QUARTERS_PER_HOUR * energy for energy in self._habits.energies(quarter_start(now)))
        await self._send(client, Kind.LIVE, Live(issued_at=int(now), time=now, offtake=offtake, injection=injection))

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            topic = parse_topic(message.topic.value)
            if topic is None or not isinstance(message.payload, bytes) or not message.payload:
                continue
            try:
                if topic.kind is Kind.REQUEST:
                    await self._take_request(client, decode(Request, message.payload))
                elif topic.kind is Kind.SHARE:
                    self._take_share(decode(Share, message.payload))
            except MessageError as error:
                _LOGGER.warning("%s: %s", self._invitation.code, error)

    async def _take_request(self, client: aiomqtt.Client, request: Request) -> None:
        self._acknowledged |= {each.start for each in request.acknowledged}
        self._acknowledged |= {each.start for each in request.refused}
        for span in request.wanted:
            self._acknowledged -= set(span.quarter_hours)
            for start in span.quarter_hours:
                self._sent.pop(start, None)
        await self._send_readings(client)

    def _take_share(self, share: Share) -> None:
        if share.after <= self._seen:
            self._seen = max(self._seen, share.revision)
        self.shares |= {each.start: each.allocated for each in share.quarters}
