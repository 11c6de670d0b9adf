"""The forms in which an organiser gives a community's terms and its members, and what was typed, as entry data."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PASSWORD, CONF_PORT, CONF_USERNAME
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    DateSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from .brokers import CONF_CA, CONF_TLS, TLS_PORT, read_certificate
from .communities import (
    CONF_ACCEPTED,
    CONF_AUTHOR,
    CONF_GROUP,
    CONF_JOINED,
    CONF_KEY,
    CONF_LEFT,
    CONF_PART,
    CONF_POWER,
    CONF_REGION,
    CONF_SHARED_GRID,
    CONF_SHARED_PRICES,
    CONF_SITE,
    CONF_SOURCE,
    CONF_TAKES_PART,
    CONF_THRESHOLD,
    CONF_VALID_FROM,
    DEFAULT_POWER,
    DEFAULT_THRESHOLD,
    Part,
    Source,
)
from .contract_form import OWN, needs_typing, number_text, select, supplier_grids
from .core.band_grid import BandGrid
from .core.charter import LEAST_THRESHOLD
from .core.contract import FLAT, Region
from .core.key_text import write_groups, write_stages, write_weights
from .core.repartition_key import (
    Cascade,
    Hybrid,
    KeyKind,
    Peer,
    Relative,
    RepartitionKey,
    Static,
    StaticMulti,
    TwoStage,
    Weights,
)
from .link import Broker
from .price_form import PRICE, band_fields

CONF_PRICE: Final = "shared_price"
CONF_HOURS: Final = "hours"
ONE_PRICE: Final = "one_price"
"""In the choice of hours: one price for all of them."""
PRICE_KEYS: Final = (CONF_SHARED_PRICES, CONF_SHARED_GRID)
CONF_WEIGHTS: Final = "weights"
CONF_REST: Final = "rest_to_grid"
CONF_ROUNDS: Final = "max_rounds"
CONF_GROUPS: Final = "groups"
CONF_STAGES: Final = "stages"
CONF_PRODUCER: Final = "producer"
CONF_CONSUMER: Final = "consumer"
SECTION_MORE: Final = "more"

_BARE_KEYS: Final = (KeyKind.PRORATA, KeyKind.EQUAL, KeyKind.STATIC_MULTI, KeyKind.HYBRID)
"""Keys that a community can begin with, before it has members to agree on anything."""
_LINES: Final = TextSelector(TextSelectorConfig(multiline=True))


def _number(least: float, most: float, step: float | str, unit: str | None = None) -> NumberSelector:
    config = NumberSelectorConfig(min=least, max=most, step=step, mode=NumberSelectorMode.BOX)  # type: ignore[typeddict-item]
    if unit:
        config["unit_of_measurement"] = unit
    return NumberSelector(config)


def _terms() -> dict[Any, Any]:
    return {
        vol.Optional(CONF_PRICE): _number(0, 2, "any", "€/kWh"),
        vol.Required(CONF_THRESHOLD, default=DEFAULT_THRESHOLD): vol.All(
            _number(LEAST_THRESHOLD, 50, 1), vol.Coerce(int)
        ),
    }


def community_schema() -> vol.Schema:
    """Return the fields of a new community."""
    return vol.Schema(
        {
            vol.Required(CONF_NAME): TextSelector(),
            vol.Required(CONF_REGION): select(Region, CONF_REGION),
            vol.Required(CONF_KEY, default=KeyKind.PRORATA.value): select(_BARE_KEYS, "repartition_key"),
            vol.Required(CONF_VALID_FROM): DateSelector(),
            **_terms(),
        }
    )


def shared_grids(shipped: Mapping[str, BandGrid], options: Mapping[str, Any], today: date) -> list[BandGrid]:
    """Return the hours that a community's prices may follow, beside those that are typed."""
    before = (options.get(CONF_SHARED_GRID) or {}).get("id", "")
    found = supplier_grids(shipped, Region(options[CONF_REGION]), today, {before})
    return [grid for grid in found if len(grid.bands) > 1 and not needs_typing(grid.id, shipped)]


def terms_schema(grids: Iterable[BandGrid]) -> vol.Schema:
    """Return the fields of a community's terms that hold at once."""
    hours = select([ONE_PRICE, *(grid.id for grid in grids), OWN], "shared_hours")
    return vol.Schema({vol.Required(CONF_HOURS, default=ONE_PRICE): hours, **_terms()})


