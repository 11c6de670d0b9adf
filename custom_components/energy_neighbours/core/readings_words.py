"""How grid operators of Belgium, France and their neighbours name columns, units and states, in four languages."""

from decimal import Decimal
from enum import StrEnum
import re
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
_UNITS: Final = FACTORS.keys() | {"kvarh", "kvar", "kva"}

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
_FROM_GRID: Final = ("prelev", "soutir", "afname", "afgenomen", "offtake", "bezug", "entnahme", "import")
_CONSUMED: Final = ("consomm", "verbruik", "consumption", "verbrauch")
_OFFTAKE: Final = (*_FROM_GRID, *_CONSUMED)
_PRODUCTION: Final = ("product", "produkt", "produce", "erzeug")
_TOTAL: Final = ("total", "totaal", "gesamt")
_PART: Final = frozenset(
    {
        "dag", "nacht", "jour", "nuit", "day", "night", "tag", "t1", "t2", "t3", "t4", "1", "2", "3", "4", "hp", "hc",
        "pleines", "creuses", "peak", "piek", "dal", "hoog", "laag", "normaal", "high", "low", "eco", "medium", "pic",
        "hoogtarief", "laagtarief", "hochtarif", "niedertarif", "ht", "nt", "l1", "l2", "l3",
    }
)  # fmt: skip
_OTHER_THINGS: Final = frozenset(
    {
        "eur", "euro", "prix", "prijs", "price", "preis", "cout", "couts", "kost", "kosten", "cost", "costs",
        "montant", "bedrag", "betrag", "gaz", "gas", "erdgas", "aardgas", "eau", "water", "wasser", "kvarh", "kvar",
        "varh", "index", "meterstand", "tellerstand", "stand", "zahlerstand", "temperature", "temperatuur",
        "temperatur",
    }
)  # fmt: skip
_REACTIVE: Final = ("reacti", "reaktiv", "blind", "inducti", "induktiv", "capaciti", "kapazitiv")
_ZONE: Final = re.compile(r"(?:UTC|GMT)\s*(?:([+\-\u2212])\s*(\d{1,2})(?::?(\d\d))?)?", re.IGNORECASE)
FARTHEST: Final = 14 * 3600
"""No clock on Earth is further ahead of UTC [s]."""


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
    is_other = bool(words & _OTHER_THINGS) or _has(written, _REACTIVE) or "€" in text(header)
    if unit_of(header):
        return None if is_other else energy or Kind.VOLUME
    if is_time:
        return _time_of(words)
    if other or is_other:
        return other
    return energy or (Kind.VOLUME if _has(written, _VOLUME) else None)


def rank_of(header: Cell) -> tuple[bool, bool, bool]:
    """Tell how well the heading of a column names an energy, to choose among several of the same kind."""
    written = plain(text(header))
    # What a home consumes is more than what it takes from the grid, where it produces.
    return not _has(written, _CONSUMED) or _has(written, _FROM_GRID), _has(written, _TOTAL), unit_of(header) is not None


def is_part(header: Cell) -> bool:
    """Whether a heading names a part of an energy, as by day and by night."""
    return bool(_PART & set(plain(text(header)).split()))


def unit_of(written: Cell) -> str | None:
    """Return the unit that a heading or a cell names, in small letters; None if it names none that we know."""
    return next((word for word in reversed(plain(text(written)).split()) if word in FACTORS), None)


def has_unit(heading: Cell) -> bool:
    """Whether a heading names a unit of an energy or a power, also of one that is not read here."""
    return not _UNITS.isdisjoint(plain(text(heading)).split())


def offset_of(header: Cell) -> int | None:
    """Return how far [s] a heading says that its times are ahead of UTC; None if it says nothing of it."""
    if not {"utc", "gmt"} & {word.rstrip("0123456789") for word in plain(text(header)).split()}:
        return None
    found = _ZONE.search(text(header))
    if found is None or found[1] is None:
        return 0
    seconds = int(found[2]) * 3600 + int(found[3] or 0) * 60
    if seconds > FARTHEST:
        return None
    return seconds if found[1] == "+" else -seconds


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
    "estim", "geschat", "geschatz", "schatting", "ersatz", "corrig", "herberekend", "calcul", "berekend", "interpol",
    "extrapol", "simul", "profil", "provis", "voorlopig",
)  # fmt: skip
_MISSING: Final = ("manqu", "missing", "ontbre", "fehl", "absent", "indisponib", "unavailable")
_THERE: Final = (
    "beschikbaar",
    "disponib",
    "available",
    "verfugbar",
    "donnee",
    "gegevens",
    "daten",
    "data",
    "valeur",
    "waarde",
)
_LATE: Final = ("tardi",)
_LATE_WORDS: Final = frozenset({"late", "laat", "spat", "verspatet"})
_MEASURED: Final = (
    "measured", "mesur", "reel", "valid", "uitgelezen", "gelezen", "gemeten", "gemessen", "brut", "releve", "actual",
    "verbruik", "echt", "wahr",
)  # fmt: skip
_MEASURED_WORDS: Final = frozenset({"ok", "read"})
_NOT: Final = frozenset({"non", "pas", "not", "no", "niet", "geen", "nicht", "kein", "keine", "sans", "zonder", "ohne"})
_NOT_JOINED: Final = ("invalid", "unvalid", "onbeschikbaar")
_CODES: Final = {"e": Quality.ESTIMATED, "r": Quality.MEASURED, "b": Quality.MEASURED, "m": Quality.MEASURED}
_NO_CONSUMPTION: Final = "geen verbruik"
"""A zero that was measured."""


def quality_of(state: Cell) -> Quality | None:
    """Tell how far a grid operator trusts a value; None if its word for that is not known."""
    written = plain(text(state))
    words = set(written.split())
    if not written or written == _NO_CONSUMPTION:
        return Quality.MEASURED
    if written in _CODES:
        return _CODES[written]
    denied = bool(words & _NOT) or _has(written, _NOT_JOINED)
    is_read = bool(words & _MEASURED_WORDS) or _has(written, _MEASURED)
    told = {
        # Not read and not validated is a value of less worth; no data is none.
        Quality.MISSING: _has(written, _MISSING) or (denied and _has(written, _THERE)),
        Quality.ESTIMATED: _has(written, _ESTIMATED) or (denied and is_read),
        Quality.LATE: not denied and (bool(words & _LATE_WORDS) or _has(written, _LATE)),
        Quality.MEASURED: not denied and is_read,
    }
    return next((quality for quality, is_told in told.items() if is_told), None)


SUMS: Final = ("total", "totaal", "somme", "summe", "gesamt", "subtotal", "sous total")
"""A line that begins so holds the sum of a column and is no reading."""
