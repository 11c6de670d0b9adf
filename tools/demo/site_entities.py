"""The entities of the demo's site, found by their stable keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
import time
from typing import Any

from tools.home import Api

DOMAIN = "energy_neighbours"
PHASE_POWER = "phase_power"
UNKNOWN = ("unavailable", "unknown")


class NotLiveError(Exception):
    """The site's entities do not live."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteEntities:
    """Entity ids of one site's entities; None or empty where the meter has none."""

    grid: str
    production: str | None
    consumption: str | None
    offtake: str
    injection: str | None
    produced: str | None
    imbalance: str | None
    connected: str
    last_reading: str
    band: str | None = None
    next_band: str | None = None
    band_ends: str | None = None
    price: str | None = None
    cost_today: str | None = None
    cost_this_month: str | None = None
    quarter_hour: str | None = None
    peak: str | None = None
    phases: Mapping[str, str] = field(default_factory=dict)
    history: Mapping[str, str] = field(default_factory=dict)
    """Statistics of the site's own past by series: offtake, injection, production."""

    @property
    def powers(self) -> tuple[str, ...]:
        """The entities whose watts must move."""
        return tuple(e for e in (self.grid, self.production, self.consumption, *self.phases.values()) if e)

    @property
    def tariff(self) -> tuple[str | None, ...]:
        """The entities that come with a contract; None for each that is not there."""
        return (
            self.band,
            self.next_band,
            self.band_ends,
            self.price,
            self.cost_today,
            self.cost_this_month,
            self.quarter_hour,
            self.peak,
        )

    @classmethod
    def find(cls, api: Api, site: str) -> SiteEntities:
        """Look those of a site up in the entity registry, by its config entry.

        Raises
        ------
        NotLiveError
            The site has no power or energy of the grid.
        """
        registry = entities_of(api, site)
        by_key = {entry["translation_key"]: entry["entity_id"] for entry in registry}
        statistics = api.websocket("recorder/list_statistic_ids", statistic_type="sum")
        prefix = f"{DOMAIN}:{site.lower()}_"
        own = [each["statistic_id"] for each in statistics if each["statistic_id"].startswith(prefix)]
        phases = {_phase(entry): entry["entity_id"] for entry in registry if entry["translation_key"] == PHASE_POWER}
        try:
            return cls(
                grid=by_key["grid_power"],
                production=by_key.get("production_power"),
                consumption=by_key.get("consumption_power"),
                offtake=by_key["offtake_energy"],
                injection=by_key.get("injection_energy"),
                produced=by_key.get("production_energy"),
                imbalance=by_key.get("phase_imbalance"),
                connected=by_key["meter_connected"],
                last_reading=by_key["last_reading"],
                band=by_key.get("band"),
                next_band=by_key.get("next_band"),
                band_ends=by_key.get("band_ends_at"),
                price=by_key.get("price"),
                cost_today=by_key.get("cost_today"),
                cost_this_month=by_key.get("cost_this_month"),
                quarter_hour=by_key.get("quarter_hour_power"),
                peak=by_key.get("peak_quarter_hour"),
                phases=dict(sorted(phases.items())),
                history={statistic.rpartition("_")[2]: statistic for statistic in sorted(own)},
            )
        except KeyError as error:
            raise NotLiveError(f"the site has no entity '{error.args[0]}'") from error


def entities_of(api: Api, entry_id: str) -> list[dict[str, Any]]:
    """Return the registry's entries of a config entry's entities that are not disabled."""
    return [
        entry
        for entry in api.websocket("config/entity_registry/list")
        if entry["config_entry_id"] == entry_id and not entry["disabled_by"]
    ]


def _phase(entry: Mapping[str, Any]) -> str:
    """Take `L1` out of a unique id that ends in `_L1_phase_power`."""
    return str(entry["unique_id"].removesuffix(f"_{PHASE_POWER}").rsplit("_", 1)[-1])


class Liveness:
    """Whether a site's watts move; call `look` now and then."""

    def __init__(self, api: Api, site: SiteEntities) -> None:
        self._api = api
        self._site = site
        self._seen: dict[str, set[str]] = {entity: set() for entity in site.powers}
        self._now: dict[str, str] = {}

    def look(self) -> None:
        """Take a look at the states."""
        states = self._api.states()
        self._now = {e: states[e]["state"] if e in states else "missing" for e in self._site.powers}
        for entity, state in self._now.items():
            if state not in (*UNKNOWN, "missing"):
                self._seen[entity].add(state)

    @property
    def watts(self) -> str:
        """The site's power in one line."""
        return ", ".join(f"{e.partition('.')[2]} {state} W" for e, state in self._now.items())

    @property
    def complaint(self) -> str | None:
        """Why the entities are not live; None when they are."""
        if dead := sorted(e for e, state in self._now.items() if state in (*UNKNOWN, "missing")):
            return f"{dead[0]} is {self._now[dead[0]]}"
        # One power may well stand still for a while, as that of a house where nobody is at home; all of them never do.
        if all(len(seen) < 2 for seen in self._seen.values()):  # noqa: PLR2004 - two that differ
            return f"no power has changed ({self.watts or 'none was seen'})"
        return None

    def wait(self, timeout: float) -> None:
        """Wait until every power is known.

        Raises
        ------
        NotLiveError
            One is still not known after `timeout` [s].
        """
        end = time.monotonic() + timeout
        while True:
            self.look()
            if all(self._seen.values()):
                return
            if time.monotonic() > end:
                raise NotLiveError(f"after {timeout:.0f} s {self.complaint}")
            time.sleep(0.2)
