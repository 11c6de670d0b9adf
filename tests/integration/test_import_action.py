"""The action for past readings: what it answers, what it keeps, who may call it, and what it says when it refuses."""

import asyncio
from pathlib import Path
import threading
from typing import Any
from unittest.mock import patch

from homeassistant.components.recorder import Recorder
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.service import async_get_all_descriptions
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.energy_neighbours.const import DOMAIN, HISTORY_CHANGED
from custom_components.energy_neighbours.core.history import ProblemKind
from custom_components.energy_neighbours.core.quarter_hour import Quality, QuarterHour
from custom_components.energy_neighbours.ledger import Ledger, LedgerError, LedgerFault, Replaced

from .importing import BEGIN, EAN, HEADING, OTHER_EAN, energies, file, home, known, row, told
from .recorded import HOUR, record
from .translations import LANGUAGES, fill, find


@pytest.fixture
def mock_recorder_before_hass(recorder_db_url: str) -> None:
    """Let the recorder be set up before Home Assistant."""


@pytest.fixture
async def entry(hass: HomeAssistant) -> MockConfigEntry:
    return await home(hass)


@pytest.fixture
def path(hass: HomeAssistant, tmp_path: Path) -> Path:
    """A file that Home Assistant may read."""
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    return tmp_path / "readings.csv"


def write(path: Path, content: str) -> None:
    path.write_text(content)


async def call(hass: HomeAssistant, entry: MockConfigEntry, **data: Any) -> Any:
    return await hass.services.async_call(
        DOMAIN,
        "import_readings",
        {"config_entry_id": entry.entry_id, **{key: str(v) if isinstance(v, Path) else v for key, v in data.items()}},
        blocking=True,
        return_response=True,
    )


def check_texts(error: HomeAssistantError) -> None:
    """Check that the refusal can be read in every language."""
    for language in LANGUAGES:
        text = find(language, f"exceptions.{error.translation_key}.message")
        fill(text, error.translation_placeholders or {})


async def refusal(hass: HomeAssistant, entry: MockConfigEntry, **data: Any) -> HomeAssistantError:
    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, entry, **data)
    check_texts(caught.value)
    return caught.value


async def test_dry_run_tells_what_a_file_holds_and_keeps_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, path: Path
) -> None:
    write(path, file() + row(5, 5))
    found = await call(hass, entry, file=path, dry_run=True)
    assert found["rows"] == 93
    assert found["quarter_hours"] == 92
    assert found["duplicates"] == 1
    assert found["span"] == {"start": "2026-03-28T23:00:00+00:00", "end": "2026-03-29T22:00:00+00:00"}
    assert found["clock_changes"] == [{"day": "2026-03-29", "expected": 92, "found": 92}]
    assert (found["gaps"], found["gap_count"], found["problems"]) == ([], 0, [])
    assert found["offtake_kwh"] == pytest.approx(4.186)
    assert (found["injection_kwh"], found["production_kwh"]) == (0, None)
    assert found["eans"] == [EAN]
    assert "revision" not in found
    assert await known(entry) == []


async def test_same_file_again_is_unchanged_and_another_value_is_a_revision(
    hass: HomeAssistant, entry: MockConfigEntry, path: Path
) -> None:
    write(path, file())
    first = await call(hass, entry, file=path)
    again = await call(hass, entry, file=path)
    write(path, file(energy=lambda number: number + (number == 9)))
    corrected = await call(hass, entry, file=path)
    counts = [[answer[key] for key in ("added", "changed", "unchanged")] for answer in (first, again, corrected)]
    assert counts == [[92, 0, 0], [0, 0, 92], [0, 1, 91]]
    assert again["revision"] == first["revision"]
    assert corrected["revision"] == first["revision"] + 1
    assert (await energies(entry))[9] == 10


