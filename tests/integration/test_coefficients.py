"""The key of coefficients: the organiser gives a table, and every quarter-hour is divided by what stands in it."""

from collections.abc import Mapping
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.energy_neighbours.const import DOMAIN
from custom_components.energy_neighbours.core.contract import Region
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, QuarterHour, Span, local_month
from custom_components.energy_neighbours.core.repartition_key import DynamicCustom
from custom_components.energy_neighbours.ledger_shares import Share
from tests.core.repartition_reference import allocate_by_hand

from .conftest import Give, load
from .contracted import at
from .flows import change, options
from .neighbours import START, community, go, measured, member, quarters, remember, settle, site, street
from .translations import LANGUAGES, check_result, fill, find

TEN = "2026-06-10T10:00:00+02:00"
NOON = "2026-06-10T12:00:00+02:00"
HOUR = Span(at(TEN), at(TEN) + 3600)
ZONE = Region.WALLONIA.zone
CUSTOM = (START, {"kind": "dynamic_custom"})
WIDE = "timestamp_utc,aaaa,bbbb\n"
FULL = WIDE + "".join(f"2026-06-10T08:{minute:02}:00Z,60,40\n" for minute in (0, 15, 30, 45))


@pytest.fixture
def path(hass: HomeAssistant, tmp_path: Path) -> Path:
    """A file that Home Assistant may read."""
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    return tmp_path / "coefficients.csv"


async def four(hass: HomeAssistant, freezer: FrozenDateTimeFactory, now: str = NOON, *keys: Any) -> MockConfigEntry:
    """Set a street up: two flats, a roof and a barn with solar panels; an hour of the flats and the roof is known."""
    ash, elm, roof, barn = site("Ash"), site("Elm"), site("Roof"), site("Barn")
    await street(hass, freezer, now, ash, elm, roof, barn)
    members = [
        member(ash, "aaaa"),
        member(elm, "bbbb"),
        member(roof, "cccc", part="producer"),
        member(barn, "dddd", part="producer"),
    ]
    for each, offtake, injection in ((ash, 600, 0), (elm, 200, 0), (roof, 0, 400), (barn, 0, 100)):
        await remember(hass, each, quarters(TEN, 4, offtake, injection))
    entry = await load(hass, community(members, *(keys or (CUSTOM,))))
    await settle(hass, freezer)
    return entry


def shares(entry: MockConfigEntry, code: str, span: Span = HOUR) -> list[Share]:
    found = entry.runtime_data
    return found.ledger._shared._opened.shares.shares(entry.entry_id, found.member(code).site, span)


def allocated(entry: MockConfigEntry, code: str) -> list[tuple[int | None, bool]]:
    return [(share.allocated, share.provisional) for share in shares(entry, code)]


async def call(hass: HomeAssistant, entry: MockConfigEntry, file: Path, **data: Any) -> Any:
    given = {"config_entry_id": entry.entry_id, "file": str(file), **data}
    answer = await hass.services.async_call(DOMAIN, "set_coefficients", given, blocking=True, return_response=True)
    await hass.async_block_till_done()
    return answer


async def refusal(hass: HomeAssistant, entry: MockConfigEntry, file: Path) -> HomeAssistantError:
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, entry, file)
    for language in LANGUAGES:
        text = find(language, f"exceptions.{caught.value.translation_key}.message")
        fill(text, caught.value.translation_placeholders or {})
    return caught.value


