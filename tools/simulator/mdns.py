"""What the meter announces on the network (DNS-SD), as its firmware's service files say."""

import asyncio
import socket

from zeroconf import IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from .config import MeterConfig

HTTP_PORT = 80  # announced even where the meter's firewall closes it


def services(config: MeterConfig, address: str, mqtt_port: int, rest_port: int | None) -> list[ServiceInfo]:
    """List the services of a meter at `address`. `rest_port` None: it has no REST service (FLM03).

    That an FLM03 announces its broker under the FLM02's name is likely but not confirmed.
    """
    wanted: list[tuple[str, str, int, dict[str, str]]] = []
    if rest_port is not None:
        if config.branch_on("lan"):
            ids = {f"id{index}": str(entry["id"]) for index, entry in config.enabled() if entry.get("class") != "uart"}
            text = ids | {"path": "/sensor", "version": "1.0"}
            wanted.append(("_flukso._tcp.local.", "Flukso RESTful API", rest_port, text))
        wanted.append(("_http._tcp.local.", "Web Server", HTTP_PORT, {"path": "/"}))
    wanted.append(("_mqtt._tcp.local.", "MQTT Broker", mqtt_port, {}))
    return [
        ServiceInfo(
            kind,
            f"{label} on {config.hostname}.{kind}",
            addresses=[socket.inet_aton(address)],
            port=port,
            properties=text,
            server=f"{config.hostname}.local.",
        )
        for kind, label, port, text in wanted
    ]


class Announcer:
    """The meter's avahi: it announces on the interface that has the meter's address, IPv4 only."""

    def __init__(self, address: str) -> None:
        """Prepare to announce at `address`; a loopback address stays on this machine."""
        self._address = address
        self._zeroconf: AsyncZeroconf | None = None

    async def announce(self, config: MeterConfig, mqtt_port: int, rest_port: int | None) -> None:
        """Announce the meter, in place of what was announced before."""
        await self.withdraw()
        zeroconf = AsyncZeroconf(ip_version=IPVersion.V4Only, interfaces=[self._address])
        self._zeroconf = zeroconf
        wanted = services(config, self._address, mqtt_port, rest_port)
        announcements = await asyncio.gather(*map(zeroconf.async_register_service, wanted))
        await asyncio.gather(*announcements)

    async def withdraw(self) -> None:
        """Say goodbye."""
        zeroconf, self._zeroconf = self._zeroconf, None
        if zeroconf is not None:
            await zeroconf.async_unregister_all_services()
            await zeroconf.async_close()
