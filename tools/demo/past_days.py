"""Energy of the days before the demo, worked out of the same household that its meter replays."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tools.home import Api
from tools.simulator.household import ZONE, Household, scene_of

from .site_entities import SiteEntities

DAYS = 7
HOUR = timedelta(hours=1)


def import_past_days(api: Api, site: SiteEntities, now: datetime, household: Household) -> dict[str, float]:
    """Give the site's energy entities hourly statistics of the last days, up to the last full hour before `now`.

    Returns
    -------
    dict
        Sum [kWh] that each entity's statistics have reached, for `lift_sums`.
    """
    hours = list(_hours(now, household))
    reached: dict[str, float] = {}
    for column, entity in enumerate((site.offtake, site.injection, site.produced)):
        if entity is None:
            continue
        reached[entity] = import_hours(api, entity, [(start, values[column]) for start, values in hours])
    return reached


def import_hours(api: Api, entity: str, hours: Iterable[tuple[datetime, float]]) -> float:
    """Give an energy entity statistics: the energy [kWh] of each hour. Return the sum that they reach [kWh]."""
    total = 0.0
    rows: list[dict[str, Any]] = []
    for start, energy in hours:
        total += energy
        rows.append({"start": start.isoformat(), "state": round(total, 6), "sum": round(total, 6)})
    metadata = {
        "statistic_id": entity,
        "source": "recorder",
        "name": None,
        "has_sum": True,
        "mean_type": 0,
        "unit_class": "energy",
        "unit_of_measurement": "kWh",
    }
    api.websocket("recorder/import_statistics", metadata=metadata, stats=rows)
    return total


def first_hour(now: datetime) -> datetime:
    """Return the first of the hours that are imported: a midnight in Belgium."""
    midnight = now.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS)
    return midnight.astimezone(UTC)


def lift_sums(
    api: Api, reached: Mapping[str, float], now: datetime, states: Mapping[str, float] | None = None
) -> list[str]:
    """Let the statistics that the recorder has begun go on from where the imported ones end.

    The recorder begins the sum of a new entity at 0 with its first five minutes, whatever was imported. Call it now and
    then; returns the entities that are done.

    Parameters
    ----------
    reached
        Sum [kWh] up to which each entity was imported.
    now
        The time.
    states
        What an entity itself would have shown then [kWh], where that is known: it may have risen by its past since.
    """
    since = now - timedelta(days=DAYS)  # the imported hours are no such rows
    recorded = api.websocket(
        "recorder/statistics_during_period",
        start_time=since.isoformat(),
        statistic_ids=list(reached),
        period="5minute",
        types=["sum", "state"],
    )
    done = []
    for entity, (row, *_) in recorded.items():
        first = datetime.fromtimestamp(row["start"] / 1000, UTC)
        shown = (states or {}).get(entity)
        rise = row["sum"] if shown is None else row["state"] - shown
        api.websocket(
            "recorder/adjust_sum_statistics",
            statistic_id=entity,
            start_time=first.replace(minute=0, second=0).isoformat(),
            adjustment=reached[entity] + rise - row["sum"],
            adjustment_unit_of_measurement="kWh",
        )
        done.append(entity)
    return done


def _hours(now: datetime, household: Household) -> Iterator[tuple[datetime, tuple[float, float, float]]]:
    """Yield each hour's start and its offtake, injection and production [kWh]."""
    last = now.replace(minute=0, second=0, microsecond=0)
    start = first_hour(now)
    while start < last:
        yield start, _energy_of(household, scene_of(start))
        start += HOUR


def _energy_of(household: Household, scene: int) -> tuple[float, float, float]:
    offtake = injection = production = 0.0
    for minute in range(60):
        flow = household.at(scene + 60 * minute + 30)
        grid = flow.load - flow.solar
        offtake += max(grid, 0) / 60_000
        injection += max(-grid, 0) / 60_000
        production += flow.solar / 60_000
    return offtake, injection, production
