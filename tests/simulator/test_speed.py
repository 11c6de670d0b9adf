"""What `speed` means: everything faster, but under the wall clock's time."""

from datetime import UTC, datetime
import time

import pytest

from tools.simulator import Simulator

from .conftest import eventually, listening

EVENING = datetime(2017, 10, 12, 17, tzinfo=UTC)


async def test_seconds_pass_faster_while_stamps_keep_to_the_wall_clock():
    begun = time.time()
    async with Simulator("household", speed=50, at=EVENING, paused=True) as meter:
        scene = meter.scene
        sensors = meter.meter.config.sensor
        async with listening(meter.port, "/sensor/+/gauge", "/sensor/+/counter") as ear:
            meter.resume()
            topic = f"/sensor/{sensors['1']['id']}"
            await eventually(lambda: len(ear.of(f"{topic}/gauge")) >= 100)
        gauges, counters = (
            [message.reading for message in ear.of(f"{topic}/{kind}")][:100] for kind in ("gauge", "counter")
        )
    assert meter.scene - scene == meter.seconds
    stamps = [stamp for stamp, *_ in gauges]
    assert begun - 2 <= stamps[0] <= stamps[-1] <= time.time()
    assert stamps == sorted(stamps)
    energy = sum(value for _, value, _ in gauges[1:]) / 3600
    assert counters[-1][1] - counters[0][1] == pytest.approx(energy, abs=0.01)


async def test_another_start_is_another_time_of_day():
    noon, night = (Simulator("household", at=datetime(2017, 10, 12, hour, tzinfo=UTC)) for hour in (11, 1))
    assert noon.scene - night.scene == 10 * 3600
