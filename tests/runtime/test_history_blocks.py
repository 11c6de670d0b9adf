"""Past quarter-hours from the meters' own history: booked and netted as the same counters are live."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from custom_components.energy_neighbours.core.channel import Assignment, Phase, Role, SiteLayout
from custom_components.energy_neighbours.core.history import History, HistoryError, ProblemKind
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Quality
from custom_components.energy_neighbours.flukso.models import Channel, ChannelKind, Device, Model, Quantity
from custom_components.energy_neighbours.flukso.tmpo import BlockId, SensorHistory
from custom_components.energy_neighbours.flukso_channels import make_registers, meter_channels
from custom_components.energy_neighbours.history_blocks import ERRORS, read_folder, read_sensors
from tests.flukso.blocks import CONFIG, block, describe, pack, split

T = 1_699_999_744 // QUARTER * QUARTER
"""Where a quarter-hour begins."""
NOW = 1_800_000_000
HOUR = 3600
WATER = {**CONFIG, "type": "water"}

type Series = Sequence[tuple[int, float]]


def sid(number: int) -> str:
    return f"{number:032x}"


def clamp(number: int, *quantities: Quantity, kind: ChannelKind = ChannelKind.CLAMP) -> Channel:
    """A channel whose counters have the sids 10 x number and following."""
    sensors = {quantity: sid(10 * number + place) for place, quantity in enumerate(quantities)}
    return Channel(
        key=f"flow{number}", kind=kind, medium="electricity", name="", ports=(number,), sensors=sensors
    )  # fmt: skip


ONE_WAY = (Quantity.MAGNITUDE,)
TWO_WAY = (Quantity.IMPORT, Quantity.EXPORT)
MAINS = {"flow1": Assignment(Role.GRID)}


def read(
    channels: Sequence[Channel],
    assigned: Mapping[str, Assignment],
    blocks: Mapping[str, Mapping[BlockId, bytes]],
    model: Model = Model.FLM03,
    **options: Any,
) -> History:
    device = Device(did="d" * 32, model=model, channels=tuple(channels))
    registers = make_registers(device, meter_channels(device, assigned))
    sensors = {each: SensorHistory(of, of.__getitem__) for each, of in blocks.items()}
    return read_sensors(sensors, registers, SiteLayout(assigned), **{"now": NOW, **options})


def read_one(series: Series, level: int = 8, **options: Any) -> History:
    """Read the history of a single-phase clamp that tells no direction."""
    return read([clamp(1, *ONE_WAY)], MAINS, {sid(10): split(series, level)}, **options)


def rising(seconds: int, step: int, power: Callable[[int], float], begin: int = T) -> list[tuple[int, float]]:
    """Count from a time on, once in so many seconds, a power [W] that depends on the seconds since then."""
    series, counted = [], 5000.0
    for second in range(0, seconds + 1, step):
        series.append((begin + second, round(counted, 3)))
        counted += power(second) * step / HOUR
    return series


def test_quarter_hours_add_up_to_what_the_counter_counted() -> None:
    series = rising(3 * HOUR, 10, lambda second: 100 + second / 10)
    history = read_one(series)
    at = dict(series)
    assert [q.start for q in history.quarter_hours] == [T + n * QUARTER for n in range(11)]
    total = 0
    for quarter in history.quarter_hours:
        total += quarter.offtake or 0
        assert abs(total - (at[quarter.end] - at[T])) <= 1
        assert (quarter.injection, quarter.production, quarter.quality) == (0, None, Quality.MEASURED)
    assert (history.rows, history.problems, history.format) == (len(series), [], "tmpo_blocks")


def test_quarter_hour_in_which_the_history_begins_or_ends_is_left_out() -> None:
    history = read_one(rising(2 * HOUR, 10, lambda _: 400, begin=T + 500))
    assert [(q.start - T) // QUARTER for q in history.quarter_hours] == [1, 2, 3, 4, 5, 6, 7]
    assert [q.offtake for q in history.quarter_hours] == [100] * 7


def test_phases_are_netted_second_by_second() -> None:
    channels = [clamp(number, *TWO_WAY) for number in (1, 2, 3)]
    assigned = {f"flow{number}": Assignment(Role.GRID, phase) for number, phase in enumerate(Phase, start=1)}
    flows = {
        # The first phase uses what the second produces; the third follows the sun of the second half-hour.
        10: lambda second: 1000.0,
        11: lambda second: 0.0,
        20: lambda second: 0.0,
        21: lambda second: 600.0,
        30: lambda second: 0.0,
        31: lambda second: 0.0 if second < HOUR // 2 else 1000.0,
    }
    blocks = {sid(number): split(rising(HOUR + 60, 1, power), 8) for number, power in flows.items()}
    history = read(channels, assigned, blocks)
    assert [(q.offtake, q.injection) for q in history.quarter_hours[:2]] == [(100, 0), (100, 0)]
    assert [(q.offtake, q.injection) for q in history.quarter_hours[2:]] == [(0, 150), (0, 150)]


def test_roof_counts_forward_though_the_meter_sees_it_export() -> None:
    channels = [clamp(1, *TWO_WAY), clamp(2, *TWO_WAY)]
    assigned = MAINS | {"flow2": Assignment(Role.PRODUCTION)}
    powers = {10: 0.0, 11: 1200.0, 20: 0.0, 21: 2000.0}
    blocks = {sid(number): split(rising(HOUR, 5, lambda _, p=power: p), 8) for number, power in powers.items()}
    history = read(channels, assigned, blocks)
    assert {(q.offtake, q.injection, q.production) for q in history.quarter_hours} == {(0, 300, 500)}


def test_net_meter_counts_both_ways() -> None:
    channel = clamp(1, Quantity.NET, kind=ChannelKind.P1)
    series = rising(HOUR, 10, lambda second: 400.0 if second < HOUR // 2 else -800.0)
    history = read([channel], MAINS, {sid(10): split(series, 8)})
    assert [(q.offtake, q.injection) for q in history.quarter_hours] == [(100, 0), (100, 0), (0, 200)]


def test_side_of_which_a_channel_has_no_blocks_is_left_out_and_named() -> None:
    channels = [clamp(1, *ONE_WAY), clamp(2, *ONE_WAY)]
    assigned = MAINS | {"flow2": Assignment(Role.PRODUCTION)}
    history = read(channels, assigned, {sid(10): split(rising(HOUR, 10, lambda _: 400), 8)})
    assert {(q.offtake, q.production) for q in history.quarter_hours} == {(100, None)}
    assert history.notes == {"without": "production"}


def test_one_phase_of_three_is_no_site() -> None:
    channels = [clamp(number, *ONE_WAY) for number in (1, 2, 3)]
    assigned = {f"flow{number}": Assignment(Role.GRID, phase) for number, phase in enumerate(Phase, start=1)}
    with pytest.raises(HistoryError) as refused:
        read(channels, assigned, {sid(10): split(rising(HOUR, 10, lambda _: 400), 8)})
    assert refused.value.key == "no_blocks_of_site"


# What is known of a side only for a while

PHASES = {f"flow{number}": Assignment(Role.GRID, phase) for number, phase in enumerate(Phase, start=1)}


def three_phases(third: slice) -> History:
    """Read three hours of three phases at 400 W each; of the third, only a part of the readings."""
    series = rising(3 * HOUR, 10, lambda _: 400)
    blocks = {sid(number): split(series, 8) for number in (10, 20)} | {sid(30): split(series[third], 8)}
    return read([clamp(number, *ONE_WAY) for number in (1, 2, 3)], PHASES, blocks)


@pytest.mark.parametrize(
    ("third", "quarters", "interval"),
    [
        (slice(None), range(11), None),
        (slice(None, 361), range(4), "2023-11-14T22:00:00+00:00/2023-11-14T23:00:00+00:00"),
        (slice(360, None), range(4, 11), "2023-11-14T23:00:00+00:00/2023-11-15T01:00:00+00:00"),
        (slice(300, 500), range(4, 5), "2023-11-14T22:50:00+00:00/2023-11-14T23:23:10+00:00"),
    ],
    ids=["whole", "ends", "begins", "between"],
)
def test_side_is_known_while_all_its_phases_are(third: slice, quarters: range, interval: str | None) -> None:
    history = three_phases(third)
    assert [(q.start - T) // QUARTER for q in history.quarter_hours] == list(quarters)
    assert {(q.offtake, q.quality) for q in history.quarter_hours} == {(300, Quality.MEASURED)}
    assert history.notes == ({"grid_span": interval} if interval else {})


def test_phases_that_were_never_measured_together_are_no_site() -> None:
    series = rising(3 * HOUR, 10, lambda _: 400)
    channels = [clamp(number, *ONE_WAY) for number in (1, 2, 3)]
    blocks = {sid(10): split(series[:300], 8), sid(20): split(series[300:], 8), sid(30): split(series, 8)}
    with pytest.raises(HistoryError) as refused:
        read(channels, PHASES, blocks)
    assert refused.value.key == "never_together"


def test_phase_that_says_nothing_amid_the_others_is_spread_and_called_estimated() -> None:
    series = rising(3 * HOUR, 10, lambda _: 400)
    silent = [(time, value) for time, value in series if not T + HOUR < time < T + 2 * HOUR]
    blocks = {sid(10): split(series, 8), sid(20): split(series, 8), sid(30): split(silent, 8)}
    quarters = read([clamp(number, *ONE_WAY) for number in (1, 2, 3)], PHASES, blocks).quarter_hours
    assert sum(q.offtake or 0 for q in quarters) == pytest.approx(11 * 300, abs=1)
    assert [q.quality for q in quarters] == [Quality.MEASURED] * 4 + [Quality.ESTIMATED] * 4 + [Quality.MEASURED] * 3


@pytest.mark.parametrize("run", [0, 1], ids=["reset", "another run"])
def test_side_is_not_known_where_a_phase_counted_what_nobody_knows(run: int) -> None:
    series = rising(3 * HOUR, 10, lambda _: 400)
    before = [(time, value) for time, value in series if time <= T + HOUR + 60]
    after = [(time, value - 5430) for time, value in series if time >= T + 2 * HOUR + 60]
    third = split(before, 8) | split(after, 8, run=run)
    blocks = {sid(10): split(series, 8), sid(20): split(series, 8), sid(30): third}
    quarters = read([clamp(number, *ONE_WAY) for number in (1, 2, 3)], PHASES, blocks).quarter_hours
    assert [(q.start - T) // QUARTER for q in quarters] == [*range(4), *range(8, 11)]
    assert {q.quality for q in quarters} == {Quality.MEASURED}
    assert [q.offtake or 0 for q in quarters] == pytest.approx([300] * 4 + [293] + [300] * 2, abs=1)


def test_roof_that_is_measured_no_longer_is_not_known() -> None:
    channels = [clamp(1, *ONE_WAY), clamp(2, *ONE_WAY)]
    series = rising(3 * HOUR, 10, lambda _: 400)
    blocks = {sid(10): split(series, 8), sid(20): split(series[:361], 8)}
    history = read(channels, MAINS | {"flow2": Assignment(Role.PRODUCTION)}, blocks)
    assert [q.production for q in history.quarter_hours] == [100] * 4 + [None] * 7
    assert {q.offtake for q in history.quarter_hours} == {100}
    assert history.notes.keys() == {"production_span"}


def test_channel_that_tells_one_way_of_two_is_not_known() -> None:
    assigned = MAINS | {"flow2": Assignment(Role.PRODUCTION)}
    series = split(rising(HOUR, 10, lambda _: 400), 8)
    blocks = dict.fromkeys([sid(10), sid(20), sid(21)], series)
    history = read([clamp(1, *TWO_WAY), clamp(2, *TWO_WAY)], assigned, blocks)
    assert {(q.offtake, q.injection) for q in history.quarter_hours} == {(None, None)}
    assert history.notes == {"without": "grid"}


def test_counter_that_begins_anew_invents_nothing() -> None:
    before = rising(HOUR, 10, lambda _: 400)
    after = [(time, value - 5000) for time, value in rising(HOUR, 10, lambda _: 400, begin=T + HOUR + 10)]
    history = read_one([*before, *after])
    assert sum(q.offtake or 0 for q in history.quarter_hours) <= 2 * 400
    assert [q.offtake for q in history.quarter_hours][:4] == [100, 100, 100, 100]
    assert [q.offtake for q in history.quarter_hours][5:] == [100, 100]


def test_run_in_which_the_sensor_measured_water_is_left_out() -> None:
    water = {
        BlockId(0, 12, T - T % 2**12 - 2**12): block([(T - T % 2**12 - 5, 1.0), (T - T % 2**12 - 1, 9.0)], cfg=WATER)
    }
    power = split(rising(HOUR, 10, lambda _: 400), 8, run=1)
    history = read([clamp(1, *ONE_WAY)], MAINS, {sid(10): water | power})
    assert [q.offtake for q in history.quarter_hours] == [100, 100, 100]
    assert history.rows == len(rising(HOUR, 10, lambda _: 400))


def test_each_run_is_a_counter_of_its_own() -> None:
    first = split(rising(HOUR, 10, lambda _: 400), 8, run=0)
    second = split([(t, v + 90_000) for t, v in rising(HOUR, 10, lambda _: 400, begin=T + HOUR + 10)], 8, run=1)
    history = read([clamp(1, *ONE_WAY)], MAINS, {sid(10): first | second})
    assert [q.offtake for q in history.quarter_hours][:4] == [100] * 4
    assert all(abs((q.offtake or 0) - 100) <= 2 for q in history.quarter_hours)


def test_runs_that_overlap_are_told_one_after_the_other() -> None:
    first = split(rising(HOUR, 10, lambda _: 400), 8, run=0)
    second = split(rising(2 * HOUR, 10, lambda _: 400), 8, run=1)
    history = read([clamp(1, *ONE_WAY)], MAINS, {sid(10): first | second})
    assert all(abs((q.offtake or 0) - 100) <= 2 for q in history.quarter_hours)
    assert len(history.quarter_hours) == 7


# Silences


def changing(hours: int, power: Callable[[int], float], step: int = 1) -> list[tuple[int, float]]:
    """Count whole Wh from the start on, and tell each step, as an FLM02's clamp or a pulse meter does."""
    series: list[tuple[int, float]] = []
    counted = 0.0
    for second in range(hours * HOUR + 1):
        value = float(counted // step * step)
        if not series or value != series[-1][1]:
            series.append((T + second, value))
        counted += power(second) / HOUR
    return series


def test_roof_that_sleeps_when_its_history_is_read_produces_nothing() -> None:
    roof = changing(12, lambda second: 1000 if second < 4 * HOUR else 0)
    blocks = {sid(10): split(changing(12, lambda _: 300), 8), sid(20): split(roof, 8)}
    channels, assigned = [clamp(1, *ONE_WAY), clamp(2, *ONE_WAY)], MAINS | {"flow2": Assignment(Role.PRODUCTION)}
    history = read(channels, assigned, blocks, model=Model.FLM02)
    assert history.notes == {}
    assert [q.production for q in history.quarter_hours][:16] == pytest.approx([250] * 16, abs=1)
    assert [q.production for q in history.quarter_hours][16:] == [0] * 31
    history = read(channels, assigned, blocks)  # of an FLM03, which tells every second
    assert [q.production for q in history.quarter_hours][16:] == [None] * 31
    assert history.notes.keys() == {"production_span"}


def test_phase_that_uses_nothing_is_believed_for_a_day() -> None:
    used = changing(36, lambda _: 300)
    idle = changing(36, lambda second: 2000 if second < HOUR else 0)
    blocks = {sid(10): split(used, 8), sid(20): split(used, 8), sid(30): split(idle, 8)}
    history = read([clamp(number, *ONE_WAY) for number in (1, 2, 3)], PHASES, blocks, model=Model.FLM02)
    assert [(q.start - T) // QUARTER for q in history.quarter_hours] == list(range(100))
    assert history.notes.keys() == {"grid_span"}


def test_night_of_a_roof_of_large_pulses_takes_nothing_from_the_grids_quality() -> None:
    roof = changing(20, lambda second: 1000 if not 3 * HOUR < second < 17 * HOUR else 0, step=10)
    blocks = {sid(10): split(rising(20 * HOUR, 10, lambda _: 400), 8), sid(20): split(roof, 8)}
    channels = [clamp(1, *ONE_WAY), clamp(2, *ONE_WAY, kind=ChannelKind.PULSE)]
    quarters = read(channels, MAINS | {"flow2": Assignment(Role.PRODUCTION)}, blocks).quarter_hours
    assert {q.offtake for q in quarters} == {100}
    assert sum(q.production or 0 for q in quarters) == pytest.approx(5750, abs=10)
    assert {q.quality for q in quarters} == {Quality.MEASURED}


def test_meter_that_tells_only_of_changes_is_believed_while_little_is_used() -> None:
    history = read_one(rising(2 * HOUR, 600, lambda _: 6))
    assert {(q.quality) for q in history.quarter_hours} == {Quality.MEASURED}
    assert sum(q.offtake or 0 for q in history.quarter_hours) == 10


def test_what_a_silent_meter_counted_is_spread_and_called_estimated() -> None:
    series = rising(6 * HOUR, 10, lambda _: 400)
    told = [(time, value) for time, value in series if not T + HOUR < time < T + 3 * HOUR]
    history = read_one(told)
    assert [q.offtake for q in history.quarter_hours] == [100] * 23
    qualities = [q.quality for q in history.quarter_hours]
    assert qualities == [Quality.MEASURED] * 4 + [Quality.ESTIMATED] * 8 + [Quality.MEASURED] * 11


def test_time_in_which_the_meter_was_off_is_a_gap() -> None:
    before = rising(HOUR, 10, lambda _: 400)
    after = [(time + 3 * HOUR, value) for time, value in rising(HOUR, 10, lambda _: 400, begin=T + HOUR)]
    after = [(time, value + before[-1][1] - 5000) for time, value in after]
    history = read_one([*before, *after])
    assert [(q.start - T) // QUARTER for q in history.quarter_hours] == [0, 1, 2, 3, 16, 17, 18]
    assert [q.offtake for q in history.quarter_hours] == [100] * 7


# Blocks


def test_broken_block_keeps_its_sum() -> None:
    series = rising(4 * HOUR, 10, lambda _: 400)
    blocks = split(series, 12)
    broken = sorted(blocks)[1]
    content = describe([reading for reading in series if broken.start <= reading[0] < broken.end])
    content["v"].append(0)
    blocks[broken] = pack(content)
    history = read([clamp(1, *ONE_WAY)], MAINS, {sid(10): blocks})
    assert [(p.kind, p.where, p.found) for p in history.problems] == [
        (ProblemKind.BAD_BLOCK, f"{sid(10)}/{broken.path}", "lengths_differ")
    ]
    assert all(abs((q.offtake or 0) - 100) <= 1 for q in history.quarter_hours)
    assert Quality.ESTIMATED in {q.quality for q in history.quarter_hours}


def test_blocks_that_hold_nothing() -> None:
    history = read([clamp(1, *ONE_WAY)], MAINS, {sid(10): {BlockId(0, 8, T - T % 256): b"?"}})
    assert (list(history.quarter_hours), len(history.problems)) == ([], 1)
    with pytest.raises(HistoryError):
        read([clamp(1, *ONE_WAY)], MAINS, {sid(10): {}})


def test_nothing_is_taken_from_the_future() -> None:
    history = read_one(rising(4 * HOUR, 10, lambda _: 400), now=T + 2 * HOUR + 100)
    assert [(q.start - T) // QUARTER for q in history.quarter_hours] == list(range(8))


def test_progress_is_told() -> None:
    told: list[float] = []
    read_one(rising(30 * HOUR, 60, lambda _: 400), on_progress=told.append)
    assert told
    assert told == sorted(told)
    assert all(0 <= share <= 1 for share in told)


def test_folder_of_a_meter(tmp_path: Path) -> None:
    device = Device(did="d" * 32, model=Model.FLM02, channels=(clamp(1, *ONE_WAY),))
    registers = make_registers(device, meter_channels(device, MAINS))
    layout = SiteLayout(MAINS)
    with pytest.raises(HistoryError) as refused:
        read_folder(tmp_path, registers, layout, now=NOW)
    assert refused.value.key == "no_blocks"
    for name, content in split(rising(HOUR, 10, lambda _: 400), 8).items():
        path = tmp_path / sid(10) / name.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert [q.offtake for q in read_folder(tmp_path, registers, layout, now=NOW).quarter_hours] == [100] * 3
    with pytest.raises(HistoryError) as refused:
        read_folder(tmp_path, {}, layout, now=NOW)
    assert refused.value.key in ERRORS


def test_counter_that_tells_late_adds_to_quarter_hours_and_does_not_replace_them() -> None:
    channels = [clamp(1, *ONE_WAY), clamp(2, *ONE_WAY, kind=ChannelKind.PULSE)]
    assigned = MAINS | {"flow2": Assignment(Role.PRODUCTION)}
    roof = [(T, 5000.0), (T + 10, 5000.0), (T + 2 * HOUR, 5080.0), (T + 3 * HOUR, 5080.0)]
    blocks = {sid(10): split(rising(3 * HOUR, 10, lambda _: 400), 8), sid(20): split(roof, 8)}
    quarters = read(channels, assigned, blocks).quarter_hours
    starts = [quarter.start for quarter in quarters]
    assert starts == sorted(set(starts)), "each once and in order"
    assert {quarter.offtake for quarter in quarters} == {100}
    assert sum(quarter.production or 0 for quarter in quarters) == 80
