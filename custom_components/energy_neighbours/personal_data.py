"""Everything that is held about a household, as files that it can take with it."""

from collections.abc import Iterable, Mapping, Sequence
import csv
import io
import json
from typing import Any, Final, NamedTuple
import zipfile

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from .communities import CommunityMember, communities_of_site, is_community
from .community_ledger import CommunityLedger, async_open_community_ledger
from .contracts import contract_subentry
from .core.coefficients import percent
from .core.quarter_hour import Span, iso
from .ledger_readings import Reading
from .ledger_shares import Share
from .memberships import CONF_BROKER, membership_subentry
from .runtime_data import CommunityConfigEntry, EnergyNeighboursConfigEntry

EVER: Final = Span(0, 1 << 36)
_READING: Final = ("start", "offtake_wh", "injection_wh", "production_wh", "quality", "revision")
_SHARE: Final = ("start", "offered_wh", "allocated_wh", "surplus_wh", "key_version", "provisional", "revision")
_COEFFICIENT: Final = ("start", "producer", "percent")
_PRICE: Final = ("start", "eur_per_kwh")

type Row = Sequence[Any]


class PersonalData(NamedTuple):
    """What is held about a household: facts, and tables by name, each with its header first."""

    about: Mapping[str, Any]
    tables: Mapping[str, Sequence[Row]]

    def zipped(self) -> bytes:
        """Return it as a ZIP file: `about.json`, and a CSV file for each table."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("about.json", json.dumps(self.about, indent=2, ensure_ascii=False, default=str))
            for name, rows in self.tables.items():
                text = io.StringIO(newline="")
                csv.writer(text).writerows(rows)
                archive.writestr(f"{name}.csv", text.getvalue())
        return packed.getvalue()


async def async_personal_data(hass: HomeAssistant, entry: ConfigEntry[Any], code: str | None) -> PersonalData:
    """Return what is held of a site, or of a member of a community; `LedgerError` if that cannot be read.

    Parameters
    ----------
    hass
        Home Assistant.
    entry
        The site's, or the community's; loaded.
    code
        The member's, of a community.
    """
    if is_community(entry):
        community: CommunityConfigEntry = entry
        return await _of_member(community, code or "")
    return await _of_site(hass, entry)


async def _of_member(entry: CommunityConfigEntry, code: str) -> PersonalData:
    """Return what the organiser holds of a member."""
    community = entry.runtime_data
    member = community.member(code)
    assert member  # noqa: S101 - whoever asks has looked
    ledger, name = community.ledger, community.ledger.name
    readings = await ledger.async_look(lambda shares: shares.readings([member.site], EVER))
    shares = await ledger.async_look(lambda found: found.shares(name, member.site, EVER))
    state = await ledger.async_look(lambda found: found.load_member(name, member.site))
    coefficients = await ledger.async_look(lambda found: found.coefficients_of(name, code))
    about = {
        "community": entry.title,
        "name": entry.subentries[member.subentry_id].title,
        "member": _member(member),
        "last_message": state,
    }
    tables: dict[str, Sequence[Row]] = {
        "quarter_hours": _readings(readings[member.site].values()),
        "shares": _shares(shares),
    }
    if coefficients:
        rows = ((iso(start), producer, percent(part).removesuffix(" %")) for start, producer, part in coefficients)
        tables["coefficients"] = [_COEFFICIENT, *rows]
    return PersonalData(about, tables)


async def _of_site(hass: HomeAssistant, entry: EnergyNeighboursConfigEntry) -> PersonalData:
    """Return what this Home Assistant holds of a site."""
    site = entry.runtime_data
    contract, membership = contract_subentry(entry), membership_subentry(entry)
    about: dict[str, Any] = {
        "site": entry.title,
        "meter": dict(entry.data),
        "options": dict(entry.options),
        "contract": dict(contract.data) if contract else None,
        # The login at the broker is a secret, and no datum.
        "membership": {key: value for key, value in membership.data.items() if key != CONF_BROKER}
        if membership
        else None,
        "communities": [
            {"community": community.title, **_member(member)}
            for community, member in communities_of_site(hass, entry.entry_id)
        ],
    }
    if site.membership:
        about["last_acknowledged"] = site.membership.notes.told
        about["refused"] = dict(site.membership.refused)
    ledger = await async_open_community_ledger(hass, entry.entry_id)
    try:
        readings = await ledger.async_look(lambda shares: shares.readings([entry.entry_id], EVER))
        tables = {
            "quarter_hours": _readings(readings[entry.entry_id].values()),
            **await _shares_of(ledger, hass, entry),
        }
    finally:
        await ledger.async_close()
    tables["quarter_hours"] = _readings(readings[entry.entry_id].values())
    prices = await site.ledger.async_prices(EVER)
    tables["prices"] = [_PRICE, *((iso(start), price) for start, price in sorted(prices.items()))]
    return PersonalData(about, tables)


async def _shares_of(
    ledger: CommunityLedger, hass: HomeAssistant, entry: EnergyNeighboursConfigEntry
) -> dict[str, Sequence[Row]]:
    """Return the shares of a site in each of its communities."""
    names = [community.entry_id for community, _ in communities_of_site(hass, entry.entry_id)]
    if subentry := membership_subentry(entry):
        names.append(subentry.subentry_id)
    found = await ledger.async_look(lambda shares: [shares.shares(name, entry.entry_id, EVER) for name in names])
    several = len(found) > 1
    return {f"shares_{number}" if several else "shares": _shares(shares) for number, shares in enumerate(found, 1)}


def _member(each: CommunityMember) -> dict[str, Any]:
    member = each.member
    return {
        "code": member.code,
        "source": each.source.value,
        "consumes": member.consumes,
        "produces": member.produces,
        "joined": member.joined.isoformat(),
        "left": member.left and member.left.isoformat(),
        "group": member.group,
        "takes_part": str(member.offtake_part),
        "connection_power_kva": each.connection_power,
    }


def _readings(readings: Iterable[Reading]) -> list[Row]:
    rows = [
        (
            iso(quarter.start),
            quarter.offtake,
            quarter.injection,
            quarter.production,
            quarter.quality.value,
            revision,
        )
        for quarter, revision in sorted(readings, key=lambda reading: reading.quarter.start)
    ]
    return [_READING, *rows]


def _shares(shares: Iterable[Share]) -> list[Row]:
    rows = [
        (
            iso(share.start),
            share.offered,
            share.allocated,
            share.surplus,
            share.version,
            share.provisional,
            share.revision,
        )
        for share in shares
    ]
    return [_SHARE, *rows]