async def test_nothing_is_given_until_there_are_coefficients_and_that_is_provisional(hass, freezer, path) -> None:
    entry = await four(hass, freezer)
    assert allocated(entry, "aaaa") == [(0, True)] * 4
    assert hass.states.get("sensor.street_data_completeness").attributes["coefficients_until"] is None
    path.write_text(FULL)
    seen = await call(hass, entry, path, dry_run=True)
    await settle(hass, freezer)
    assert allocated(entry, "aaaa") == [(0, True)] * 4
    kept = await call(hass, entry, path)
    assert seen == kept
    assert kept == {
        "rows": 4,
        "quarter_hours": 4,
        "span": {"start": "2026-06-10T08:00:00+00:00", "end": "2026-06-10T09:00:00+00:00"},
        "gaps": [],
        "gap_count": 0,
        "by_producer": False,
        "smallest_sum": 100.0,
        "largest_sum": 100.0,
        "members_without": [],
        "problems": [],
        "problem_count": 0,
        "added": 4,
        "changed": 0,
        "unchanged": 0,
    }
    await settle(hass, freezer)
    # Ash is offered 60 % of 500 Wh; Elm 40 %, which is all that it took.
    assert allocated(entry, "aaaa") == [(300, False)] * 4
    assert allocated(entry, "bbbb") == [(200, False)] * 4
    completeness = hass.states.get("sensor.street_data_completeness")
    assert completeness.attributes["coefficients_until"] == "2026-06-10T09:00:00Z"


async def test_corrected_coefficients_divide_what_they_change_anew(hass, freezer, path) -> None:
    entry = await four(hass, freezer)
    path.write_text(FULL)
    await call(hass, entry, path)
    await settle(hass, freezer)
    path.write_text(WIDE + "2026-06-10T08:15:00Z,80,20\n2026-06-10T08:30:00Z,60,40\n")
    kept = await call(hass, entry, path)
    assert (kept["added"], kept["changed"], kept["unchanged"]) == (0, 1, 1)
    await settle(hass, freezer)
    assert [each.allocated for each in shares(entry, "aaaa")] == [300, 400, 300, 300]
    assert [each.allocated for each in shares(entry, "bbbb")] == [200, 100, 200, 200]


async def test_coefficients_of_each_producer_divide_what_it_gave(hass, freezer, path) -> None:
    entry = await four(hass, freezer)
    head = "timestamp_utc,producer,member,coefficient\n"
    one_hour = [f"2026-06-10T08:{minute:02}:00Z" for minute in (0, 15, 30, 45)]
    rows = [f"{time},cccc,aaaa,25\n{time},dddd,bbbb,100\n" for time in one_hour[:3]]
    # In the last quarter-hour nobody says what becomes of the barn's.
    path.write_text(head + "".join(rows) + f"{one_hour[3]},cccc,aaaa,25\n")
    kept = await call(hass, entry, path)
    assert (kept["by_producer"], kept["members_without"]) == (True, ["aaaa", "bbbb"])
    await settle(hass, freezer)
    assert allocated(entry, "aaaa") == [(100, False)] * 3 + [(100, True)]
    assert allocated(entry, "bbbb") == [(100, False)] * 3 + [(0, True)]
    assert [each.surplus for each in shares(entry, "cccc")] == [300] * 4
    assert [each.surplus for each in shares(entry, "dddd")] == [0, 0, 0, 100]


@pytest.mark.parametrize("by_producer", [False, True])
async def test_shares_of_a_month_are_those_worked_out_by_hand(hass, freezer, path, by_producer) -> None:
    month = local_month(date(2026, 6, 1), ZONE)
    chance = Random(6)  # noqa: S311 - energies, no secrets
    ash, elm, roof, barn = site("Ash"), site("Elm"), site("Roof"), site("Barn")
    await street(hass, freezer, "2026-07-01T12:00:00+02:00", ash, elm, roof, barn)
    took = {each: [chance.randrange(900) for _ in month.quarter_hours] for each in ("aaaa", "bbbb")}
    gave = {each: [max(0, chance.randrange(-900, 900)) for _ in month.quarter_hours] for each in ("cccc", "dddd")}
    for each, code in ((ash, "aaaa"), (elm, "bbbb"), (roof, "cccc"), (barn, "dddd")):
        none = [0] * len(month.quarter_hours)
        flows = zip(month.quarter_hours, took.get(code, none), gave.get(code, none), strict=True)
        await remember(hass, each, [QuarterHour(*flow, None) for flow in flows])
    members = [member(ash, "aaaa"), member(elm, "bbbb")]
    members += [member(roof, "cccc", part="producer"), member(barn, "dddd", part="producer")]
    entry = await load(hass, community(members, CUSTOM))

    producers = ["cccc", "dddd"] if by_producer else [""]
    parts = {start: {producer: _random_parts(chance) for producer in producers} for start in month.quarter_hours}
    path.write_text(_french(parts, by_producer=by_producer))
    kept = await call(hass, entry, path)
    assert (kept["added"], kept["problems"]) == (len(month.quarter_hours), [])
    for _ in range(3):  # what was due while it began, and what the table made due
        await settle(hass, freezer)
    found = {code: shares(entry, code, month) for code in ("aaaa", "bbbb", "cccc", "dddd")}
    for row, (start, of_quarter) in enumerate(parts.items()):
        coefficients = {
            producer: {code: Fraction(part, 1_000_000) for code, part in of_producer.items()}
            for producer, of_producer in of_quarter.items()
        }
        expected, kept_back = allocate_by_hand(
            DynamicCustom(),
            {code: energies[row] for code, energies in took.items()},
            {code: energies[row] for code, energies in gave.items()},
            coefficients if by_producer else coefficients[""],
        )
        assert {code: found[code][row].allocated for code in took} == expected, start
        assert {code: found[code][row].surplus for code in gave} == kept_back, start
    assert not any(each.provisional for each in found["aaaa"])


