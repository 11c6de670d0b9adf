"""A live FLM02B: one clamp at the mains of a single-phase house, pulses of solar and water, and the grid's P1 meter."""

from math import hypot, sqrt
from typing import Any, override

from .config import MeterConfig, Section, kube_main, made_up_id
from .formats import SECONDS_PER_HOUR, Message, flm02_message, flm02_thousandths
from .household import Flow, Household
from .meter import Meter, PulseInput

FIRMWARE = 250
SENSORS = 64
ASSUMED_VOLTAGE = 230  # an FLM02 measures current only [V]
P1_INTERVAL = 10  # a telegram every so many seconds
MAINS, SOLAR, WATER, P1 = 1, 4, 5, 7  # indices of the sensors in use
SECONDS_PER_DAY = 86400
PULSES = {  # index -> worth of a pulse in thousandths of Wh or L, count of pulses at the start, unit, gauge per Wh/s
    SOLAR: (1000, 2_045_678, "Wh", "W", SECONDS_PER_HOUR),
    WATER: (500, 1_824_691, "L", "L/day", SECONDS_PER_DAY),
}
START = {"mains": 8_123_456, "import": 5_210_118, "export": 5_364_442}  # counters at the start [Wh]


class Flm02(Meter):
    """The FLM02B of a house with one phase. Its clamp cannot tell import from export; its P1 meter can."""

    def __init__(self, did: str, household: Household) -> None:
        """Stand in `household`."""
        super().__init__(_config(did))
        self._household = household
        self._topics = {index: f"/sensor/{self.config.sensor[str(index)]['id']}" for index in (MAINS, SOLAR, WATER, P1)}
        self._energy = {name: wh * SECONDS_PER_HOUR for name, wh in START.items()}  # [W x s]
        self._pulses = {index: PulseInput(worth, start) for index, (worth, start, *_) in PULSES.items()}
        self._told = {MAINS: self._mains_counter, P1: self._p1_counter}

    @property
    def _mains_counter(self) -> int:
        return self._energy["mains"] // SECONDS_PER_HOUR

    @property
    def _p1_counter(self) -> int:
        """Net of the grid meter's registers [Wh]: it falls while the house exports, below zero too."""
        return self._energy["import"] // SECONDS_PER_HOUR - self._energy["export"] // SECONDS_PER_HOUR

    @override
    def second(self, stamp: int, scene: int) -> list[Message]:
        flow = self._household.at(scene)
        messages: list[Message] = []
        self._mains_messages(messages, stamp, flow)
        self._pulse_messages(messages, stamp, SOLAR, flow.solar / SECONDS_PER_HOUR)
        self._pulse_messages(messages, stamp, WATER, flow.water)
        self._p1_messages(messages, stamp, flow)
        return messages + self.kube_messages(stamp)

    def _mains_messages(self, messages: list[Message], stamp: int, flow: Flow) -> None:
        apparent = hypot(flow.load - flow.solar, 0.16 * flow.load - 60)
        distortion = 0.04 + 0.3 / (1 + apparent / 200)
        watts = int(apparent * sqrt(1 + distortion * distortion) * ASSUMED_VOLTAGE / flow.voltage)
        self._energy["mains"] += watts
        messages.append(flm02_message(f"{self._topics[MAINS]}/gauge", stamp, str(watts), "W"))
        self._counter_message(messages, stamp, MAINS, self._mains_counter)

    def _p1_messages(self, messages: list[Message], stamp: int, flow: Flow) -> None:
        watts = int(flow.load - flow.solar)
        self._energy["import" if watts >= 0 else "export"] += abs(watts)
        if stamp % P1_INTERVAL == 0:
            self._counter_message(messages, stamp, P1, self._p1_counter)
            messages.append(flm02_message(f"{self._topics[P1]}/gauge", stamp, str(watts), "W"))

    def _counter_message(self, messages: list[Message], stamp: int, index: int, counter: int) -> None:
        """Append the counter if it has changed since it was last told."""
        if counter != self._told[index]:
            self._told[index] = counter
            messages.append(flm02_message(f"{self._topics[index]}/counter", stamp, str(counter), "Wh"))

    def _pulse_messages(self, messages: list[Message], stamp: int, index: int, rate: float) -> None:
        """Append one report for all pulses of a second: the counter, and the rate between two reports."""
        pulse = self._pulses[index]
        gaps = pulse.run(rate)
        if not gaps:
            return
        worth, _, unit, gauge_unit, per_second = PULSES[index]
        text = flm02_thousandths(pulse.total)
        messages.append(flm02_message(f"{self._topics[index]}/counter", stamp, text, unit))
        if all(gaps):  # the first report after the start tells no rate yet
            value = round(len(gaps) * worth / 1000 * per_second / sum(gaps))
            messages.append(flm02_message(f"{self._topics[index]}/gauge", stamp, str(value), gauge_unit))

    @override
    def reset_counters(self) -> None:
        self._energy = dict.fromkeys(START, 0)
        for pulse in self._pulses.values():
            pulse.pulses = 0

    @override
    def power_on(self) -> None:
        for pulse in self._pulses.values():
            pulse.forget()

    @override
    def counters(self) -> dict[str, Any]:
        return {"energy": self._energy, "pulses": {index: pulse.pulses for index, pulse in self._pulses.items()}}

    @override
    def restore(self, counters: dict[str, Any]) -> None:
        self._energy = {name: int(counters["energy"][name]) for name in START}
        for index, pulses in counters["pulses"].items():
            self._pulses[int(index)].pulses = int(pulses)
        self._told = {MAINS: self._mains_counter, P1: self._p1_counter}


