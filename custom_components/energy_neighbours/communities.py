"""What a community looks like in its config entry and its members' subentries, and the rules that are read from it.

The entry's data is `{"community": id}`. Its options are `region`, `privacy_threshold`, `shared_prices` (money as text
in €/kWh by band, "" for all hours) with `shared_grid` (the bands, whole, if there are any), and `keys`: each version of
the repartition key whole, with its number, the day on which it begins, who set it, and which members accepted it. A
member's subentry says who it is (`code`), where its readings come from (`source`), and when it belongs.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction
from random import SystemRandom
from typing import Any, Final, NamedTuple

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .core.band_grid import BandGrid
from .core.community import KeyVersion, Member, Rules
from .core.contract import Region
from .core.repartition_key import Prorata, RepartitionKey, key_from_dict, key_to_dict
from .core.sharing_costs import SharedTariff
from .core.topics import random_code, random_community
from .ledger_readings import Reading

CONF_COMMUNITY: Final = "community"
CONF_REGION: Final = "region"
CONF_THRESHOLD: Final = "privacy_threshold"
CONF_SHARED_PRICES: Final = "shared_prices"
CONF_SHARED_GRID: Final = "shared_grid"
CONF_KEYS: Final = "keys"
CONF_VALID_FROM: Final = "valid_from"
CONF_NUMBER: Final = "number"
CONF_AUTHOR: Final = "author"
CONF_ACCEPTED: Final = "accepted"
CONF_SIGNING_KEY: Final = "signing_key"
"""The organiser's private key, made with the first broker."""
CONF_KEY: Final = "key"

SUBENTRY_MEMBER: Final = "member"
CONF_CODE: Final = "code"
CONF_SOURCE: Final = "source"
CONF_SITE: Final = "site"
CONF_PART: Final = "part"
CONF_JOINED: Final = "joined"
CONF_LEFT: Final = "left"
CONF_GROUP: Final = "group"
CONF_TAKES_PART: Final = "takes_part"
CONF_POWER: Final = "connection_power"
CONF_INVITED: Final = "invited"
"""When a remote member was invited last [s, Unix]."""

DEFAULT_THRESHOLD: Final = 5
DEFAULT_POWER: Final = 44
"""What a connection can carry if nobody says [kVA]: 63 A on three phases. A reading above that is no reading."""
_RANDOM: Final = SystemRandom()


class Source(StrEnum):
    """Where a member's readings come from."""

    LOCAL = "local"  # a site of this Home Assistant
    REMOTE = "remote"  # a site that sends them over the broker
    FILES = "files"  # files of the grid operator
    VACANT = "vacant"  # nobody lives there


FOLLOWED: Final = frozenset({Source.LOCAL, Source.FILES})
"""Whose readings come into the ledger of this Home Assistant past the community, which looks for them there."""


class Part(StrEnum):
    """What a member does in the community."""

    CONSUMER = "consumer"
    PRODUCER = "producer"
    BOTH = "both"


class CommunityMember(NamedTuple):
    """A member, and what the organiser knows of it beside the rules.

    Parameters
    ----------
    member
        Itself.
    source
        Where its readings come from.
    site
        Under which name the ledger keeps them.
    connection_power
        What its connection can carry [kVA].
    subentry_id
        Its subentry.
    invited
        When it was invited last [s, Unix]; a new invitation may be used by another installation.
    """

    member: Member
    source: Source
    site: str
    connection_power: float
    subentry_id: str
    invited: int = 0

    def is_known(self, reading: Reading | None) -> bool:
        """Whether a reading tells what the member's part in the community needs."""
        if reading is None:
            return False
        quarter = reading.quarter
        return (not self.member.consumes or quarter.offtake is not None) and (
            not self.member.produces or quarter.injection is not None
        )


class CommunityError(ValueError):
    """An entry, or one of its subentries, holds what is no community."""


@callback
def is_community(entry: ConfigEntry[Any]) -> bool:
    """Whether an entry is a community, and not a site."""
    return CONF_COMMUNITY in entry.data


def new_member_code(taken: Iterable[str]) -> str:
    """Return a random member code that is not taken."""
    known = set(taken)
    while (code := random_code(_RANDOM)) in known:
        pass
    return code


def new_community_id() -> str:
    """Return a random id for a community."""
    return random_community(_RANDOM)


@callback
def community_entries(hass: HomeAssistant) -> list[ConfigEntry[Any]]:
    """Return the communities of this Home Assistant."""
    return [entry for entry in hass.config_entries.async_entries(DOMAIN) if is_community(entry)]


@callback
def region_of(entry: ConfigEntry[Any]) -> Region:
    """Return where a community lies."""
    return Region(entry.options[CONF_REGION])


@callback
def shared_tariff_of(options: Mapping[str, Any]) -> SharedTariff | None:
    """Return what a member pays for a kWh of its neighbours; None if that is not said.

    Raises
    ------
    CommunityError
        If it cannot be read.
    """
    prices, grid = options.get(CONF_SHARED_PRICES), options.get(CONF_SHARED_GRID)
    if not prices:
        return None
    try:
        read = {band: Decimal(price) for band, price in prices.items()}
        return SharedTariff(read, BandGrid.from_dict(grid) if grid else None)
    except (AttributeError, TypeError, ValueError, InvalidOperation) as err:
        raise CommunityError(f"the price of shared electricity cannot be read: {prices}") from err


def read_keys(options: Mapping[str, Any]) -> tuple[KeyVersion, ...]:
    """Read the versions of a community's key.

    Raises
    ------
    CommunityError
        If one cannot be read; its text names it.
    """
    return tuple(_read_version(number, data) for number, data in enumerate(options.get(CONF_KEYS, ()), 1))