def _random_parts(chance: Random) -> dict[str, int]:
    """Return parts of two members, together the whole or less."""
    first, second = sorted((chance.randrange(1_000_001), chance.choice([1_000_000, chance.randrange(1_000_001)])))
    return {"aaaa": first, "bbbb": second - first}


def _french(parts: Mapping[int, Mapping[str, Mapping[str, int]]], *, by_producer: bool) -> str:
    """Write coefficients as a spreadsheet in French does."""
    head = "horodate;" + ("producteur;" if by_producer else "") + "aaaa;bbbb\n"
    rows = []
    for start, of_quarter in parts.items():
        for producer, of_producer in of_quarter.items():
            time = datetime.fromtimestamp(start, ZONE).isoformat()
            cells = [f"{part / 10_000:.4f} %".replace(".", ",") for part in of_producer.values()]
            rows.append(";".join([time, *([producer] if by_producer else []), *cells]))
    return head + "\n".join(rows) + "\n"


async def test_coefficients_may_be_given_before_their_time(hass, freezer, path) -> None:
    entry = await four(hass, freezer)
    path.write_text(WIDE + "2026-06-10T10:00:00Z,60,40\n")  # begins at noon
    assert (await call(hass, entry, path))["added"] == 1
    ahead = "2026-06-10T12:20:00+02:00"
    sites = [each for each in hass.config_entries.async_entries(DOMAIN) if each is not entry]
    for each in sites:
        injection = {"Roof": 400, "Barn": 100}.get(each.title, 0)
        await remember(hass, each, quarters(NOON, 1, 0 if injection else 600, injection))
    await go(hass, freezer, ahead)
    await settle(hass, freezer)
    noon = Span(at(NOON), at(NOON) + QUARTER)
    assert [(each.allocated, each.provisional) for each in shares(entry, "aaaa", noon)] == [(300, False)]


async def test_the_share_is_explained_by_its_coefficient(hass, freezer, path) -> None:
    entry = await four(hass, freezer)
    path.write_text(FULL)
    await call(hass, entry, path)
    await settle(hass, freezer)
    asked = {"config_entry_id": entry.entry_id, "member": "aaaa", "start": TEN}
    told = await hass.services.async_call(DOMAIN, "explain_share", asked, blocking=True, return_response=True)
    assert (told["offered"], told["allocated"], told["limit"], told["provisional"]) == (300, 300, "key", False)


async def test_what_probably_comes_now_follows_the_coefficients_of_now(hass, freezer, path) -> None:
    entry = await four(hass, freezer)
    for name, watts in (("Ash", 1000), ("Elm", 2000), ("Roof", -1500), ("Barn", -500)):
        await measured(hass, name, watts=watts)
    await settle(hass, freezer)
    live = entry.runtime_data.live
    await live.async_update(at(NOON) + 10)
    assert live.shares == {"aaaa": 0, "bbbb": 0}
    path.write_text(WIDE + "2026-06-10T10:00:00Z,60,40\n")  # begins at noon
    await call(hass, entry, path)
    await live.async_update(at(NOON) + 20)
    assert live.shares == {"aaaa": 1000, "bbbb": 800}
    await settle(hass, freezer)


