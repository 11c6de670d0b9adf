"""A live FLM03E: three clamps at the mains of a household, solar, water and gas on its pulse inputs."""

from email.utils import formatdate
from math import atan2, degrees, hypot, sin, sqrt, tau
from typing import Any, NamedTuple, override

from .config import MeterConfig, Section, kube_main, made_up_id, tap_report
from .formats import (
    GAUGE_BITS,
    GAUGE_STEPS,
    SECONDS_PER_HOUR,
    Message,
    flm03_counter,
    flm03_gauge,
    flm03_message,
    flm03_thousandths,
    gauge_steps,
)
from .household import Flow, Household
from .meter import Meter, PulseInput

FIRMWARE = 382
SENSORS = 128
SUBTYPES = ("pplus", "pminus", "q1", "q2", "q3", "q4", "vrms", "irms", "pf", "vthd", "ithd", "alpha")
COUNTED = 6  # pplus to q4 have counters
UNITS = ("W", "W", "VAR", "VAR", "VAR", "VAR", "V", "A", "", "", "", "°")
PORTS = ("L1", "L2", "L3")
SHIFTS = (0, 4, 2)  # phase matching of L1, L2, L3 against the voltage adapter
PULSES = {  # port -> type, name, worth of a pulse in thousandths of Wh or L, count of pulses at the start
    4: ("electricity", "PV inverter", 100, 17_654_321),
    5: ("water", "water", 500, 1_624_691),
    6: ("gas", "gas", 10_000, 183_402),
}
START = (  # counters at the start, port by port: Wh, Wh, then VARh of the quadrants
    (1_834_210, 1_202_812, 29_871, 143, 95_123, 402_118),
    (1_402_211, 1_340_377, 12_040, 96, 97_310, 288_214),
    (1_598_877, 1_123_457, 41_410, 77, 94_201, 201_901),
)
WAVE = tuple(sin(tau * step / 32) for step in range(32))


class _Port(NamedTuple):
    """Topics of one clamp port, in the order of `SUBTYPES`."""

    counters: tuple[str, ...]
    gauges: tuple[str, ...]
    wave: str


