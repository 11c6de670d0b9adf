"""What came from the neighbours and from the supplier in the days before the demo, as Home Assistant's statistics.

It is what the community has really divided: the site's own export tells it.
"""

from collections.abc import Iterator
import csv
from datetime import UTC, datetime, timedelta
import io
from typing import Any
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


def import_past_shares(api: Api, site: str, shares: Shares, now: datetime) -> dict[str, float]:
    """Give the two grid sources of a site hourly statistics of the last days, up to the last full hour before `now`.

    What the recorder noted of them meanwhile is thrown away: the past arrived during it.

    Returns
    -------
    dict
        Sum [kWh] that each entity's statistics have reached, for `lift_sums`; empty, and nothing done, while the homes
        far away have not told all of their past.
    """
    export = api.post(f"/api/services/{DOMAIN}/export_data?return_response", {"config_entry_id": site})
    hours = hours_of(api.download(export["service_response"]["url"]), now)
    if hours is None:
        return {}
    sources = (shares.from_neighbours, shares.from_supplier)
    api.websocket("recorder/clear_statistics", statistic_ids=list(sources))
    return {
        entity: import_hours(api, entity, [(start, values[column]) for start, values in sorted(hours.items())])
        for column, entity in enumerate(sources)
    }


def hours_of(archive: bytes, now: datetime) -> Hours | None:
    """Return the full hours of the last days before `now` from an export; None while some of them may still change.

    Whatever is not known of the last two hours counts as nothing; it is corrected when it is.
    """
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        taken = {_start(row): row["offtake_wh"] for row in _rows(files, "quarter_hours.csv")}
        shares = {_start(row): row for row in _rows(files, "shares.csv")}
    first, last = first_hour(now), now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    due = [start for start in taken if first <= start < last - LATE]
    if not due or any(start not in shares or shares[start]["provisional"] == "True" for start in due):
        return None
    hours: Hours = {}
    start = first
    while start < last:
        hours[start] = (0.0, 0.0)
        start += HOUR
    for start, offtake in taken.items():
        hour = start.replace(minute=0)
        if hour in hours and offtake and (share := shares.get(start)) and share["allocated_wh"]:
            neighbours, supplier = hours[hour]
            allocated = int(share["allocated_wh"])
            hours[hour] = neighbours + allocated / 1000, supplier + (int(offtake) - allocated) / 1000
    return hours


def _start(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["start"])


def _rows(files: zipfile.ZipFile, name: str) -> Iterator[dict[str, Any]]:
    yield from csv.DictReader(io.StringIO(files.read(name).decode()))