async def test_settled_quarter_hours_keep_their_coefficients(hass, freezer, path) -> None:
    entry = await four(hass, freezer)
    path.write_text(FULL)
    await call(hass, entry, path)
    await settle(hass, freezer)
    ledger = entry.runtime_data.ledger
    await ledger.async_change(lambda found: found.close_until(entry.entry_id, HOUR.start + 2 * QUARTER))
    path.write_text(FULL.replace("60,40", "50,50"))
    seen = await call(hass, entry, path, dry_run=True)
    assert [(each["kind"], each["where"], each["found"]) for each in seen["problems"]] == [
        ("settled", "2026-06-10T08:00:00Z", "2")
    ]
    assert (await refusal(hass, entry, path)).translation_key == "coefficients_have_problems"
    # What stays as it is may be given again.
    path.write_text(FULL.replace("08:45:00Z,60,40", "08:45:00Z,50,50"))
    assert (await call(hass, entry, path))["changed"] == 1
    await settle(hass, freezer)
    assert [each.allocated for each in shares(entry, "aaaa")] == [300, 300, 300, 250]


async def test_a_file_with_problems_is_refused_whole_and_the_first_is_told(hass, freezer, path) -> None:
    entry = await four(hass, freezer)
    path.write_text(FULL.replace("08:30:00Z,60,40", "08:30:00Z,60,41").replace("08:45:00Z,60,", "08:45:00Z,x,"))
    seen = await call(hass, entry, path, dry_run=True)
    assert [(each["kind"], each["where"], each.get("column")) for each in seen["problems"]] == [
        ("not_a_number", "5", "aaaa"),
        ("over_whole", "4", None),
    ]
    error = await refusal(hass, entry, path)
    assert error.translation_placeholders["count"] == "2"
    assert error.translation_placeholders["first"] == "Line 5, column “aaaa”: `x` is no number."
    assert await entry.runtime_data.async_coefficients(HOUR) == {}


async def test_what_else_is_refused(hass, freezer, path, tmp_path) -> None:
    entry = await four(hass, freezer)
    path.write_bytes(b"PK\x03\x04")
    assert (await refusal(hass, entry, path)).translation_key == "csv_needed"
    path.write_text("a,b\n1,2\n")
    assert (await refusal(hass, entry, path)).translation_key == "no_coefficients"
    assert (await refusal(hass, entry, tmp_path / "gone.csv")).translation_key == "file_missing"
    assert (await refusal(hass, entry, Path("/etc/passwd"))).translation_key == "path_not_allowed"
    (ash, *_) = (each for each in hass.config_entries.async_entries(DOMAIN) if each.title == "Ash")
    assert (await refusal(hass, ash, path)).translation_key == "not_a_community"


async def test_an_erased_member_leaves_no_coefficients(hass, freezer, path) -> None:
    entry = await four(hass, freezer)
    path.write_text(FULL)
    await call(hass, entry, path)
    await settle(hass, freezer)
    (subentry,) = (each for each in entry.subentries.values() if each.data["code"] == "bbbb")
    hass.config_entries.async_update_subentry(entry, subentry, data={**subentry.data, "left": "2026-06-10"})
    await hass.async_block_till_done()
    asked = {"config_entry_id": entry.entry_id, "member": "bbbb"}
    await hass.services.async_call(DOMAIN, "erase_member", asked, blocking=True)
    await hass.async_block_till_done()
    await settle(hass, freezer)
    assert await entry.runtime_data.async_coefficients(HOUR) == {
        start: {"": {"aaaa": 600_000}} for start in HOUR.quarter_hours
    }


# The form