def _read_version(number: int, data: Mapping[str, Any]) -> KeyVersion:
    try:
        return KeyVersion(
            int(data.get(CONF_NUMBER, number)),
            date.fromisoformat(data[CONF_VALID_FROM]),
            key_from_dict(data[CONF_KEY]),
            str(data.get(CONF_AUTHOR, "")),
            frozenset(data.get(CONF_ACCEPTED, ())),
        )
    except (LookupError, TypeError, ValueError, AttributeError) as err:
        raise CommunityError(f"version {number} of the repartition key cannot be read: {err}") from err


def with_key(
    options: Mapping[str, Any], valid_from: date, key: RepartitionKey, author: str, accepted: Iterable[str] = ()
) -> dict[str, Any]:
    """Return options with one more version of the key; the earlier ones stay, for what they held for."""
    versions = list(options.get(CONF_KEYS, ()))
    number = max((version.get(CONF_NUMBER, 0) for version in versions), default=0) + 1
    version = {
        CONF_NUMBER: number,
        CONF_VALID_FROM: valid_from.isoformat(),
        CONF_AUTHOR: author,
        CONF_ACCEPTED: sorted(accepted),
        CONF_KEY: key_to_dict(key),
    }
    return {**options, CONF_KEYS: [*versions, version]}


def with_acceptance(options: Mapping[str, Any], number: int, accepted: Iterable[str]) -> dict[str, Any]:
    """Return options in which a version of the key was accepted by some members."""
    versions = [
        {**version, CONF_ACCEPTED: sorted(accepted)} if version.get(CONF_NUMBER) == number else version
        for version in options.get(CONF_KEYS, ())
    ]
    return {**options, CONF_KEYS: versions}


def key_on(versions: Iterable[KeyVersion], day: date) -> RepartitionKey:
    """Return the key that holds on a day; prorata before the first."""
    version = Rules(Region.WALLONIA.zone, tuple(versions), ()).version_on(day)
    return version.key if version else Prorata()


@callback
def members_of(entry: ConfigEntry[Any]) -> list[CommunityMember]:
    """Return the members of a community.

    Raises
    ------
    CommunityError
        If one cannot be read; its text names it.
    """
    return [_read_member(entry, subentry) for subentry in entry.get_subentries_of_type(SUBENTRY_MEMBER)]


def _read_member(entry: ConfigEntry[Any], subentry: ConfigSubentry) -> CommunityMember:
    data = subentry.data
    code = data.get(CONF_CODE, "without a code")
    try:
        source, part = Source(data[CONF_SOURCE]), Part(data.get(CONF_PART, Part.CONSUMER))
        takes_part = Fraction(str(data.get(CONF_TAKES_PART, 100))) / 100
        member = Member(
            code,
            date.fromisoformat(data[CONF_JOINED]),
            date.fromisoformat(left) if (left := data.get(CONF_LEFT)) else None,
            consumes=part is not Part.PRODUCER,
            produces=part is not Part.CONSUMER,
            offtake_part=takes_part,
            injection_part=takes_part,
            group=data.get(CONF_GROUP) or "",
            vacant=source is Source.VACANT,
        )
        site = data[CONF_SITE] if source is Source.LOCAL else f"{entry.entry_id}/{code}"
        power = float(data.get(CONF_POWER) or DEFAULT_POWER)
    except (LookupError, TypeError, ValueError) as err:
        raise CommunityError(f"member {code} cannot be read: {err}") from err
    return CommunityMember(member, source, site, power, subentry.subentry_id, data.get(CONF_INVITED, 0))


@callback
def rules_of(entry: ConfigEntry[Any]) -> Rules:
    """Return the rules of a community.

    Raises
    ------
    CommunityError
        If they cannot be read.
    """
    try:
        members = tuple(each.member for each in members_of(entry))
        return Rules(region_of(entry).zone, read_keys(entry.options), members)
    except CommunityError:
        raise
    except (LookupError, ValueError) as err:
        raise CommunityError(f"the community cannot be read: {err}") from err


@callback
def communities_of_site(hass: HomeAssistant, site: str) -> Iterator[tuple[ConfigEntry[Any], CommunityMember]]:
    """Yield the communities of this Home Assistant to which a site belongs, or belonged."""
    for entry in community_entries(hass):
        for subentry in entry.get_subentries_of_type(SUBENTRY_MEMBER):
            if subentry.data.get(CONF_SITE) == site:
                yield entry, _read_member(entry, subentry)


def describe_rules(rules: Rules) -> list[list[Any]]:
    """Return what shares depend on, JSON-ready: each thing with the day from which it matters."""
    found: list[list[Any]] = [
        [version.valid_from.isoformat(), "key", version.number, key_to_dict(version.key)] for version in rules.versions
    ]
    for member in rules.members:
        terms = [
            member.code,
            member.consumes,
            member.produces,
            str(member.offtake_part),
            member.vacant,
            member.group,
        ]
        found.append([member.joined.isoformat(), "joined", *terms])
        if member.left:
            found.append([member.left.isoformat(), "left", member.code])
    return sorted(found, key=str)


def first_change(known: Any, rules: list[list[Any]]) -> str | None:
    """Return the first day on which some rules differ from those that were known; None if none does."""
    if known is None:
        return None
    before, after = ({str(rule): rule for rule in each} for each in (known, rules))
    return min(
        (each[0] for key, each in (before | after).items() if key not in before or key not in after), default=None
    )
