"""The bytes of a Fluksometer's messages: two firmwares, two ways to write a number.

An FLM03 reckons in fixed point (gauges in steps of 1/2048, counters in steps of 1/65536) and cuts to three decimals; an
FLM02 and the wireless kubes write compact JSON.
"""

from typing import NamedTuple

GAUGE_BITS = 11
COUNTER_BITS = 16
GAUGE_STEPS = 1 << GAUGE_BITS  # steps per W, V, A, …
COUNTER_WRAP = 1 << 32  # counters are unsigned 32 bit numbers of Wh, L, …
SECONDS_PER_HOUR = 3600


class Message(NamedTuple):
    """One MQTT message as its publisher sends it, always at QoS 0."""

    topic: str
    payload: bytes
    retain: bool = False


def gauge_steps(value: float) -> int:
    """Turn a non-negative value into the FLM03's gauge steps, cut as the sensor board does."""
    return int(value * GAUGE_STEPS)


def fixed_point(raw: int, bits: int) -> str:
    """Write `raw` / 2^`bits` as the FLM03 does: cut to three decimals, or none when they are all zero.

    A negative number comes out misprinted, as on the device: its whole part is rounded down while its fraction is
    counted upwards, so -0.5 becomes "-1.500".
    """
    thousandths = (raw & ((1 << bits) - 1)) * 1000 >> bits
    return f"{raw >> bits}.{thousandths:03d}" if thousandths else str(raw >> bits)


def flm03_gauge(raw: int) -> str:
    """Write a gauge given in steps of 1/2048."""
    return fixed_point(raw, GAUGE_BITS)


def flm03_counter(raw: int) -> str:
    """Write a counter given in steps of 1/65536; it wraps at 2^32 units."""
    return fixed_point(raw % (COUNTER_WRAP << COUNTER_BITS), COUNTER_BITS)


def flm03_thousandths(thousandths: int) -> str:
    """Write a pulse counter given in thousandths: three decimals or none."""
    whole, rest = divmod(thousandths % (COUNTER_WRAP * 1000), 1000)
    return f"{whole}.{rest:03d}" if rest else str(whole)


def flm02_thousandths(thousandths: int) -> str:
    """Write a counter of an FLM02: up to three decimals without trailing zeros, negative ones included."""
    whole, rest = divmod(abs(thousandths), 1000)
    text = f"{whole}.{rest:03d}".rstrip("0") if rest else str(whole)
    return f"-{text}" if thousandths < 0 else text


def flm03_message(topic: str, stamp: int, text: str, unit: str) -> Message:
    """Build an FLM03 port's message: blanks after the commas, never retained."""
    return Message(topic, f'[{stamp}, {text}, "{unit}"]'.encode())


def flm02_message(topic: str, stamp: int, text: str, unit: str) -> Message:
    """Build an FLM02's or a kube's message: compact and retained."""
    return Message(topic, f'[{stamp},{text},"{unit}"]'.encode(), retain=True)
