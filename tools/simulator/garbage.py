"""Messages that no client may fall over: broken, foreign, absurd."""

from collections.abc import Iterator

from .config import MeterConfig
from .formats import Message

FAR_FUTURE = 4_102_444_800  # the year 2100


def garbage(config: MeterConfig, stamp: int) -> Iterator[Message]:
    """Yield one round of garbage for the meter of `config` at the time `stamp`. None of it is retained."""
    sid = next(str(entry["id"]) for _, entry in config.enabled())
    payloads = (
        b'[1,230,"V"]',
        b'[-1, 0, "W"]',
        b'[%d,230,"W"]' % FAR_FUTURE,
        b'[%d,"nan","W"]' % stamp,
        b'[%d,nan,""]' % stamp,
        b'[%d,NaN,"W"]' % stamp,
        b'[%d,1e999,"W"]' % stamp,
        b"",
        b"412",
        b"[412]",
        b'[412,"W"]',
        b'[%d,412,"W"' % stamp,
        b'{"a":1}',
        b"null",
        b"true",
        b'[true,false,""]',
        b'[[],{},""]',
        b"\xff\xfe\x00",
        b"[" * 100_000,
    )
    for payload in payloads:
        yield Message(f"/sensor/{sid}/gauge", payload)
        yield Message(f"/sensor/{sid}/counter", payload)
    yield Message(f"/sensor/{'0' * 32}/gauge", b'[%d,1,"W"]' % stamp)
    yield Message("/sensor/fakesensor/gauge", b'[%d,100,"W"]' % stamp)
    yield Message(f"/sensor/{sid}/tmpo/0/8/{stamp - stamp % 256}/gz", b"\x1f\x8b\x08not a block")  # noqa: S108
    yield Message(config.topic("flx/voltage/1"), b'[[%d,500],[0,63000],"mV"]' % stamp)
    for payload in (b"[]", b"{}", b'{"1":{"id":', b"\xff"):
        yield Message(config.topic("config/sensor"), payload)
    yield Message(config.topic("config/weird"), b"{}")
    yield Message(config.topic("test/tap"), b"1..1\nok 1 - no serial here\n")