async def test_nothing_of_a_file_with_problems_is_kept_unless_the_rest_is_accepted(
    hass: HomeAssistant, entry: MockConfigEntry, path: Path
) -> None:
    write(path, HEADING + row(0, 10) + row(1, "ten") + row(2, -30) + row(3, 40))
    found = await call(hass, entry, file=path, dry_run=True)
    assert [(problem["kind"], problem["where"]) for problem in found["problems"]] == [
        ("not_a_number", "3"),
        ("negative", "4"),
    ]
    assert found["problems"][0]["text"] == "Line 3: `ten` is no number."
    assert found["gap_count"] == 1
    error = await refusal(hass, entry, file=path)
    assert (type(error), error.translation_key) == (ServiceValidationError, "import_has_problems")
    assert await known(entry) == []
    found = await call(hass, entry, file=path, accept_problems=True)
    assert found["added"] == 2
    assert await energies(entry) == [10, 40]


async def test_only_the_first_problems_are_told_one_by_one(
    hass: HomeAssistant, entry: MockConfigEntry, path: Path
) -> None:
    write(path, file(60, lambda number: "x" if number % 2 else number))
    found = await call(hass, entry, file=path, dry_run=True)
    assert (found["problem_count"], len(found["problems"])) == (30, 20)


async def test_injection_of_a_second_file_leaves_the_offtake_of_the_first(
    hass: HomeAssistant, entry: MockConfigEntry, path: Path
) -> None:
    write(path, "timestamp_utc,offtake_wh\n2026-03-28T23:00:00Z,10\n")
    await call(hass, entry, file=path)
    write(path, "timestamp_utc,injection_wh\n2026-03-28T23:00:00Z,3\n")
    await call(hass, entry, file=path)
    assert [(quarter.offtake, quarter.injection) for quarter in await known(entry)] == [(10, 3)]


async def test_one_of_several_access_points_is_named(hass: HomeAssistant, entry: MockConfigEntry, path: Path) -> None:
    write(path, HEADING + row(0, 10, EAN) + row(0, 5, OTHER_EAN))
    error = await refusal(hass, entry, file=path)
    assert error.translation_key == "import_several_eans"
    assert error.translation_placeholders == {"eans": f"{EAN}, {OTHER_EAN}"}
    found = await call(hass, entry, file=path, dry_run=True)
    assert found["eans"] == [EAN, OTHER_EAN]
    await call(hass, entry, file=path, ean=OTHER_EAN)
    assert await energies(entry) == [5]
    await call(hass, entry, file=path, ean=[EAN, OTHER_EAN])
    assert await energies(entry) == [15]


async def test_statistics_fill_what_the_meter_has_not_measured(
    recorder_mock: Recorder, hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    live = [QuarterHour(BEGIN, 1, 2, None), QuarterHour(BEGIN + 900, 3, 4, None, Quality.MISSING)]
    await entry.runtime_data.ledger.async_book(live, {})
    await record(hass, "sensor.meter", {BEGIN + HOUR * (i - 1): 0.4 * i for i in range(3)})
    found = await call(hass, entry, offtake=["sensor.meter"])
    assert (found["measured_before"], found["added"], found["changed"]) == (1, 6, 1)
    assert [(q.offtake, q.quality) for q in await known(entry)] == [
        (1, Quality.MEASURED),
        (100, Quality.MISSING),  # the injection is not known any better
        *((100, Quality.ESTIMATED) for _ in range(6)),
    ]
    again = await call(hass, entry, offtake=["sensor.meter"])
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, 7)
    await hass.async_block_till_done(wait_background_tasks=True)


@pytest.mark.parametrize("sources", [{}, {"file": "/a.csv", "folder": "/b"}, {"file": "/a.csv", "offtake": ["x:y"]}])
async def test_one_source_is_needed(hass: HomeAssistant, entry: MockConfigEntry, sources: dict[str, Any]) -> None:
    assert (await refusal(hass, entry, **sources)).translation_key == "import_one_source"