async def test_the_form_takes_a_file_and_tells_what_was_kept(hass, freezer, give: Give) -> None:
    entry = await four(hass, freezer)
    hass.config.language = "fr"
    result = await options(hass, entry, "coefficients")
    assert result["description_placeholders"]["known"] == "Aucun coefficient n’est encore connu."  # noqa: RUF001
    result = await change(hass, result, {"file": await give(FULL.replace("60,40", "50.5,40"))})
    assert result["step_id"] == "coefficients_preview"
    shown = result["description_placeholders"]["preview"]
    assert "**4 quarts d’heure** dans 4 lignes." in shown  # noqa: RUF001
    assert "va de 90,5 % à 90,5 %" in shown
    assert "Nouveaux : 4. Modifiés : 0. Déjà connus : 0." in shown
    assert await entry.runtime_data.async_coefficients(HOUR) == {}
    result = await change(hass, result, {})
    assert result["step_id"] == "coefficients_done"
    assert result["description_placeholders"]["outcome"].startswith("4 quarts d’heure ajoutés")  # noqa: RUF001
    before = dict(entry.options)
    result = await change(hass, result, {})
    assert (result["type"], dict(entry.options)) == (FlowResultType.CREATE_ENTRY, before)
    await settle(hass, freezer)
    assert [each.allocated for each in shares(entry, "aaaa")] == [252, 252, 252, 252]
    result = await options(hass, entry, "coefficients")
    assert "du 2026" not in result["description_placeholders"]["known"]
    assert "du 10/06/2026 10:00 au 10/06/2026 11:00" in result["description_placeholders"]["known"]


async def test_the_form_tells_what_is_wrong_and_asks_again(hass, freezer, give: Give) -> None:
    entry = await four(hass, freezer)
    result = await options(hass, entry, "coefficients")
    result = await change(hass, result, {"file": await give("hello")})
    assert result["errors"] == {"base": "import_refused"}
    result = await change(hass, result, {"file": await give(FULL.replace("08:30:00Z,60", "08:30:00Z,70"))})
    assert result["step_id"] == "coefficients_problems"
    assert (
        "Line 4: `2026-06-10T08:30Z: 110 %` are given away together." in result["description_placeholders"]["preview"]
    )
    result = await change(hass, result, {})
    assert (result["step_id"], result["errors"]) == ("coefficients", {})
    result = await change(hass, result, {"file": await give(FULL)})
    assert result["step_id"] == "coefficients_preview"
    await entry.runtime_data.ledger.async_change(lambda found: found.close_until(entry.entry_id, HOUR.end))
    result = await change(hass, result, {})
    assert (result["step_id"], result["errors"]) == ("coefficients_preview", {"base": "import_refused"})
    assert await entry.runtime_data.async_coefficients(HOUR) == {}


async def test_the_form_is_there_only_for_a_key_that_asks_for_it(hass, freezer) -> None:
    entry = await four(hass, freezer, NOON, (START, {"kind": "prorata"}))
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["menu_options"] == ["terms", "key", "acceptance", "broker"]
    later = (START, {"kind": "prorata"}), ("2026-07-01", {"kind": "dynamic_custom"})
    other = await load(hass, community([], *later))
    result = await hass.config_entries.options.async_init(other.entry_id)
    assert result["menu_options"] == ["terms", "key", "acceptance", "coefficients", "broker"]
    await hass.config_entries.async_unload(other.entry_id)
    result = await options(hass, other, "coefficients")
    assert result["reason"] == "community_not_loaded"


async def test_the_example_of_the_key_tells_that_coefficients_lack(hass, freezer, path) -> None:
    entry = await four(hass, freezer, "2026-07-10T12:00:00+02:00", (START, {"kind": "prorata"}))
    example = await _example(hass, entry)
    assert example.endswith("*Configure → Coefficients*.")
    path.write_text(FULL)
    await call(hass, entry, path)
    await settle(hass, freezer)
    example = await _example(hass, entry)
    assert "| Flat aaaa | 1.5 kWh | 1.2 kWh |" in example
    assert "Coefficients" not in example


async def _example(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    result = await options(hass, entry, "key")
    result = await change(hass, result, {"key": "dynamic_custom", "valid_from": "2026-08-01"})
    check_result(result, "options")
    return result["description_placeholders"]["example"]
