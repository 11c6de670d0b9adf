"""Finding Fluksometers: their mDNS names, and a first look at one for set-up."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
import re
import time
from typing import NoReturn

from .connection import open_connection
from .dispatch import Dispatcher
from .exceptions import FluksoConfigError, NotAFluksoError
from .messages import DropReason, is_id
from .models import Device, MessageKind, Reading

SERVICE_TYPES = ("_flukso._tcp.local.", "_mqtt._tcp.local.")
"""The mDNS service types under which a meter can be found; the second one may be any broker."""

SETTLE_CONFIG = 0.5
"""How long the parts of a configuration may follow each other [s]: retained ones come together, in any order."""

_INSTANCE = re.compile(r"(?:Flukso RESTful API|MQTT Broker) on (flukso-[0-9a-f]{6})(?:\.|$)")
_SENSOR_KEY = re.compile(r"id([0-9]{1,3})")
_PLACEHOLDER = "0123456789abcdef"


def hostname_of_service(instance: str) -> str | None:
    """Tell the meter's host name (`flukso-` and six digits of its id) from an mDNS name; None if it is no meter."""
    found = _INSTANCE.match(instance)
    return found[1] if found else None


def is_placeholder(sid: str) -> bool:
    """Whether this is one of the ids that the firmware shows until its first contact with the cloud."""
    return sid.startswith(_PLACEHOLDER)


def sensors_of_service(properties: Mapping[str, object]) -> dict[int, str]:
    """List the sensors that an FLM02 announces: config index to sid, without placeholders. Gaps are allowed."""
    sensors = {}
    for key, value in properties.items():
        found = _SENSOR_KEY.fullmatch(key)
        sid = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
        if found and is_id(sid) and not is_placeholder(sid):
            sensors[int(found[1])] = sid
    return sensors


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a first look at a meter found. `dids` are all devices on its broker, for it may be bridged to others."""

    device: Device
    readings: Mapping[str, Mapping[MessageKind, Reading]]
    dids: frozenset[str] = field(default_factory=frozenset)


async def survey(
    host: str,
    port: int = 1883,
    *,
    did: str | None = None,
    timeout: float = 10,  # noqa: ASYNC109 - it holds for each of two waits, and the second one's end is no error
    settle: float = 2.5,
) -> Survey:
    """Connect once, wait for the meter's configuration and collect its latest readings.

    Parameters
    ----------
    host, port
        Where the meter's broker is.
    did
        Which device to look at, if the broker may carry several; the first one found if None.
    timeout
        How long to wait for the connection, and then for the configuration [s].
    settle
        How long to collect after that [s]; an FLM03 sends everything once a second.

    Raises
    ------
    FluksoConnectionError
        Nobody answers, the name is unknown, or the link broke.
    FluksoAuthError
        The broker wants a user name.
    NotAFluksoError
        Something answers that is no broker, or a broker without any topic of a Fluksometer.
    FluksoConfigError
        A Fluksometer, but without a usable configuration in time.

    """
    described = asyncio.Event()
    readings: dict[str, dict[MessageKind, Reading]] = {}

    def keep(reading: Reading) -> None:
        readings.setdefault(reading.sid, {})[reading.kind] = reading

    dispatcher = Dispatcher(did=did, on_reading=keep, on_config=described.set, clock=time.time)
    async with open_connection(host, port, dispatcher.receive, limit=timeout) as connection:
        await connection.subscribe()
        lost = asyncio.create_task(connection.lost())
        try:
            await _until(described.wait(), lost, timeout)
            if described.is_set():
                await _until(asyncio.sleep(SETTLE_CONFIG), lost, timeout)
                dispatcher.announce()
                dispatcher.release()
                await _until(asyncio.sleep(max(0.0, settle - SETTLE_CONFIG)), lost, settle)
                dispatcher.announce()
        finally:
            lost.cancel()
            await asyncio.gather(lost, return_exceptions=True)
    if dispatcher.device is None:
        raise _failure(dispatcher, host)
    known = dispatcher.device.sensors
    return Survey(
        device=dispatcher.device,
        readings={sid: kinds for sid, kinds in readings.items() if sid in known},
        dids=frozenset(dispatcher.dids),
    )


async def _until(goal: Coroutine[object, object, object], lost: asyncio.Task[NoReturn], limit: float) -> None:
    """Wait for the goal or the time-out, unless the link breaks first."""
    task = asyncio.ensure_future(goal)
    try:
        await asyncio.wait((task, lost), timeout=limit, return_when=asyncio.FIRST_COMPLETED)
    finally:
        task.cancel()
    if lost.done():
        lost.result()


def _failure(dispatcher: Dispatcher, host: str) -> FluksoConfigError | NotAFluksoError:
    dropped = dispatcher.statistics.dropped
    if dispatcher.did is not None and DropReason.OTHER_DEVICE in dropped and dispatcher.did not in dispatcher.dids:
        return FluksoConfigError(f"The broker at {host} carries other Fluksometers, but not {dispatcher.did}.")
    if dispatcher.heard:
        return FluksoConfigError(f"The Fluksometer at {host} did not publish a usable configuration in time.")
    return NotAFluksoError(f"The broker at {host} carries no Fluksometer.")