class Flm03(Meter):
    """The FLM03E of a house with three phases and neutral."""

    def __init__(self, did: str, household: Household, *, alpha: bool = False) -> None:
        """Stand in `household`. `alpha` enables the phase angle, the one quantity that is misprinted when negative."""
        super().__init__(_config(did, alpha=alpha))
        self._household = household
        sensor = self.config.sensor
        self._ports = []
        for port in range(3):
            sids = [sensor[str(port * 12 + position)]["id"] for position in range(1, 13)]
            self._ports.append(
                _Port(
                    tuple(f"/sensor/{sid}/counter" for sid in sids[:COUNTED]),
                    tuple(f"/sensor/{sid}/gauge" for sid in sids[: 12 if alpha else 11]),
                    self.config.topic(f"flx/current/{port + 1}"),
                )
            )
        # Energy is kept in gauge steps x seconds, so that a counter is exactly the sum of its gauges.
        self._energy = [[wh * SECONDS_PER_HOUR * GAUGE_STEPS for wh in start] for start in START]
        self._pulses = {port: PulseInput(worth, start) for port, (_, _, worth, start) in PULSES.items()}
        self._pulse_topics = {port: f"/sensor/{sensor[str(33 + port)]['id']}" for port in PULSES}

    @override
    def second(self, stamp: int, scene: int) -> list[Message]:
        flow = self._household.at(scene)
        messages: list[Message] = []
        for port, rate in ((4, flow.solar / SECONDS_PER_HOUR), (5, flow.water), (6, flow.gas)):
            self._pulse_messages(messages, stamp, port, rate)
        messages += self.kube_messages(stamp)
        clamp_stamp = stamp - 1  # the daemon dates what the sensor board sends one second back
        waves = [self._clamp_messages(messages, clamp_stamp, port, flow) for port in range(len(PORTS))]
        messages += self._wave_messages(stamp, flow.voltage, waves)
        return messages

    def _pulse_messages(self, messages: list[Message], stamp: int, port: int, rate: float) -> None:
        pulse = self._pulses[port]
        before = pulse.pulses
        topic = self._pulse_topics[port]
        electric = PULSES[port][0] == "electricity"
        for number, gap in enumerate(pulse.run(rate), before + 1):
            text = flm03_thousandths(number * pulse.thousandths)
            messages.append(flm03_message(f"{topic}/counter", stamp, text, "Wh" if electric else "L"))
            # A rate per second in steps of 1/2048: 3600/2048 W for electricity. Zero is not published.
            if gap and (steps := int(pulse.thousandths * GAUGE_STEPS / (1000 * gap))):
                text = flm03_gauge(steps * SECONDS_PER_HOUR if electric else steps)
                messages.append(flm03_message(f"{topic}/gauge", stamp, text, "W" if electric else "L/s"))

    def _clamp_messages(self, messages: list[Message], stamp: int, port: int, flow: Flow) -> tuple[float, float]:
        """Append six counters and eleven gauges; return current [A] and angle [rad] for the wave form."""
        load = flow.loads[port]
        active = load - flow.solar / 3  # the inverter feeds all three phases alike
        reactive = 0.16 * load - 24  # motors against the input filters of electronics
        quadrant = (2 if reactive >= 0 else 5) if active >= 0 else (3 if reactive >= 0 else 4)
        apparent = hypot(active, reactive)
        distortion = 0.04 + 0.3 / (1 + apparent / 200)
        current = apparent / flow.voltage * sqrt(1 + distortion * distortion)
        raw = [0] * 12
        raw[0 if active >= 0 else 1] = gauge_steps(abs(active))
        raw[quadrant] = gauge_steps(abs(reactive))
        raw[6:11] = map(
            gauge_steps,
            (
                flow.voltage,
                current,
                abs(active) / (flow.voltage * current),
                0.018 + flow.solar / 500_000,
                distortion,
            ),
        )
        angle = atan2(reactive, active)
        raw[11] = int(degrees(angle) * GAUGE_STEPS)
        energy = self._energy[port]
        topics = self._ports[port]
        for position, topic in enumerate(topics.counters):
            energy[position] += raw[position]
            # From steps of 1/2048 W x s to steps of 1/65536 Wh.
            text = flm03_counter((energy[position] << (16 - GAUGE_BITS)) // SECONDS_PER_HOUR)
            messages.append(flm03_message(topic, stamp, text, UNITS[position] + "h"))
        for position, topic in enumerate(topics.gauges):
            messages.append(flm03_message(topic, stamp, flm03_gauge(raw[position]), UNITS[position]))
        return current, angle

    def _wave_messages(self, stamp: int, voltage: float, waves: list[tuple[float, float]]) -> list[Message]:
        """One period of voltage and currents in 32 samples, and the clock comparison, whose keys are unquoted."""
        time = f"{{flm:{{time:[{stamp},12369],update:false}},flx:{{time:[{stamp},0],update:false}}}}"
        messages = [
            Message(self.config.topic("flx/time"), time.encode()),
            _wave(self.config.topic("flx/voltage/1"), stamp, voltage, 0, "mV"),
        ]
        for port, (current, angle) in zip(self._ports, waves, strict=True):
            messages.append(_wave(port.wave, stamp, current, angle, "mA"))
        return messages

    @override
    def reset_counters(self) -> None:
        self._energy = [[0] * COUNTED for _ in START]
        for pulse in self._pulses.values():
            pulse.pulses = 0

    @override
    def power_on(self) -> None:
        for pulse in self._pulses.values():
            pulse.forget()

    @override
    def counters(self) -> dict[str, Any]:
        return {"energy": self._energy, "pulses": {port: pulse.pulses for port, pulse in self._pulses.items()}}

    @override
    def restore(self, counters: dict[str, Any]) -> None:
        self._energy = [[int(steps) for steps in port] for port in counters["energy"]]
        for port, pulses in counters["pulses"].items():
            self._pulses[int(port)].pulses = int(pulses)


def _wave(topic: str, stamp: int, effective: float, angle: float, unit: str) -> Message:
    peak = effective * sqrt(2) * 1000
    turn = round(angle / tau * 32)
    samples = ",".join(str(round(peak * WAVE[(step - turn) % 32])) for step in range(32))
    return Message(topic, f'[[{stamp},500],[{samples}],"{unit}"]'.encode())


def _config(did: str, *, alpha: bool) -> MeterConfig:
    sensor: dict[str, Section] = {}
    for index in range(1, SENSORS + 1):
        entry: Section = {"id": made_up_id(did, index)}
        port, position = divmod(index - 1, 12)
        if port < len(PORTS):
            entry |= {
                "type": "electricity",
                "subtype": SUBTYPES[position],
                "port": [port + 1],
                "data_type": "counter" if position < COUNTED else "gauge",
                "rid": 0,
                "enable": int(alpha or position != SUBTYPES.index("alpha")),
            }
            if port and position < 2:  # noqa: PLR2004 - only pplus and pminus of ports 2 and 3 can be bundled
                entry["tmpo"] = 1
        elif (pulse := index - 33) in PULSES:
            medium = PULSES[pulse][0]
            entry |= {"type": medium, "port": [pulse], "data_type": "counter", "rid": 0, "enable": 1}
            if medium == "electricity":
                entry["subtype"] = "pplus"
        sensor[str(index)] = entry
    sensor["main"] = {"max_provisioned_sensors": SENSORS}
    sensor["tmpo"] = {"root": "/flukso/"}
    sensor["mqtt"] = {
        "bridge_restart_timeout": 30,
        "bridge_address": "api.flukso.net",
        "bridge_port": 8883,
        "bridge_keepalive": 60,
    }
    sensor["daemon"] = {
        "cacert": "/etc/ssl/certs/flukso.ca.crt",
        "upgrade_url": "http://www.flukso.net/files/upgrade/",
        "wan_base_url": "https://api.flukso.net/",
    }
    flx: dict[str, Section] = {
        str(port): {"enable": 1, "class": "ct", "name": name, "current": 50, "shift": shift}
        for port, (name, shift) in enumerate(zip(PORTS, SHIFTS, strict=True), 1)
    }
    for port, (_, name, worth, _) in PULSES.items():
        constant = worth / 1000
        flx[str(port)] = {
            "enable": 1,
            "class": "pulse",
            "name": name,
            "constant": int(constant) if constant.is_integer() else constant,
            "trigger": "edge",
        }
    flx["7"] = {"enable": 0, "class": "uart", "dsmr": 4, "uart_rx_invert": 1, "uart_tx_invert": 0}
    flx["main"] = {"phase": "3p+n", "math": "none", "led_mode": 255}
    serial = f"FL07{int(did[:8], 16) % 10_000:04d}"
    return MeterConfig(
        did=did,
        model="FLM03E",
        serial=serial,
        firmware=FIRMWARE,
        sensor=sensor,
        kube={"main": kube_main(did)},
        flx=flx,
        tap=tap_report(serial, FIRMWARE, formatdate()),
    )
