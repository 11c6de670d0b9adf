"""A real broker for members that are far away, and how to wait for what comes over it."""

import asyncio
from collections.abc import Callable
from datetime import datetime
import inspect
from pathlib import Path
import ssl
import time
from typing import Any
from zoneinfo import ZoneInfo

from custom_components.energy_neighbours.core.quarter_hour import QUARTER, QuarterHour, quarter_start
from custom_components.energy_neighbours.link import Broker
from tools.broker import ORGANISER, add_member, create
from tools.mosquitto import Mosquitto, free_port

STREET = "street00"
END = quarter_start(time.time()) - 4 * QUARTER
"""An hour ago, so that nobody is waited for."""
BEGIN = datetime.fromtimestamp(END - 2 * 86_400, ZoneInfo("Europe/Brussels")).date()
"""The first day of a membership."""


async def eventually(look: Callable[[], Any], expected: Any = True) -> None:
    """Wait until something is as expected; what is looked at may have to be awaited."""
    async with asyncio.timeout(60):
        while True:
            found = look()
            if inspect.isawaitable(found):
                found = await found
            if found == expected or (expected is True and found):
                return
            await asyncio.sleep(0.05)


class Street:
    """A broker with its organiser and members."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        password = create(folder, community=STREET, host="127.0.0.1", port=self.port, bind="127.0.0.1")
        self.passwords = {ORGANISER: password}
        self.mosquitto: Mosquitto | None = None

    def start(self) -> None:
        self.mosquitto = Mosquitto(self.folder, configured=True)

    def stop(self) -> None:
        if self.mosquitto:
            self.mosquitto.__exit__()
            self.mosquitto = None

    def broker(self, user: str) -> Broker:
        if user not in self.passwords:
            self.passwords[user] = add_member(self.folder, user)
        pem = (self.folder / "ca.pem").read_text()
        return Broker("127.0.0.1", self.port, True, ssl.PEM_cert_to_DER_cert(pem), user, self.passwords[user])


def hour(offtake: int, injection: int = 0, count: int = 4) -> list[QuarterHour]:
    """Return quarter-hours that end an hour ago."""
    return [QuarterHour(END - (count - number) * QUARTER, offtake, injection, None) for number in range(count)]
