"""The form for past readings: look first, then keep all of it or nothing, and tell how it went."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from homeassistant.components.recorder import Recorder
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import openpyxl
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.energy_neighbours.external_statistics import statistic_id
from tools.simulator import Simulator

from .flows import change, options
from .importing import (
    BEGIN,
    EAN,
    HEADING,
    OTHER_EAN,
    begin,
    energies,
    file,
    home,
    known,
    row,
    told,
    upload,
    walk,
)
from .recorded import DAY, HOUR, hourly, record, this_hour


@pytest.fixture
def mock_recorder_before_hass(recorder_db_url: str) -> None:
    """Let the recorder be set up before Home Assistant."""


@pytest.fixture
async def entry(recorder_mock: Recorder, hass: HomeAssistant) -> AsyncIterator[MockConfigEntry]:
    yield await home(hass)
    # The recorder of a test is gone before its sites are unloaded.
    await hass.async_block_till_done(wait_background_tasks=True)


def problems(result: Any) -> str:
    return result["description_placeholders"]["preview"]


async def test_file_is_shown_then_kept_and_appears_in_the_statistics(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    hass.config.language = "fr"
    messages = told(hass)
    result = await begin(hass, entry, "import_file")
    result = await walk(hass, result, {"file": await upload(hass_client, file())})
    assert result["step_id"] == "import_preview"
    shown = problems(result)
    assert "**92 quarts d’heure** dans 92 lignes." in shown  # noqa: RUF001 - French
    assert "Du 29/03/2026 00:00 au 30/03/2026 00:00" in shown
    assert "Prélevé sur le réseau : 4,2 kWh" in shown
    assert "Changement d’heure du 29/03/2026 : 92 quarts d’heure, c’est juste." in shown  # noqa: RUF001
    assert "Aucun trou" in shown
    assert await known(entry) == []

    result = await walk(hass, result, {})
    assert result["step_id"] == "import_done"
    assert await energies(entry) == list(range(92))
    assert messages[-1] == "92 quarts d’heure ajoutés, 0 corrigés, 0 déjà connus."  # noqa: RUF001
    assert "Enregistrement de 92 quarts d’heure…" in messages  # noqa: RUF001
    result = await change(hass, result, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.state is ConfigEntryState.LOADED

    await hass.async_block_till_done(wait_background_tasks=True)
    graph = await hourly(hass, statistic_id(entry.entry_id, "offtake"), "change")
    assert min(graph) == BEGIN
    assert sum(graph.values()) == pytest.approx(sum(range(92)) / 1000)


async def test_same_file_again_changes_nothing_and_a_corrected_one_makes_a_revision(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    messages = told(hass)
    for content in (file(), file(), file(energy=lambda number: 7 if number == 3 else number)):
        result = await begin(hass, entry, "import_file")
        result = await walk(hass, result, {"file": await upload(hass_client, content)}, {})
        assert result["step_id"] == "import_done"
        hass.config_entries.options.async_abort(result["flow_id"])
    kept = [message for message in messages if "added" in message]
    assert kept == [
        "92 quarter-hours added, 0 corrected, 0 known already.",
        "0 quarter-hours added, 0 corrected, 92 known already.",
        "0 quarter-hours added, 1 corrected, 91 known already.",
    ]
    assert (await energies(entry))[3] == 7


async def test_nothing_of_a_file_with_a_problem_is_kept_unless_the_rest_is_accepted(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    content = HEADING + row(0, 10) + row(1, "ten") + row(2, 30)
    result = await begin(hass, entry, "import_file")
    result = await walk(hass, result, {"file": await upload(hass_client, content)})
    assert "- Line 3: `ten` is no number." in problems(result)
    result = await walk(hass, result, {"accept_problems": False})
    assert (result["step_id"], result["errors"]) == ("import_preview", {"accept_problems": "import_not_accepted"})
    assert await known(entry) == []
    result = await walk(hass, result, {"accept_problems": True})
    assert result["step_id"] == "import_done"
    assert await energies(entry) == [10, 30]


async def test_access_points_are_chosen_when_there_are_several(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    content = HEADING + row(0, 10, EAN) + row(0, 5, OTHER_EAN)
    result = await begin(hass, entry, "import_file")
    result = await walk(hass, result, {"file": await upload(hass_client, content)})
    assert result["step_id"] == "import_ean"
    result = await walk(hass, result, {"eans": []})
    assert result["errors"] == {"eans": "import_no_ean"}
    await walk(hass, result, {"eans": [OTHER_EAN]}, {})
    assert await energies(entry) == [5]


async def test_spreadsheet_is_read(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator, tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    for line in file(3).splitlines():
        book.worksheets[0].append(line.split(","))
    book.save(tmp_path / "readings.xlsx")
    uploaded = await upload(hass_client, (tmp_path / "readings.xlsx").read_bytes(), "readings.xlsx")
    await walk(hass, await begin(hass, entry, "import_file"), {"file": uploaded}, {})
    assert await energies(entry) == [0, 1, 2]


async def test_file_that_is_no_table_is_refused_with_the_reason_and_another_can_be_given(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    result = await begin(hass, entry, "import_file")
    result = await walk(hass, result, {"file": await upload(hass_client, b"%PDF-1.7 ...", "bill.pdf")})
    assert (result["step_id"], result["errors"]) == ("import_file", {"base": "import_refused"})
    assert "CSV" in result["description_placeholders"]["reason"]
    result = await walk(hass, result, {"file": str(uuid4())})
    assert result["description_placeholders"]["reason"] == "The file is no longer there. Give it again."
    result = await walk(hass, result, {"file": await upload(hass_client, file(2))}, {})
    assert result["step_id"] == "import_done"
    assert await energies(entry) == [0, 1]


async def test_uploaded_file_is_removed_with_the_form(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    uploaded = await upload(hass_client, file(2))
    result = await walk(hass, await begin(hass, entry, "import_file"), {"file": uploaded})
    uploads = hass.data["file_upload"]
    path = uploads.file_path(uploaded)
    assert path.exists()
    hass.config_entries.options.async_abort(result["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not path.exists()
    assert not uploads.has_file(uploaded)


async def test_statistics_become_estimates_that_leave_measurements_alone(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    await walk(hass, await begin(hass, entry, "import_file"), {"file": await upload(hass_client, file(8))}, {})
    await record(hass, "sensor.meter", {BEGIN + HOUR * (i - 1): 0.4 * i for i in range(5)})
    result = await begin(hass, entry, "import_statistics")
    result = await walk(hass, result, {"offtake": ["sensor.meter"]})
    assert "In 8 quarter-hours values stay as they are" in problems(result)
    await walk(hass, result, {})
    assert await energies(entry) == [*range(8), *(100 for _ in range(8))]


async def test_statistics_need_a_choice(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    result = await walk(hass, await begin(hass, entry, "import_statistics"), {})
    assert (result["step_id"], result["errors"]) == ("import_statistics", {"base": "import_refused"})
    assert result["description_placeholders"]["reason"] == "Choose at least one energy counter."


async def test_correction_in_the_statistics_is_told(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    begin_of = this_hour() - 9 * DAY
    await record(hass, "sensor.meter", {begin_of: 1, begin_of + HOUR: 2, begin_of + 2 * HOUR: 1.5})
    result = await begin(hass, entry, "import_statistics")
    result = await walk(hass, result, {"offtake": ["sensor.meter"]})
    assert "- sensor.meter: `-0.500 kWh" in problems(result)


async def test_source_without_a_quarter_hour_is_not_kept(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    content = HEADING + row(0, "many")
    result = await begin(hass, entry, "import_file")
    result = await walk(hass, result, {"file": await upload(hass_client, content)}, {"accept_problems": True})
    assert (result["step_id"], result["errors"]) == ("import_preview", {"base": "import_refused"})


async def test_import_waits_for_a_site_that_runs(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_unload(entry.entry_id)
    result = await options(hass, entry, "import_readings")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "import_not_loaded")


async def test_site_of_a_fluksometer_offers_the_import_too(
    recorder_mock: Recorder, hass: HomeAssistant, meter: Simulator, site: MockConfigEntry
) -> None:
    result = await options(hass, site, "import_readings")
    assert result["step_id"] == "import_readings"
