"""The entities of the demo's site, found by their stable keys."""

from collections.abc import Mapping, Sequence
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
        registry = _entities_of(api, site)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Entity ids of what a site gets from its neighbours."""

    power: str
    from_neighbours: str
    from_supplier: str
    today: str
    this_month: str
    coverage: str
    self_consumption: str
    saving: str
    price: str

    @classmethod
    def find(cls, api: Api, site: str) -> Shares:
        """Look them up by the site's config entry; `NotLiveError` if it has none."""
        by_key = {entry["translation_key"]: entry["entity_id"] for entry in _entities_of(api, site)}
        try:
            return cls(
                power=by_key["share_power"],
                from_neighbours=by_key["from_neighbours_energy"],
                from_supplier=by_key["from_supplier_energy"],
                today=by_key["allocated_today"],
                this_month=by_key["allocated_this_month"],
                coverage=by_key["coverage_rate"],
                self_consumption=by_key["self_consumption_rate"],
                saving=by_key["saving_this_month"],
                price=by_key["neighbours_price"],
            )
        except KeyError as error:
            raise NotLiveError(f"the site has no entity '{error.args[0]}'") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class CommunityEntities:
    """Entity ids of a community's figures for its organiser."""

    present: str
    completeness: str
    production: str
    offtake: str
    allocated: str
    surplus: str
    coverage: str
    self_consumption: str

    @classmethod
    def find(cls, api: Api, community: str) -> CommunityEntities:
        """Look them up by the community's config entry; `NotLiveError` if it has none."""
        by_key = {entry["translation_key"]: entry["entity_id"] for entry in _entities_of(api, community)}
        try:
            return cls(
                present=by_key["members_present"],
                completeness=by_key["data_completeness"],
                production=by_key["community_production"],
                offtake=by_key["community_offtake"],
                allocated=by_key["community_allocated"],
                surplus=by_key["community_surplus"],
                coverage=by_key["community_coverage_rate"],
                self_consumption=by_key["community_self_consumption_rate"],
            )
        except KeyError as error:
            raise NotLiveError(f"the community has no entity '{error.args[0]}'") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A home of the street that is a site of this Home Assistant."""

    name: str
    shares: Shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """A community, its members' names by code, and its homes in this Home Assistant."""

    community: CommunityEntities
    names: Mapping[str, str]
    homes: Sequence[Home]

    @classmethod
    def find(cls, api: Api, community: str, sites: Sequence[str]) -> Street:
        """Look it up by its config entry and those of the sites; `NotLiveError` if something is not there."""
        members = api.websocket("config_entries/subentries/list", entry_id=community)
        names = {each["unique_id"]: each["title"] for each in members if each["subentry_type"] == "member"}
        # Members stand in the order in which they were taken in, the sites first.
        homes = [
            Home(name=name, shares=Shares.find(api, site)) for site, name in zip(sites, names.values(), strict=False)
        ]
        return cls(community=CommunityEntities.find(api, community), names=names, homes=homes)


def _entities_of(api: Api, entry_id: str) -> list[dict[str, Any]]:
    return [
        entry
        for entry in api.websocket("config/entity_registry/list")
        if entry["config_entry_id"] == entry_id and not entry["disabled_by"]
    ]


def _phase(entry: Mapping[str, Any]) -> str:
    """Take `L1` out of a unique id that ends in `_L1_phase_power`."""
    return str(entry["unique_id"].removesuffix(f"_{PHASE_POWER}").rsplit("_", 1)[-1])


class SharesLiveness:
    """Whether a site's shares live: what comes from the neighbours now is known, and something was divided.

    Call `look` now and then.
    """

    def __init__(self, api: Api, street: Street) -> None:
        self._api = api
        self._shares = street.homes[0].shares
        self._community = street.community
        self._present = ""
        self._power = ""
        self._from_neighbours = ""

    def look(self) -> None:
        """Take a look at the states."""
        states = self._api.states()

        def state(entity: str) -> str:
            return str(states[entity]["state"]) if entity in states else "missing"

        self._present = state(self._community.present)
        self._power = state(self._shares.power)
        self._from_neighbours = state(self._shares.from_neighbours)

    @property
    def summary(self) -> str:
        """How sharing stands, in one line."""
        return (
            f"{self._present} members present, {self._from_neighbours} kWh from the neighbours so far and"
            f" {self._power} W now"
        )

    @property
    def complaint(self) -> str | None:
        """Why shares do not live; None when they do."""
        if self._power in {*UNKNOWN, "missing", ""}:
            return f"{self._shares.power} is {self._power or 'not looked at'}"
        if self._from_neighbours in {*UNKNOWN, "missing"} or not float(self._from_neighbours):
            return f"nothing came from the neighbours ({self._shares.from_neighbours} is {self._from_neighbours})"
        return None


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
