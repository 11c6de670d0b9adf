"""Members whose readings come in files: nobody waits for them, and their file makes the quarter-hours final."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_RECONFIGURE
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.energy_neighbours.const import DOMAIN
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Span
from custom_components.energy_neighbours.ledger_shares import Share

from .conftest import Give, load
from .contracted import at
from .importing import EAN, HEADING, OTHER_EAN, told
from .neighbours import community, go, member, quarters, remember, settle, site, street
from .translations import LANGUAGES, check_result, fill, find

TEN = "2026-06-10T10:00:00+02:00"
NOON = "2026-06-10T12:00:00+02:00"
HOUR = Span(at(TEN), at(TEN) + 3600)
MEMBER = "config_subentries.member"


@pytest.fixture
def path(hass: HomeAssistant, tmp_path: Path) -> Path:
    """A file that Home Assistant may read."""
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    return tmp_path / "readings.csv"


def readings(begin: str, *energies: object, ean: str = EAN) -> str:
    """Return a file of quarter-hours."""
    times = (datetime.fromtimestamp(at(begin) + QUARTER * number, UTC) for number in range(len(energies)))
    rows = (
        f"{time:%Y-%m-%dT%H:%M:%SZ},{ean},{energy},0,measured\n" for time, energy in zip(times, energies, strict=True)
    )
    return HEADING + "".join(rows)


async def two_and_a_file(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, now: str = NOON, **values: Any
) -> MockConfigEntry:
    """Set up a flat and a roof with an hour that is known, and a member whose readings come in files."""
    ash, roof = site("Ash"), site("Roof")
    await street(hass, freezer, now, ash, roof)
    await remember(hass, ash, quarters(TEN, 4, 600))
    await remember(hass, roof, quarters(TEN, 4, 0, 400))
    members = [member(ash, "aaaa"), member(None, "bbbb", **values), member(roof, "cccc", part="producer")]
    entry = await load(hass, community(members))
    await settle(hass, freezer)
    return entry


def shares(entry: MockConfigEntry, code: str) -> list[Share]:
    found = entry.runtime_data
    return found.ledger._shared._opened.shares.shares(entry.entry_id, found.member(code).site, HOUR)


def allocated(entry: MockConfigEntry, code: str) -> list[tuple[int | None, bool]]:
    return [(share.allocated, share.provisional) for share in shares(entry, code)]


async def call(hass: HomeAssistant, entry: MockConfigEntry, **data: Any) -> Any:
    given = {key: str(value) if isinstance(value, Path) else value for key, value in data.items()}
    answer = await hass.services.async_call(
        DOMAIN,
        "import_readings",
        {"config_entry_id": entry.entry_id, **given},
        blocking=True,
        return_response=True,
    )
    await hass.async_block_till_done()
    return answer


async def refusal(hass: HomeAssistant, entry: MockConfigEntry, **data: Any) -> HomeAssistantError:
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, entry, **data)
    for language in LANGUAGES:
        fill(
            find(language, f"exceptions.{caught.value.translation_key}.message"),
            caught.value.translation_placeholders or {},
        )
    return caught.value


async def test_nobody_waits_for_a_file_and_its_member_is_never_late(hass, freezer) -> None:
    entry = await two_and_a_file(hass, freezer, "2026-06-10T11:00:10+02:00")
    # The last quarter-hour ended ten seconds ago: all who tell their readings now have told them.
    assert allocated(entry, "aaaa") == [(400, True)] * 4
    await go(hass, freezer, "2026-06-10T11:06:00+02:00")
    present = hass.states.get("sensor.street_members_present")
    assert present.state == "2"
    assert (present.attributes["members"], present.attributes["late"]) == (2, [])


async def test_a_file_makes_its_quarter_hours_final(hass, freezer, path) -> None:
    entry = await two_and_a_file(hass, freezer)
    completeness = hass.states.get("sensor.street_data_completeness")
    assert completeness.attributes["files"] == {"bbbb": None}
    provisional = completeness.attributes["provisional_quarter_hours"]
    path.write_text(readings(TEN, 200, 200, 200, 600))
    seen = await call(hass, entry, member="bbbb", file=path, dry_run=True)
    assert (seen["quarter_hours"], seen["offtake_kwh"]) == (4, 1.2)
    await settle(hass, freezer)
    assert allocated(entry, "bbbb") == [(0, True)] * 4
    kept = await call(hass, entry, member="bbbb", file=path)
    assert (kept["added"], kept["changed"], kept["unchanged"]) == (4, 0, 0)
    await settle(hass, freezer)
    assert allocated(entry, "aaaa") == [(300, False), (300, False), (300, False), (200, False)]
    assert allocated(entry, "bbbb") == [(100, False), (100, False), (100, False), (200, False)]
    completeness = hass.states.get("sensor.street_data_completeness")
    assert completeness.attributes["files"] == {"bbbb": "2026-06-10T09:00:00Z"}
    assert completeness.attributes["provisional_quarter_hours"] == provisional - 4
    again = await call(hass, entry, member="bbbb", file=path)
    assert (again["unchanged"], again["revision"]) == (4, kept["revision"])


async def test_a_corrected_file_divides_only_what_it_changes(hass, freezer, path) -> None:
    entry = await two_and_a_file(hass, freezer)
    path.write_text(readings(TEN, 200, 200, 200, 200))
    await call(hass, entry, member="bbbb", file=path)
    await settle(hass, freezer)
    before = shares(entry, "aaaa")
    path.write_text(readings(TEN, 200, 600, 200, 200))
    assert (await call(hass, entry, member="bbbb", file=path))["changed"] == 1
    await settle(hass, freezer)
    assert [each.allocated for each in shares(entry, "aaaa")] == [300, 200, 300, 300]
    assert [one == other for one, other in zip(before, shares(entry, "aaaa"), strict=True)] == [True, False, True, True]


async def test_what_was_imported_before_the_community_was_divided_is_divided_at_its_start(hass, freezer, path) -> None:
    entry = await two_and_a_file(hass, freezer)
    path.write_text(readings(TEN, 600, 600, 600, 600))
    await call(hass, entry, member="bbbb", file=path)
    # It ends before it could divide them.
    await hass.config_entries.async_unload(entry.entry_id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass, freezer)
    assert allocated(entry, "bbbb") == [(200, False)] * 4


async def test_what_lies_outside_the_membership_is_left_out_and_told(hass, freezer, path) -> None:
    entry = await two_and_a_file(hass, freezer, joined="2026-06-10", left="2026-06-12")
    # Eight quarter-hours around the midnight with which the member begins.
    path.write_text(readings("2026-06-09T23:00:00+02:00", *[100] * 8))
    seen = await call(hass, entry, member="bbbb", file=path)
    assert (seen["quarter_hours"], seen["added"], seen["problem_count"]) == (4, 4, 0)
    assert seen["span"]["start"] == "2026-06-09T22:00:00+00:00"
    assert seen["notes"]["not_member"] == "4"
    path.write_text(readings("2026-06-09T22:00:00+02:00", *[100] * 4))
    error = await refusal(hass, entry, member="bbbb", file=path)
    assert error.translation_key == "import_all_left_out"
    assert error.translation_placeholders == {"outside": "4", "settled": "0"}


async def test_settled_quarter_hours_are_not_taken_and_told(hass, freezer, path) -> None:
    entry = await two_and_a_file(hass, freezer)
    path.write_text(readings(TEN, 200, 200, 200, 200))
    await call(hass, entry, member="bbbb", file=path)
    await settle(hass, freezer)
    ledger = entry.runtime_data.ledger
    await ledger.async_change(lambda found: found.close_until(entry.entry_id, HOUR.start + 2 * QUARTER))
    path.write_text(readings(TEN, 600, 600, 600, 600))
    seen = await call(hass, entry, member="bbbb", file=path)
    assert (seen["quarter_hours"], seen["changed"], seen["notes"]["settled"]) == (2, 2, "2")
    await settle(hass, freezer)
    assert [each.allocated for each in shares(entry, "bbbb")] == [100, 100, 200, 200]
    assert [each.allocated for each in shares(entry, "aaaa")] == [300, 300, 200, 200]


async def test_what_the_connection_cannot_carry_is_a_problem_and_nothing_is_kept(hass, freezer, path) -> None:
    entry = await two_and_a_file(hass, freezer, connection_power=10)
    path.write_text(readings(TEN, 2500, 2501, 100, 100))
    seen = await call(hass, entry, member="bbbb", file=path, dry_run=True)
    (problem,) = seen["problems"]
    assert (problem["kind"], problem["where"]) == ("too_much", "2026-06-10T08:15:00Z")
    assert (problem["found"], problem["accepted"]) == ("2501 Wh", "10 kW")
    error = await refusal(hass, entry, member="bbbb", file=path)
    assert error.translation_key == "import_has_problems"
    assert (await call(hass, entry, member="bbbb", file=path, accept_problems=True))["added"] == 3
    await settle(hass, freezer)


async def test_a_producer_whose_file_tells_no_injection_is_told_so(hass, freezer, path) -> None:
    entry = await two_and_a_file(hass, freezer, part="both")
    path.write_text(
        "timestamp_utc,offtake_wh\n"
        + "".join(f"2026-06-10T{hour:02}:{minute:02}:00Z,100\n" for hour in (8,) for minute in (0, 15, 30, 45))
    )
    assert (await call(hass, entry, member="bbbb", file=path))["notes"]["lacks"] == "injection"
    await settle(hass, freezer)
    assert {each.provisional for each in shares(entry, "bbbb")} == {True}


@pytest.mark.parametrize(
    ("code", "key"),
    [("aaaa", "readings_come_from_site"), ("dddd", "readings_come_from_afar"), ("eeee", "readings_come_from_nobody")],
)
async def test_members_whose_readings_come_otherwise_are_refused(hass, freezer, path, code, key) -> None:
    ash = site("Ash")
    await street(hass, freezer, NOON, ash)
    others = [
        member(None, "dddd", source="remote"),
        member(None, "eeee", source="vacant"),
    ]
    entry = await load(hass, community([member(ash, "aaaa"), *others]))
    path.write_text(readings(TEN, 1))
    error = await refusal(hass, entry, member=code, file=path)
    assert (error.translation_key, error.translation_placeholders) == (key, {"member": code})


async def test_what_an_action_on_a_community_needs(hass, freezer, path) -> None:
    entry = await two_and_a_file(hass, freezer)
    path.write_text(readings(TEN, 1))
    assert (await refusal(hass, entry, file=path)).translation_key == "no_such_member"
    assert (await refusal(hass, entry, member="zzzz", file=path)).translation_key == "no_such_member"
    assert (await refusal(hass, entry, member="bbbb")).translation_key == "import_one_source"
    error = await refusal(hass, entry, member="bbbb", file=path, folder="/media/blocks")
    assert error.translation_key == "import_member_file"
    (ash, *_) = (each for each in hass.config_entries.async_entries(DOMAIN) if each.title == "Ash")
    assert (await refusal(hass, ash, member="bbbb", file=path)).translation_key == "not_a_community"


# The form


async def begin(hass: HomeAssistant, entry: MockConfigEntry, option: str) -> Any:
    (subentry,) = (each for each in entry.subentries.values() if each.data["code"] == "bbbb")
    result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "member"), context={"source": SOURCE_RECONFIGURE, "subentry_id": subentry.subentry_id}
    )
    check_result(result, MEMBER)
    assert (result["type"], result["menu_options"]) == (FlowResultType.MENU, ["import_file", "change"])
    return await answer(hass, result, {"next_step_id": option})


async def answer(hass: HomeAssistant, result: Any, given: dict[str, Any]) -> Any:
    """Answer a form; wait while progress is shown."""
    subentries = hass.config_entries.subentries
    result = await subentries.async_configure(result["flow_id"], given)
    check_result(result, MEMBER)
    while result["type"] is FlowResultType.SHOW_PROGRESS:
        await hass.async_block_till_done()
        result = await subentries.async_configure(result["flow_id"])
        check_result(result, MEMBER)
    return result


async def test_the_form_takes_a_file_of_several_access_points(hass, freezer, give: Give) -> None:
    both = readings(TEN, 200, 200, 200, 600) + readings(TEN, 9, 9, 9, 9, ean=OTHER_EAN).removeprefix(HEADING)
    entry = await two_and_a_file(hass, freezer)
    hass.config.language = "fr"
    messages = told(hass)
    result = await begin(hass, entry, "import_file")
    result = await answer(hass, result, {"file": await give(both)})
    assert result["step_id"] == "import_ean"
    result = await answer(hass, result, {"eans": []})
    assert result["errors"] == {"eans": "import_no_ean"}
    result = await answer(hass, result, {"eans": [EAN]})
    assert result["step_id"] == "import_preview"
    assert "Prélevé sur le réseau : 1,2 kWh" in result["description_placeholders"]["preview"]
    result = await answer(hass, result, {})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "import_done")
    assert result["description_placeholders"]["outcome"] == messages[-1]
    await settle(hass, freezer)
    assert allocated(entry, "bbbb") == [(100, False), (100, False), (100, False), (200, False)]


async def test_the_form_tells_what_is_left_out_and_why_a_file_is_refused(hass, freezer, give: Give) -> None:
    early, edge = readings("2026-06-01T00:00+02:00", 1, 2), readings("2026-06-09T23:45:00+02:00", 7, 20000, 9)
    entry = await two_and_a_file(hass, freezer, joined="2026-06-10")
    result = await begin(hass, entry, "import_file")
    result = await answer(hass, result, {"file": await give(early)})
    assert (result["step_id"], result["errors"]) == ("import_file", {"base": "import_refused"})
    assert "2 lie before the member joined" in result["description_placeholders"]["reason"]
    result = await answer(hass, result, {"file": await give(edge)})
    shown = result["description_placeholders"]["preview"]
    assert "1 quarter-hours lie before the member joined or after it left" in shown
    assert "that is more than 44 kW on average" in shown
    result = await answer(hass, result, {})
    assert result["errors"] == {"accept_problems": "import_not_accepted"}
    result = await answer(hass, result, {"accept_problems": True})
    assert result["reason"] == "import_done"
    known = await entry.runtime_data.ledger.async_look(
        lambda found: found.readings([f"{entry.entry_id}/bbbb"], Span(0, at(NOON)))
    )
    assert [each.quarter.offtake for each in known[f"{entry.entry_id}/bbbb"].values()] == [9]
    await settle(hass, freezer)


async def test_what_was_settled_while_the_form_was_open_is_not_overwritten(hass, freezer, give: Give) -> None:
    entry = await two_and_a_file(hass, freezer)
    result = await begin(hass, entry, "import_file")
    result = await answer(hass, result, {"file": await give(readings(TEN, 1, 2, 3, 4))})
    await entry.runtime_data.ledger.async_change(lambda found: found.close_until(entry.entry_id, HOUR.end))
    result = await answer(hass, result, {})
    assert (result["step_id"], result["errors"]) == ("import_preview", {"base": "import_refused"})
    assert "settled meanwhile" in result["description_placeholders"]["reason"]
    assert allocated(entry, "bbbb") == [(0, True)] * 4


async def test_the_form_changes_the_member_as_before_and_says_when_the_community_does_not_run(hass, freezer) -> None:
    entry = await two_and_a_file(hass, freezer)
    result = await begin(hass, entry, "change")
    assert result["step_id"] == "change"
    await hass.config_entries.async_unload(entry.entry_id)
    result = await begin(hass, entry, "import_file")
    assert result["reason"] == "import_not_loaded"
