"""What a site's export tells of the days before the demo becomes hours of energy from neighbours and supplier."""

from datetime import UTC, datetime, timedelta
import io
from typing import Any, override
import zipfile

import pytest

from tools.demo.past_days import lift_sums
from tools.demo.past_shares import hours_of
from tools.home import Api

NOW = datetime(2026, 11, 24, 13, 40, tzinfo=UTC)


def export(*rows: tuple[str, str, str, str]) -> bytes:
    """Pack quarter-hours: start, offtake, what was allocated, and whether that is provisional."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as files:
        taken = "".join(f"{start},{offtake}\n" for start, offtake, _, _ in rows)
        files.writestr("quarter_hours.csv", f"start,offtake_wh\n{taken}")
        shares = "".join(f"{start},{share},{provisional}\n" for start, _, share, provisional in rows)
        files.writestr("shares.csv", f"start,allocated_wh,provisional\n{shares}")
    return packed.getvalue()


def test_what_was_taken_came_from_the_neighbours_or_from_the_supplier() -> None:
    hours = hours_of(
        export(
            ("2026-11-23T10:00:00+00:00", "500", "200", "False"),
            ("2026-11-23T10:45:00+00:00", "100", "100", "False"),
            ("2026-11-24T13:30:00+00:00", "900", "", "True"),
            ("2026-08-01T10:00:00+00:00", "700", "", "False"),
        ),
        NOW,
    )
    assert hours is not None
    assert hours[datetime(2026, 11, 23, 10, tzinfo=UTC)] == pytest.approx((0.3, 0.3))
    assert sum(sum(energies) for energies in hours.values()) == pytest.approx(0.6)
    assert min(hours) == datetime(2026, 11, 16, 23, tzinfo=UTC)  # a midnight in Belgium
    assert max(hours) == NOW.replace(hour=12, minute=0)
    assert len(hours) == (max(hours) - min(hours)) / timedelta(hours=1) + 1


def test_nothing_is_told_while_neighbours_have_not_told_their_past() -> None:
    assert hours_of(export(), NOW) is None
    assert hours_of(export(("2026-11-23T10:00:00+00:00", "500", "200", "True")), NOW) is None


def test_the_last_hours_may_still_change() -> None:
    rows = [
        ("2026-11-23T10:00:00+00:00", "500", "200", "False"),
        ("2026-11-24T12:30:00+00:00", "40", "10", "True"),
    ]
    hours = hours_of(export(*rows), NOW)
    assert hours is not None
    assert hours[datetime(2026, 11, 24, 12, tzinfo=UTC)] == pytest.approx((0.01, 0.03))


class Recorder(Api):
    """Has recorded the first five minutes of an entity, and notes by how much its sums are lifted."""

    def __init__(self, **row: float) -> None:
        super().__init__("http://127.0.0.1")
        self.row = row
        self.lifted: dict[str, float] = {}

    @override
    def websocket(self, command: str, *, timeout: float = 60, **fields: Any) -> Any:
        if command == "recorder/adjust_sum_statistics":
            self.lifted[fields["statistic_id"]] = fields["adjustment"]
        return {"sensor.energy": [{"start": NOW.timestamp() * 1000, **self.row}]}


def test_sums_go_on_from_where_the_imported_ones_end() -> None:
    recorder = Recorder(sum=0.2, state=7.2)
    assert lift_sums(recorder, {"sensor.energy": 40.0}, NOW) == ["sensor.energy"]
    assert recorder.lifted == {"sensor.energy": 40.0}


def test_the_past_that_arrived_meanwhile_is_not_counted_as_now() -> None:
    recorder = Recorder(sum=77.6, state=77.6)  # it rose from nothing by all that was shared since the site joined
    lift_sums(recorder, {"sensor.energy": 5.0}, NOW, {"sensor.energy": 77.5})
    assert recorder.lifted["sensor.energy"] + 77.6 == pytest.approx(5.1)
