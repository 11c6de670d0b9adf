"""A community as its organiser knows it when members begin to send, and what they send."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentryData

from custom_components.energy_neighbours.communities import members_of, rules_of
from custom_components.energy_neighbours.const import DOMAIN
from custom_components.energy_neighbours.core.contract import Region
from custom_components.energy_neighbours.core.messages import ReadingQuarter
from custom_components.energy_neighbours.core.quarter_hour import (
    QUARTER,
    Quality,
    QuarterHour,
    Span,
    day_of,
    midnight,
)
from custom_components.energy_neighbours.core.repartition import Flows
from custom_components.energy_neighbours.core.signing import generate_key
from custom_components.energy_neighbours.core.span_shares import allocate_span
from custom_components.energy_neighbours.division import divide
from custom_components.energy_neighbours.ledger import Ledger
from custom_components.energy_neighbours.ledger_quarters import open_site, put
from custom_components.energy_neighbours.ledger_readings import Reading
from custom_components.energy_neighbours.ledger_rows import Row
from tools.bench.instance import entry_of
from tools.neighbourhood.homes import community

COMMUNITY: Final = "street00"
ENTRY: Final = "01JSTREET"
"""The id of its entry."""
JUNE_NOON: Final = 152 * 96 + 48
"""Of the homes' year: energy is there to be divided."""
DAY: Final = 86_400
PROSUMERS: Final = 5
"""Each fifth member has a roof of its own."""
FIRST_REVISION: Final = 1

type Shares = dict[str, list[list[int]]]
"""What each member was offered and allocated in each quarter-hour [Wh], by code."""


@dataclass(frozen=True)
class Street:
    """A community.

    Parameters
    ----------
    members
        How many.
    told
        How many quarter-hours are still to be sent and divided. Those of the day before, at least, are known.
    end
        When the last of them ends [s, Unix].
    """

    members: int
    told: int
    end: int

    @property
    def span(self) -> Span:
        """The quarter-hours that are to be sent."""
        return Span(self.end - self.told * QUARTER, self.end)

    @cached_property
    def past(self) -> Span:
        """Those that are known and divided."""
        zone = Region.WALLONIA.zone
        return Span(midnight(day_of(self.span.start - DAY, zone), zone), self.span.start)

    @cached_property
    def flows(self) -> Flows:
        """The energies of all."""
        known = len(self.past.quarter_hours)
        roofs = max(self.members // PROSUMERS, 1)
        return community(self.members, known + self.told, prosumers=roofs, first=JUNE_NOON - known)

    @property
    def codes(self) -> list[str]:
        """The member codes."""
        return list(self.flows.members)

    def entry(self, broker: Mapping[str, Any] | None = None) -> ConfigEntry:
        """Return the community as its organiser has set it up, with all members invited and joined."""
        begin = day_of(self.past.start, Region.WALLONIA.zone).isoformat()
        key = {"number": 1, "valid_from": begin, "author": "all", "key": {"kind": "prorata"}}
        roofs = set(self.flows.producers)
        members = tuple(
            ConfigSubentryData(
                data={
                    "code": code,
                    "part": "both" if code in roofs else "consumer",
                    "joined": begin,
                    "source": "remote",
                    "connection_power": 100,
                },
                subentry_type="member",
                title=f"Home {code}",
                unique_id=code,
            )
            for code in self.codes
        )
        options = {"region": "wallonia", "privacy_threshold": 5, "keys": [key], "shared_price": "0.15"}
        if broker:
            options |= {"broker": dict(broker), "signing_key": generate_key()}
        return entry_of(DOMAIN, {"community": COMMUNITY}, options, entry_id=ENTRY, subentries=members)

    def quarters(self, span: Span) -> dict[str, list[ReadingQuarter]]:
        """Return what the members read in a span, by code."""
        rows = slice(*((time - self.past.start) // QUARTER for time in span))
        injected = dict(zip(self.flows.producers, self.flows.injection[rows].T.tolist(), strict=True))
        taken = zip(self.codes, self.flows.offtake[rows].T.tolist(), strict=True)
        nothing = [0] * len(span.quarter_hours)
        return {
            code: [
                ReadingQuarter(start, taken, given, None, Quality.MEASURED, FIRST_REVISION)
                for start, taken, given in zip(span.quarter_hours, offtake, injected.get(code, nothing), strict=True)
            ]
            for code, offtake in taken
        }

    def expected(self) -> Shares:
        """Return what the pure engine makes of what is sent."""
        rows = slice((self.span.start - self.past.start) // QUARTER, None)
        rules = rules_of(self.entry())
        found = allocate_span(rules, self.span, self.flows.offtake[rows], self.flows.injection[rows])
        pairs = zip(self.codes, found.offered.T.tolist(), found.allocated.T.tolist(), strict=True)
        return {
            code: [list(each) for each in zip(offered, allocated, strict=True)] for code, offered, allocated in pairs
        }

    def write(self, path: Path) -> None:
        """Write the ledger of its organiser: what is past is known, divided, and was told."""
        members, rules = members_of(self.entry()), rules_of(self.entry())
        past = self.quarters(self.past)
        readings = {
            each.site: {told.start: Reading(QuarterHour(*told[:-1]), told.revision) for told in past[each.member.code]}
            for each in members
        }
        with closing(Ledger.open(path)) as ledger:
            with ledger.writing() as connection:
                for site, known in readings.items():
                    rows = {
                        start: Row.of(each.quarter)._replace(revision=each.revision) for start, each in known.items()
                    }
                    put(connection, open_site(connection, site)[0], rows)
            division = divide(rules, members, self.past.quarter_hours, readings)
            ledger.shares.write(ENTRY, division.shares, (), division.totals)
            for each in members:
                ledger.shares.save_member(ENTRY, each.site, self.state(each.member.code))

    def state(self, code: str) -> dict[str, Any]:
        """Return what the organiser knows of a member beside its readings."""
        consent = {"readings": True, "live": True, "statistics": True, "since": self.past.start, "erase": False}
        return {"device": device(code), "seen": FIRST_REVISION, "heard": self.span.start, "consent": consent}


def device(code: str) -> str:
    """Return the id of a member's installation."""
    return f"home-of-{code}"