def read_terms(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the terms as options; the price is that of all hours."""
    price = user_input.get(CONF_PRICE)
    terms: dict[str, Any] = {CONF_THRESHOLD: user_input[CONF_THRESHOLD]}
    return terms if price is None else {**terms, CONF_SHARED_PRICES: {FLAT: number_text(price)}}


def terms_values(options: Mapping[str, Any], grids: Iterable[BandGrid]) -> dict[str, Any]:
    """Return what the terms' form shows of options."""
    values: dict[str, Any] = {CONF_THRESHOLD: options.get(CONF_THRESHOLD, DEFAULT_THRESHOLD)}
    if grid := options.get(CONF_SHARED_GRID):
        values[CONF_HOURS] = grid["id"] if grid["id"] in {each.id for each in grids} else OWN
    if price := options.get(CONF_SHARED_PRICES, {}).get(FLAT):
        values[CONF_PRICE] = float(Decimal(price))
    return values


def band_prices_schema(grid: BandGrid) -> vol.Schema:
    """Return the fields for the price of each band: a band that is forgotten would have no price."""
    return vol.Schema({vol.Required(field): PRICE for field in band_fields(grid)})


def band_prices_values(grid: BandGrid, options: Mapping[str, Any]) -> dict[str, float]:
    """Return what that form shows: the price that a band has now, else the one of all hours."""
    prices = options.get(CONF_SHARED_PRICES, {})
    known = {field: prices.get(band, prices.get(FLAT)) for field, band in band_fields(grid).items()}
    return {field: float(Decimal(price)) for field, price in known.items() if price is not None}


def read_band_prices(grid: BandGrid, user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the prices of bands as options."""
    prices = {band: number_text(user_input[field]) for field, band in band_fields(grid).items()}
    return {CONF_SHARED_PRICES: prices, CONF_SHARED_GRID: grid.as_dict()}


def broker_schema() -> vol.Schema:
    """Return the fields of the community's broker; without a host there is none."""
    password = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off"))
    return vol.Schema(
        {
            vol.Optional(CONF_HOST): TextSelector(),
            vol.Required(CONF_PORT, default=TLS_PORT): vol.All(_number(1, 65_535, 1), vol.Coerce(int)),
            vol.Required(CONF_TLS, default=True): BooleanSelector(),
            vol.Optional(CONF_CA): _LINES,
            vol.Required(CONF_USERNAME, default="organiser"): TextSelector(),
            vol.Optional(CONF_PASSWORD): password,
        }
    )


def read_broker_form(user_input: Mapping[str, Any]) -> Broker:
    """Return the broker; `CertificateError` if what was pasted is no certificate."""
    return Broker(
        host=user_input[CONF_HOST].strip(),
        port=user_input[CONF_PORT],
        tls=user_input[CONF_TLS],
        ca=read_certificate(user_input.get(CONF_CA) or ""),
        username=user_input[CONF_USERNAME].strip(),
        password=user_input.get(CONF_PASSWORD) or "",
    )


def key_schema() -> vol.Schema:
    """Return the fields of a change of the key: which, from when on, and who decided it."""
    return vol.Schema(
        {
            vol.Required(CONF_KEY): select(KeyKind, "repartition_key"),
            vol.Required(CONF_VALID_FROM): DateSelector(),
            vol.Optional(CONF_AUTHOR): TextSelector(),
        }
    )


def acceptance_schema(members: Mapping[str, str]) -> vol.Schema:
    """Return the field that tells which members accepted a key; members by code, with what the organiser calls them."""
    return vol.Schema({vol.Optional(CONF_ACCEPTED, default=[]): choose(members, several=True)} if members else {})


def key_terms_schema(kind: KeyKind, consumers: Mapping[str, str], producers: Mapping[str, str]) -> vol.Schema:
    """Return the fields of a kind of key; empty where there is nothing to say.

    Parameters
    ----------
    kind
        The kind.
    consumers, producers
        Members by code, with what the organiser calls them.
    """
    weights = {vol.Optional(CONF_WEIGHTS): _LINES, vol.Required(CONF_REST, default=False): BooleanSelector()}
    match kind:
        case KeyKind.STATIC | KeyKind.RELATIVE | KeyKind.HYBRID:
            return vol.Schema(weights)
        case KeyKind.STATIC_MULTI:
            return vol.Schema({**weights, vol.Optional(CONF_ROUNDS): vol.All(_number(2, 20, 1), vol.Coerce(int))})
        case KeyKind.CASCADE:
            return vol.Schema({vol.Required(CONF_GROUPS): _LINES})
        case KeyKind.TWO_STAGE:
            return vol.Schema({vol.Required(CONF_STAGES): _LINES, **weights})
        case KeyKind.PEER:
            return vol.Schema(
                {
                    vol.Required(CONF_PRODUCER): choose(producers),
                    vol.Required(CONF_CONSUMER): choose(consumers),
                }
            )
        case _:
            return vol.Schema({})


def choose(options: Mapping[str, str], *, several: bool = False) -> SelectSelector:
    """Return a choice among things that have names of their own."""
    return SelectSelector(
        SelectSelectorConfig(
            options=[SelectOptionDict(value=value, label=label) for value, label in options.items()],
            mode=SelectSelectorMode.DROPDOWN,
            multiple=several,
        )
    )


def key_values(kind: KeyKind, present: RepartitionKey, consumers: Mapping[str, str]) -> dict[str, Any]:
    """Return what the form of a kind of key shows at first: the present terms, as far as they are of that kind."""
    weights = _weights_of(present)
    shares = weights.shares if weights else _even(list(consumers))
    values: dict[str, Any] = {
        CONF_WEIGHTS: write_weights(shares, consumers),
        CONF_REST: weights is not None and not weights.complete,
    }
    match present:
        case StaticMulti(_, int() as rounds):
            values[CONF_ROUNDS] = rounds
        case Peer(producer, consumer):
            values |= {CONF_PRODUCER: producer, CONF_CONSUMER: consumer}
        case _:
            pass
    values[CONF_GROUPS] = write_groups(present.groups if isinstance(present, Cascade) else [list(consumers)])
    values[CONF_STAGES] = write_stages(present) if isinstance(present, TwoStage) else "50 static\n50 prorata"
    return values


def _weights_of(key: RepartitionKey) -> Weights | None:
    match key:
        case Static(weights) | Relative(weights) | StaticMulti(Weights() as weights, _) | Hybrid(Weights() as weights):
            return weights
        case TwoStage(stages):
            return next((stage.key.weights for stage in stages if isinstance(stage.key, Static)), None)
        case _:
            return None


def _even(codes: Sequence[str]) -> dict[str, str]:
    """Return equal shares whose decimals add up to 100 %."""
    if not codes:
        return {}
    part, left = divmod(10_000, len(codes))
    return {code: f"{Decimal(part + (place < left)).scaleb(-2)}" for place, code in enumerate(codes)}


def member_schema(source: Source, sites: Mapping[str, str]) -> vol.Schema:
    """Return the fields of a member.

    Parameters
    ----------
    source
        Where its readings come from.
    sites
        The sites of this Home Assistant that are not members yet, by entry id.
    """
    fields: dict[Any, Any] = {}
    if source is Source.LOCAL:
        fields[vol.Required(CONF_SITE)] = choose(sites)
    fields[vol.Required(CONF_NAME) if source is not Source.LOCAL else vol.Optional(CONF_NAME)] = TextSelector()
    fields |= {
        vol.Required(CONF_PART, default=Part.CONSUMER.value): select(Part, "member_part"),
        vol.Required(CONF_JOINED): DateSelector(),
        vol.Optional(CONF_LEFT): DateSelector(),
        vol.Required(SECTION_MORE): section(
            vol.Schema(
                {
                    vol.Optional(CONF_GROUP): TextSelector(),
                    vol.Required(CONF_TAKES_PART, default=100): _number(0, 100, "any", "%"),
                    vol.Required(CONF_POWER, default=DEFAULT_POWER): _number(1, 10_000, "any", "kVA"),
                }
            ),
            {"collapsed": True},
        ),
    }
    return vol.Schema(fields)


def member_values(data: Mapping[str, Any], title: str) -> dict[str, Any]:
    """Return what the form shows of a member."""
    values = {key: data[key] for key in (CONF_SITE, CONF_PART, CONF_JOINED, CONF_LEFT) if data.get(key)}
    more = {key: data[key] for key in (CONF_GROUP, CONF_POWER) if data.get(key)}
    more[CONF_TAKES_PART] = float(Decimal(str(data.get(CONF_TAKES_PART, 100))))
    return {CONF_NAME: title, **values, SECTION_MORE: more}


def read_member(source: Source, user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return a member as its subentry keeps it, without its code."""
    more = user_input[SECTION_MORE]
    data = {
        CONF_SOURCE: source.value,
        CONF_PART: user_input[CONF_PART],
        CONF_JOINED: user_input[CONF_JOINED],
        CONF_LEFT: user_input.get(CONF_LEFT),
        CONF_SITE: user_input.get(CONF_SITE),
        CONF_GROUP: (more.get(CONF_GROUP) or "").strip() or None,
        CONF_TAKES_PART: number_text(more[CONF_TAKES_PART]),
        CONF_POWER: more[CONF_POWER],
    }
    return {key: value for key, value in data.items() if value is not None}


def member_error(user_input: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a member's dates; None if nothing is."""
    if left := user_input.get(CONF_LEFT):
        return None if date.fromisoformat(left) > date.fromisoformat(user_input[CONF_JOINED]) else "left_before_joined"
    return None


def first_names(names: Iterable[str], most: int = 3) -> str:
    """Return the first of some names, for a sentence."""
    found = list(names)
    return ", ".join(found[:most]) + (" …" if len(found) > most else "")