async def test_refusals_say_what_to_do(hass: HomeAssistant, entry: MockConfigEntry, path: Path) -> None:
    assert (await refusal(hass, entry, file="/etc/passwd")).translation_key == "path_not_allowed"
    assert (await refusal(hass, entry, file=path)).translation_key == "file_missing"
    assert (await refusal(hass, entry, folder=path.parent)).translation_key == "import_needs_fluksometer"
    assert (await refusal(hass, entry, offtake="sensor.grid")).translation_key == "no_recorder"
    write(path, "a shopping list\n")
    assert (await refusal(hass, entry, file=path)).translation_key == "no_readings"


async def test_full_disk_keeps_nothing_and_is_told(hass: HomeAssistant, entry: MockConfigEntry, path: Path) -> None:
    messages = told(hass)
    write(path, file())
    full = LedgerError(LedgerFault.FULL, "no room")
    with patch.object(Ledger, "replace", side_effect=full):  # no disk can be filled here
        error = await refusal(hass, entry, file=path)
    assert (type(error), error.translation_key) == (HomeAssistantError, LedgerFault.FULL)
    assert messages[-1].startswith("Nothing was kept.")
    assert await known(entry) == []


async def test_ledger_that_cannot_be_read_is_told(hass: HomeAssistant, entry: MockConfigEntry, path: Path) -> None:
    write(path, file())
    busy = LedgerError(LedgerFault.UNWRITABLE, "locked")
    with patch.object(Ledger, "staying", side_effect=busy):  # a look at a ledger in use never fails by itself
        error = await refusal(hass, entry, file=path, dry_run=True)
    assert (type(error), error.translation_key) == (HomeAssistantError, LedgerFault.UNWRITABLE)


async def test_script_that_is_stopped_in_the_middle_of_writing_leaves_nothing_half_done(
    hass: HomeAssistant, entry: MockConfigEntry, path: Path
) -> None:
    messages, heard = told(hass), []
    entry.async_on_unload(async_dispatcher_connect(hass, HISTORY_CHANGED.format(entry.entry_id), heard.append))
    write(path, file())
    writing, go_on = asyncio.Event(), threading.Event()
    replace = Ledger.replace

    def slow(*args: Any) -> Replaced:
        hass.loop.call_soon_threadsafe(writing.set)
        assert go_on.wait(10)
        return replace(*args)

    with patch.object(Ledger, "replace", slow):
        script = hass.async_create_task(call(hass, entry, file=path))
        await writing.wait()
        script.cancel()
        with pytest.raises(asyncio.CancelledError):
            await script
        go_on.set()
        await hass.async_block_till_done()
    assert len(await known(entry)) == 92
    assert heard == [BEGIN]
    assert messages[-1] == "92 quarter-hours added, 0 corrected, 0 known already."


async def test_progress_and_result_are_told(hass: HomeAssistant, entry: MockConfigEntry, path: Path) -> None:
    messages = told(hass)
    write(path, file())
    await call(hass, entry, file=path)
    assert messages == [
        "Reading… 0 %",
        "Writing 92 quarter-hours…",
        "92 quarter-hours added, 0 corrected, 0 known already.",
    ]


async def test_only_administrators_may_import(hass: HomeAssistant, entry: MockConfigEntry, path: Path) -> None:
    write(path, file())
    user = MockUser().add_to_hass(hass)
    user.groups = []
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            "import_readings",
            {"config_entry_id": entry.entry_id, "file": str(path)},
            blocking=True,
            context=Context(user_id=user.id),
        )
    assert await known(entry) == []


async def test_action_is_described_in_every_language(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    description = (await async_get_all_descriptions(hass))[DOMAIN]["import_readings"]
    fields = set(description["fields"]) - {"statistics"} | set(description["fields"]["statistics"]["fields"])
    for language in LANGUAGES:
        texts = find(language, "services.import_readings")
        assert texts["fields"].keys() == fields
        assert texts["sections"].keys() == {"statistics"}


def test_every_kind_of_problem_has_a_text_in_every_language() -> None:
    placeholders = {"found": "?", "accepted": "!"}
    for language in LANGUAGES:
        for kind in ProblemKind:
            assert "?" in fill(find(language, f"common.problem_{kind}"), placeholders)