def _config(did: str) -> MeterConfig:
    sensor: dict[str, Section] = {str(index): {"id": made_up_id(did, index)} for index in range(1, SENSORS + 1)}
    for index in (1, 2, 3):
        sensor[str(index)] |= {
            "type": "electricity",
            "class": "analog",
            "port": [index],
            "voltage": ASSUMED_VOLTAGE,
            "current": 50,
            "enable": 0,
        }
    in_use = {"data_type": "counter", "rid": 0, "enable": 1}
    sensor["1"] |= {"function": "main", **in_use}
    sensor["4"] |= {"type": "electricity", "class": "pulse", "port": [4], "constant": 1, "function": "solar", **in_use}
    sensor["5"] |= {"type": "water", "class": "pulse", "port": [5], "constant": 0.5, "function": "water main", **in_use}
    sensor["6"] |= {"class": "uart", "port": [6], "enable": 0}
    sensor["7"] |= {
        "type": "electricity",
        "class": "cosem",
        "port": "ttyS0",
        "protocol": "dlms",
        "derive": 1,
        "obis": [f"1-0:{code}*255" for code in ("1.8.1", "2.8.1", "1.8.2", "2.8.2", "1.7.0", "2.7.0")],
        "function": "smart-main",
        **in_use,
    }
    sensor["main"] = {
        "hw_major": 2,
        "hw_minor": 2,
        "sw_major": 1,
        "sw_minor": 0,
        "uart_tx_invert": 0,
        "uart_rx_invert": 1,
        "max_sensors": 6,
        "max_analog_sensors": 3,
        "max_provisioned_sensors": SENSORS,
        "reset_counters": 0,
        "phase": 1,
        "dsmr": 4,
        "led_mode": 256,
    }
    sensor["daemon"] = {
        "logmask": "info",
        "enable_wan_branch": 1,
        "enable_lan_branch": 1,
        "enable_remote_upgrade": 1,
        "wan_base_url": "https://api.flukso.net/",
        "upgrade_url": "http://www.flukso.net/files/upgrade/",
        "cacert": "/etc/ssl/certs/flukso.ca.crt",
    }
    sensor["mqtt"] = {
        "bridge_address": "api.flukso.net",
        "bridge_port": 8883,
        "bridge_keepalive": 60,
        "bridge_restart_timeout": 30,
    }
    sensor["fsync"] = {"time": 1_507_500_000, "exit_status": 0, "exit_string": "successful"}
    return MeterConfig(
        did=did,
        model="FLM02B",
        serial=f"FL02{int(did[:8], 16) % 10_000:04d}",
        firmware=FIRMWARE,
        sensor=sensor,
        kube={"main": kube_main(did)},
    )
