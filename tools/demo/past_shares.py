"""What came from the neighbours and from the supplier in the days before the demo, as Home Assistant's statistics.

It is what the community has really divided: the site's own export tells it.
"""

from collections.abc import Iterator
import csv
from datetime import UTC, datetime, timedelta
import io
from typing import Any, NamedTuple
import zipfile

from tools.home import Api

from .past_days import first_hour, import_hours
from .site_entities import DOMAIN
from .street_entities import Shares

LATE = timedelta(hours=2)
"""Who is late, or away, has told by then what it used."""
HOUR = timedelta(hours=1)

type Hours = dict[datetime, tuple[float, float]]
"""Energy from the neighbours and from the supplier [kWh], by the hour's beginning."""


class Past(NamedTuple):
    """What was imported, by entity.

    Parameters
    ----------
    reached
        Sum that the imported statistics have reached [kWh].
    states
        What the entity itself would have shown then [kWh]: it counts since its site joined.
    """

    reached: dict[str, float]
    states: dict[str, float]


def import_past_shares(api: Api, site: str, shares: Shares, now: datetime) -> Past | None:
    """Give the two grid sources of a site hourly statistics of the last days, up to the last full hour before `now`.

    What the recorder noted of them meanwhile is thrown away: the past arrived during it. None, and nothing done, while
    the homes far away have not told all of their past.
    """
    export = api.post(f"/api/services/{DOMAIN}/export_data?return_response", {"config_entry_id": site})
    hours = hours_of(api.download(export["service_response"]["url"]), now)
    if hours is None:
        return None
    sources, first = (shares.from_neighbours, shares.from_supplier), first_hour(now)
    api.websocket("recorder/clear_statistics", statistic_ids=list(sources))
    past = Past({}, {})
    for column, entity in enumerate(sources):
        energies = [(start, values[column]) for start, values in sorted(hours.items())]
        past.reached[entity] = import_hours(api, entity, [each for each in energies if each[0] >= first])
        past.states[entity] = sum(energy for _, energy in energies)
    return past


def hours_of(archive: bytes, now: datetime) -> Hours | None:
    """Return the full hours before `now` from an export, all of the last days and whatever is shared before them.

    Whatever is not known of the last two hours counts as nothing; it is corrected when it is. None while what is older
    may still change.
    """
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        taken = {_start(row): row["offtake_wh"] for row in _rows(files, "quarter_hours.csv")}
        shares = {_start(row): row for row in _rows(files, "shares.csv")}
    start, last = first_hour(now), now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    due = [each for each in taken if start <= each < last - LATE]
    if not due or any(each not in shares or shares[each]["provisional"] == "True" for each in due):
        return None
    hours: Hours = {}
    while start < last:
        hours[start] = (0.0, 0.0)
        start += HOUR
    for quarter, offtake in taken.items():
        if quarter < last and offtake and (share := shares.get(quarter)) and share["allocated_wh"]:
            hour = quarter.replace(minute=0)
            neighbours, supplier = hours.get(hour, (0.0, 0.0))
            allocated = int(share["allocated_wh"])
            hours[hour] = neighbours + allocated / 1000, supplier + (int(offtake) - allocated) / 1000
    return hours


def _start(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["start"])


def _rows(files: zipfile.ZipFile, name: str) -> Iterator[dict[str, Any]]:
    yield from csv.DictReader(io.StringIO(files.read(name).decode()))
