"""The entities of the demo's community: what each home gets, what its organiser sees, and when they live."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.home import Api

from .site_entities import UNKNOWN, NotLiveError, entities_of


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
        by_key = {entry["translation_key"]: entry["entity_id"] for entry in entities_of(api, site)}
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
        by_key = {entry["translation_key"]: entry["entity_id"] for entry in entities_of(api, community)}
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


class SharesLiveness:
    """Whether a site's shares live: what comes from the neighbours now is known, something was divided, all are heard.

    Call `look` now and then.
    """

    def __init__(self, api: Api, street: Street) -> None:
        self._api = api
        self._shares = street.homes[0].shares
        self._community = street.community
        self._near = len(street.homes)
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
        if self._present in {*UNKNOWN, "missing"} or float(self._present) <= self._near:
            return f"none of the homes far away is heard ({self._community.present} is {self._present})"
        return None
