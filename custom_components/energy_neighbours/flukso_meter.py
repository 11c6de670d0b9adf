"""A Fluksometer as a site's meter."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
import time
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .const import CONF_DID, DOMAIN
from .core.channel import LayoutError, Role, SiteLayout
from .core.clock_referee import ClockReferee
from .core.counter import CounterState, CounterTrack, StepKind
from .core.pulse import pulse_rate_now
from .core.quarter_hour_meter import LATENESS, LISTENING
from .flukso.client import FluksoClient, LinkState
from .flukso.models import Channel, ChannelKind, Device, MessageKind, Model, Quantity, Reading
from .flukso.motion import MotionTrack
from .flukso_channels import QUADRANTS, Register, describe, make_registers, meter_channels, sign_of
from .meter import Medium, Meter, MeterChannel, MeterDevice, MeterListener
from .quantities import FLOW, REACTIVE_POWER, UNITS, normal
from .roles import read_assignments, site_layout

CONFIG_TIMEOUT: Final = 10
FRESH: Final = {
    ChannelKind.CLAMP: 60,
    ChannelKind.P1: 60,
    ChannelKind.PULSE: 24 * 3600,  # lowered by `pulse_rate_now` all the while
    ChannelKind.KUBE: 15 * 60,
}
"""How long [s] a momentary value stands for now."""
PULSE_CADENCE: Final = 2
"""Pulses are reported once a second, however many there were: a silence shorter than this [s] is none."""
MOTION_LASTS: Final = 30
"""A kube counts movements at most every 8 s: without a new one for this long [s] nothing moves any more."""
CLOCK_TOLERANCE: Final = 300
"""A meter whose live readings are stamped this far [s] from our own clock has a wrong one."""
CONNECTED: Final = (LinkState.ONLINE, LinkState.FALLBACK)


class FluksoMeter(Meter):
    """Reads a Fluksometer's own broker (or an FLM02's REST interface) into a site.

    Readings are only put aside when they come; what they mean is worked out when somebody asks, which is much rarer.
    Counters are the exception: every step of theirs is followed, so that a reset between two looks is not missed.
    """

    silent_fault = "meter_unreachable"
    settle = 15
    integrated = frozenset()

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        self._hass = hass
        self._entry = entry
        self._assigned = read_assignments(entry.options)
        self._site: MeterListener | None = None
        self._task: asyncio.Task[None] | None = None
        self._configured = asyncio.Event()
        self._device: Device | None = None
        self.layout: SiteLayout
        self._laid_out: tuple[Any, ...]
        self._flows: dict[str, Channel] = {}
        self.channels: dict[str, MeterChannel] = {}
        self._registers: dict[str, Register] = {}
        self._pulse_constants: dict[str, float] = {}
        self._gauges: dict[str, tuple[Reading, float]] = {}  # with the time at which it held, by our clock
        self._counters: dict[str, tuple[Reading, float]] = {}  # with the time that we believe
        self._motion: dict[str, MotionTrack] = {}
        self._moved: dict[str, float] = {}
        self._last: Reading | None = None
        self._clock = ClockReferee()
        self._heard: float | None = None
        self._heard_since = 0.0
        self.last_reading: float | None = None
        self._listening_since: float | None = None
        self._clock_wrong_since: float | None = None
        self.client = FluksoClient(
            host=entry.data[CONF_HOST],
            port=entry.data[CONF_PORT],
            did=entry.data[CONF_DID],
            on_reading=self._take,
            on_device=self._configure,
            on_state=self._change_state,
            session=async_get_clientsession(hass),
        )

    async def async_connect(self) -> None:
        """Connect and wait until the meter has told what it measures.

        Raises
        ------
        ConfigEntryNotReady
            When it cannot be reached, or does not tell in time, or when the roles given to its channels no longer fit
            its own configuration: somebody switched a phase off, and may switch it on again.
        """
        self._task = self._entry.async_create_background_task(
            self._hass, self.client.run(), f"{DOMAIN} {self._entry.title}"
        )
        try:
            async with asyncio.timeout(CONFIG_TIMEOUT):
                await self._configured.wait()
            assert self._device  # noqa: S101 - told by the event
            self._lay_out(self._device)
        except TimeoutError:
            await self.async_stop()
            raise ConfigEntryNotReady(
                translation_domain=DOMAIN,
                translation_key="meter_unreachable",
                translation_placeholders={"host": self._entry.data[CONF_HOST]},
            ) from None
        except LayoutError as err:
            await self.async_stop()
            raise ConfigEntryNotReady(translation_domain=DOMAIN, translation_key="roles_contradict") from err
        except BaseException:
            await self.async_stop()
            raise

    @override
    async def async_start(self, site: MeterListener) -> None:
        self._site = site
        site.set_connected(connected=self.client.state in CONNECTED)
        # What came while the entry was being set up.
        for reading, when in self._counters.values():
            self._count(reading, when)
        site.touch()
        self._keep_up()

    @override
    async def async_stop(self) -> None:
        self._site = None
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    @callback
    def _take(self, reading: Reading) -> None:
        now = time.time()
        if reading.kind is MessageKind.COUNTER:
            # Kept by the broker, it tells an older time; live, it tells one that only the clock can have wrong.
            when = min(reading.time, now) if reading.retained else self._judge(reading, now)
            self._counters[reading.sid] = reading, when
            if self._site:
                self._count(reading, when)
            if (motion := self._motion.get(reading.sid)) and motion.advance(reading):
                self._moved[reading.sid] = now
        else:
            if reading.retained and now - reading.time > FRESH[ChannelKind.CLAMP]:
                # Kept by the broker, perhaps for days. Kubes speak once a minute: theirs may be a little older.
                flow = self._flow_of(reading.sid)
                if flow is None or now - reading.time > FRESH[flow.kind]:
                    return
            # What comes live holds now, even if the meter's clock is some minutes off.
            self._gauges[reading.sid] = reading, reading.time if reading.retained else now
            if not reading.retained:
                self._judge(reading, now)
        if not reading.retained:
            self._last = reading
            self.last_reading = now
        if self._site:
            self._site.touch()

    def _judge(self, reading: Reading, now: float) -> float:
        """Return the time of a live reading that is to be believed."""
        stamp = reading.time if reading.stamp is None else reading.stamp
        when = self._clock.judge(stamp, now, time.monotonic())
        heard = self._heard
        if heard is None or not heard - LATENESS <= when <= heard + LISTENING:
            self._heard_since = self._heard = when
        elif when > heard:
            self._heard = when
        return when

    def _count(self, reading: Reading, when: float) -> None:
        register = self._registers.get(reading.sid)
        if register is None or self._site is None:
            return
        value = normal(reading.value, reading.unit, register.unit)
        if value is None:
            return
        before = register.track.state
        step = register.track.advance(value, when)
        if before is None:
            return
        amount = abs(step.delta)
        when, seconds = self._when(register.channel, before.time, when)
        if step.kind is StepKind.RESET and not amount:
            self._site.miss_energy(register.channel, when, seconds)
            return
        forward, backward = (amount, 0.0) if register.forward is (step.delta >= 0) else (0.0, amount)
        self._site.add_energy(register.channel, forward, backward, when, seconds)

    def _when(self, key: str, before: float, when: float) -> tuple[float, float]:
        """Return when a channel counted what it tells now, and how long it took [s]."""
        heard = self._heard is not None and when >= self._heard_since
        if not heard or self._speaks_always(key):
            # What the broker had kept from before we listened tells of all the time since then.
            return when, when - before
        if before < self._heard_since:
            # It would have been heard since then: it counted while nobody listened.
            return self._heard_since, self._heard_since - before
        return when, min(when - before, LISTENING)

    def _speaks_always(self, key: str) -> bool:
        """Whether a channel's counter is told every second, not only when it rises."""
        return (
            self._device is not None
            and self._device.model is Model.FLM03
            and self._flows[key].kind is ChannelKind.CLAMP
        )

    @callback
    def _configure(self, device: Device) -> None:
        self._device = device
        self._configured.set()
        self._keep_up()

    def _keep_up(self) -> None:
        """Lay the site out anew after a port was renamed, switched or wired otherwise, or a kube paired."""
        if self._site and self._device and _shape(self._device) != self._laid_out:
            self._hass.config_entries.async_schedule_reload(self._entry.entry_id)

    @callback
    def _change_state(self, state: LinkState) -> None:
        if state not in CONNECTED:
            self._listening_since = None
        elif self._listening_since is None:
            self._listening_since = time.time()
        if self._site:
            self._site.set_connected(connected=state in CONNECTED)

    def _lay_out(self, device: Device) -> None:
        self._laid_out = _shape(device)
        self.layout = site_layout(device, self._assigned)
        self._flows = {c.key: c for c in device.channels}
        self.channels = meter_channels(device, self._assigned)
        self._registers = make_registers(device, self.channels)
        self._pulse_constants = {c.key: constant for c in device.channels if (constant := device.pulse_constant(c))}
        self._motion = {
            sid: MotionTrack()
            for channel in device.channels
            for quantity, sid in channel.sensors.items()
            if quantity in (Quantity.MOVEMENT, Quantity.VIBRATION)
        }

    @property
    def registers(self) -> Mapping[str, Register]:
        """Where the counter of each sid is booked, live and from the meter's own history."""
        return self._registers

    def _flow_of(self, sid: str) -> Channel | None:
        if not self._device:
            return None
        return next((c for c in self._device.channels if sid in c.sensors.values()), None)

    @property
    @override
    def device(self) -> MeterDevice:
        device = self._device
        return MeterDevice(
            name=self._entry.title,
            manufacturer="Flukso",
            model=device.model if device else None,
            serial=device.serial if device else None,
            firmware=device.firmware if device else None,
        )

    @property
    @override
    def messages_dropped(self) -> int:
        return sum(self.client.statistics.dropped.values())

    @override
    def power(self, key: str, now: float) -> float | None:
        channel, flow = self.channels[key], self._flows[key]
        if channel.medium in (Medium.GAS, Medium.WATER):
            return self._rate(flow, Quantity.MAGNITUDE, now, FLOW, per_hour=60)
        power: float | None
        if Quantity.EXPORT in flow.sensors:
            imported = self._rate(flow, Quantity.IMPORT, now, "W")
            exported = self._rate(flow, Quantity.EXPORT, now, "W")
            power = None if imported is None or exported is None else imported - exported
        else:
            power = self._rate(flow, next(iter(flow.sensors)), now, "W")
        if power is None:
            return None
        power *= sign_of(channel, flow)
        # An inverter's own use at night is consumption, not negative production.
        if channel.assignment and channel.assignment.role is Role.PRODUCTION:
            power = max(power, 0.0)
        return power + 0.0  # never a negative zero, which a card would show with its sign

    @override
    def value(self, key: str, quantity: str, now: float) -> float | None:
        flow = self._flows[key]
        if quantity == REACTIVE_POWER:
            parts = [self._rate(flow, q, now, UNITS[REACTIVE_POWER]) for q in QUADRANTS]
            known = [p * s for p, s in zip(parts, QUADRANTS.values(), strict=True) if p is not None]
            return sum(known) if len(known) == len(QUADRANTS) else None
        if quantity in (Quantity.MOVEMENT, Quantity.VIBRATION):
            sid = flow.sensors[Quantity(quantity)]
            return float(now - self._moved.get(sid, 0) < MOTION_LASTS) if sid in self._counters else None
        return self._rate(flow, Quantity(quantity), now, UNITS.get(quantity, ""))

    def _rate(self, flow: Channel, quantity: Quantity, now: float, unit: str, per_hour: float = 1) -> float | None:
        sid = flow.sensors.get(quantity)
        if sid is None:
            return None
        value, heard = None, 0.0
        if known := self._gauges.get(sid):
            reading, heard = known
            if now - heard <= FRESH[flow.kind]:
                value = normal(reading.value, reading.unit, unit)
        constant = self._pulse_constants.get(flow.key)
        since = self._listening_since
        if not constant or since is None:
            return value
        # A rate from before an outage tells nothing about now, nor does it matter that no pulse was heard meanwhile.
        last = None if value is None or heard < since else value * per_hour
        rate = pulse_rate_now(last, constant, now - (since if last is None else heard) - PULSE_CADENCE)
        return None if rate is None else rate / per_hour

    @override
    def has_counted(self, key: str) -> bool:
        return self._counters.keys() >= {sid for sid, register in self._registers.items() if register.channel == key}

    @override
    def heard_until(self, side: Role) -> float | None:
        if not self._device or not self._device.sends_counters:
            return None
        counting = {register.channel for register in self._registers.values()}
        for key in self.layout.keys(side):
            if key not in counting or (self._speaks_always(key) and not self.has_counted(key)):
                return None
        # Whatever is heard tells that a counter which speaks only when it rises would have been heard, too.
        return self._heard

    @override
    def faults(self, now: float) -> Mapping[str, Mapping[str, str]]:
        found: dict[str, Mapping[str, str]] = {}
        if missing := [k for k in self._assigned if k not in self._flows]:
            found["channels_missing"] = {"count": str(len(missing))}
        if self._device and not self._device.sends_counters:
            found["no_counters"] = {}
        if self._device and not self._device.sends_gauges:
            found["no_gauges"] = {}
        if self._last is None or self.last_reading is None:
            return found
        if self._last.clock_ok and abs(self.last_reading - self._last.time) <= CLOCK_TOLERANCE:
            self._clock_wrong_since = None
        elif self._clock_wrong_since is None:
            # It may only have started, and set its clock in a moment.
            self._clock_wrong_since = now
        elif now - self._clock_wrong_since > CLOCK_TOLERANCE:
            found["clock_wrong"] = {}
        return found

    @override
    def dump(self) -> dict[str, Any]:
        return {"tracks": {sid: r.track.state for sid, r in self._registers.items() if r.track.state}}

    @override
    def restore(self, data: Mapping[str, Any]) -> None:
        for sid, (value, when) in data["tracks"].items():
            if register := self._registers.get(sid):
                register.track = CounterTrack(CounterState(value, when), signed=register.signed)

    @override
    def diagnostics(self) -> dict[str, Any]:
        return {
            "state": self.client.state,
            "statistics": asdict(self.client.statistics),
            "device": describe(self._device, self._assigned) if self._device else None,
        }


def _shape(device: Device) -> tuple[Any, ...]:
    """Return what entities, roles and registers are made of."""
    constants = [device.pulse_constant(channel) for channel in device.channels]
    return device.channels, constants, device.kubes, device.phases
