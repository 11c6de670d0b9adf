"""How grid operators of Belgium, France and their neighbours name columns, units and states, in four languages."""

from decimal import Decimal
from enum import StrEnum
from typing import Final

from .quarter_hour import Quality
from .readings_cells import Cell, plain, text


class Kind(StrEnum):
    """What a column of a table of readings holds."""

    START = "start"
    START_TIME = "start_time"
    END = "end"
    END_TIME = "end_time"
    EAN = "ean"
    OFFTAKE = "offtake"
    SHARED = "shared"  # of the offtake, what neighbours gave
    RESIDUAL = "residual"  # of the offtake, what the supplier delivered
    INJECTION = "injection"
    SHARED_INJECTION = "shared_injection"
    RESIDUAL_INJECTION = "residual_injection"
    PRODUCTION = "production"
    VOLUME = "volume"  # an energy or a power; another column says of what
    REGISTER = "register"
    METER = "meter"
    UNIT = "unit"
    QUALITY = "quality"
    STEP = "step"
    DIRECTION = "direction"
    PHYSICAL = "physical"  # active or reactive power, voltage


TIMES: Final = frozenset({Kind.START, Kind.END})
ENERGIES: Final = frozenset(
    {
        Kind.OFFTAKE,
        Kind.SHARED,
        Kind.RESIDUAL,
        Kind.INJECTION,
        Kind.SHARED_INJECTION,
        Kind.RESIDUAL_INJECTION,
        Kind.PRODUCTION,
    }
)

FACTORS: Final = {
    "wh": Decimal(1),
    "kwh": Decimal(1000),
    "mwh": Decimal(1_000_000),
    # The mean power of a quarter-hour.
    "w": Decimal("0.25"),
    "kw": Decimal(250),
}
"""What one of a unit is in a quarter-hour [Wh]."""
UNITS: Final = "Wh, kWh, MWh, W, kW"

_DAY: Final = frozenset({"date", "datum", "jour", "dag", "day", "tag"})
_TIME: Final = frozenset({"heure", "time", "tijd", "tijdstip", "uur", "uhrzeit", "zeit", "hour"})
_STAMP: Final = frozenset(
    {"timestamp", "horodate", "horodatage", "datetime", "dateheure", "tijdstempel", "zeitstempel", "zeitpunkt"}
)
_END: Final = frozenset({"fin", "end", "tot", "to", "bis", "einde", "ende", "au"})
_NAMES: Final = {
    Kind.EAN: frozenset({"ean", "eans", "eancode", "gsrn", "prm", "pdl", "pod"}),
    Kind.UNIT: frozenset({"unit", "units", "unite", "eenheid", "einheit"}),
    Kind.STEP: frozenset({"pas", "step", "resolution"}),
    Kind.QUALITY: frozenset({"etat", "nature"}),
    Kind.METER: frozenset({"meter", "compteur", "meternummer", "zahler", "zahlernummer"}),
}
_STEMS: Final = {
    Kind.EAN: ("eannummer", "zahlpunkt", "point de livraison", "point d acces", "toegangspunt", "access point"),
    Kind.REGISTER: ("register", "registre", "registratie", "zahlwerk"),
    Kind.QUALITY: ("qualit", "kwalit", "statu", "validat"),
    Kind.DIRECTION: ("grandeur metier",),
    Kind.PHYSICAL: ("grandeur physique",),
}
_VOLUME: Final = ("volume", "valeur", "waarde", "wert", "value", "energie", "energy", "puissance", "quantite", "menge")
_INJECTION: Final = (
    "injecti",
    "injecte",
    "geinjecteerd",
    "einspeis",
    "eingespeist",
    "ruckspeis",
    "teruglever",
    "feed in",
    "export",
)
_SHARED: Final = ("partag", "shared", "gedeeld", "geteilt", "gemeinsam", "autoconsomm", "alloue", "allocated")
_RESIDUAL: Final = ("resid", "restafname", "restnetz", "restbezug", "alloconsomm", "complement")
_OFFTAKE: Final = (
    "prelev",
    "soutir",
    "consomm",
    "afname",
    "afgenomen",
    "verbruik",
    "offtake",
    "consumption",
    "bezug",
    "verbrauch",
    "entnahme",
)
_PRODUCTION: Final = ("product", "produkt", "produce", "erzeug")
_TOTAL: Final = ("total", "totaal", "gesamt")


def kind_of(header: Cell) -> Kind | None:
    """Tell what the column of a heading holds; None if that is of no interest here."""
    written = plain(text(header))
    words = frozenset(written.split())
    if not written:
        return None
    is_time = bool(words & (_DAY | _TIME | _STAMP)) or "quart d heure" in written
    named = (kind for kind, names in _NAMES.items() if words & names)
    hinted = (kind for kind, stems in _STEMS.items() if _has(written, stems))
    other = next(named, None) or next(hinted, None)
    energy = _energy_of(written)
    if unit_of(header):
        return energy or Kind.VOLUME
    if is_time:
        return _time_of(words)
    return other or energy or (Kind.VOLUME if _has(written, _VOLUME) else None)


def unit_of(written: Cell) -> str | None:
    """Return the unit that a heading or a cell names, in small letters; None if it names none that we know."""
    return next((word for word in reversed(plain(text(written)).split()) if word in FACTORS), None)


def is_utc(header: Cell) -> bool:
    """Whether a heading says that its times are in UTC."""
    return bool({"utc", "gmt"} & set(plain(text(header)).split()))


def _energy_of(written: str) -> Kind | None:
    shared, residual = _has(written, _SHARED), _has(written, _RESIDUAL)
    if _has(written, _INJECTION):
        return Kind.SHARED_INJECTION if shared else Kind.RESIDUAL_INJECTION if residual else Kind.INJECTION
    if residual:
        return Kind.RESIDUAL
    if shared:
        return Kind.SHARED
    if _has(written, _OFFTAKE):
        return Kind.OFFTAKE
    if _has(written, _PRODUCTION):
        return Kind.PRODUCTION
    return Kind.OFFTAKE if _has(written, _TOTAL) else None


def _time_of(words: frozenset[str]) -> Kind:
    of_day = not words & (_DAY | _STAMP)
    if words & _END:
        return Kind.END_TIME if of_day else Kind.END
    return Kind.START_TIME if of_day else Kind.START


def _has(written: str, stems: tuple[str, ...]) -> bool:
    return any(stem in written for stem in stems)


_ESTIMATED: Final = (
    "estim",
    "geschat",
    "geschatz",
    "schatting",
    "ersatz",
    "corrig",
    "herberekend",
    "calcul",
    "berekend",
)
_MISSING: Final = ("manqu", "missing", "ontbre", "fehl", "niet beschikbaar", "indisponible", "absent")
_LATE: Final = ("late", "tardi", "laat")
_MEASURED: Final = (
    "measured", "mesur", "reel", "valid", "uitgelezen", "gemeten", "gemessen", "brut", "releve", "actual", "ok",
    "geen verbruik", "echt", "wahr",
)  # fmt: skip
_STATES: Final = {
    Quality.ESTIMATED: _ESTIMATED,
    Quality.MISSING: _MISSING,
    Quality.LATE: _LATE,
    Quality.MEASURED: _MEASURED,
}
_NOT_VALID: Final = ("non valid", "niet gevalid", "not valid", "nicht valid", "invalid", "unvalid")
_CODES: Final = {"e": Quality.ESTIMATED, "r": Quality.MEASURED, "b": Quality.MEASURED, "m": Quality.MEASURED}


def quality_of(state: Cell) -> Quality | None:
    """Tell how far a grid operator trusts a value; None if its word for that is not known."""
    written = plain(text(state))
    if not written:
        return Quality.MEASURED
    if written in _CODES:
        return _CODES[written]
    if _has(written, _NOT_VALID):
        return Quality.ESTIMATED
    return next((quality for quality, stems in _STATES.items() if _has(written, stems)), None)


SUMS: Final = ("total", "totaal", "somme", "summe", "gesamt", "subtotal", "sous total")
"""A line that begins so holds the sum of a column and is no reading."""
