"""Actions: what people and automations can ask of a site beyond its entities."""

from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv, service
import voluptuous as vol

from .bands_action import SCHEMA as GET_BANDS, async_get_bands
from .const import DOMAIN
from .core.history import HistoryError
from .external_statistics import SERIES
from .history_import import FileSource, Source, StatisticsSource, as_response, import_into
from .ledger import LedgerFault
from .runtime_data import EnergyNeighboursConfigEntry


class Action(NamedTuple):
    """One action; its fields are described in services.yaml, its texts in the translations."""

    name: str
    handler: Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]
    schema: vol.Schema
    response: SupportsResponse
    admin_only: bool = False


ATTR_FILE: Final = "file"
ATTR_EAN: Final = "ean"
ATTR_DRY_RUN: Final = "dry_run"
ATTR_ACCEPT_PROBLEMS: Final = "accept_problems"

_IMPORT: Final = vol.Schema(
    {
        vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string,
        vol.Optional(ATTR_FILE): cv.string,
        **{vol.Optional(series): vol.All(cv.ensure_list, [cv.string]) for series in SERIES},
        vol.Optional(ATTR_EAN, default=[]): vol.All(cv.ensure_list, [cv.string]),
        vol.Optional(ATTR_DRY_RUN, default=False): cv.boolean,
        vol.Optional(ATTR_ACCEPT_PROBLEMS, default=False): cv.boolean,
    }
)


async def _import_readings(call: ServiceCall) -> ServiceResponse:
    """Take past readings into a site's ledger; return what the source holds and what was kept."""
    entry: EnergyNeighboursConfigEntry = service.async_get_config_entry(
        call.hass, DOMAIN, call.data[ATTR_CONFIG_ENTRY_ID]
    )
    source = await _source(call.hass, call.data)
    importing = import_into(call.hass, entry, entry.runtime_data)
    outcome = None
    try:
        draft = await importing.async_read(source, call.data[ATTR_EAN])
        if not call.data[ATTR_DRY_RUN]:
            outcome = await importing.async_commit(draft, accept_problems=call.data[ATTR_ACCEPT_PROBLEMS])
    except HistoryError as refusal:
        # A ledger that cannot be written is nobody's mistake.
        kind = HomeAssistantError if refusal.key in set(LedgerFault) else ServiceValidationError
        raise kind(
            translation_domain=DOMAIN, translation_key=refusal.key, translation_placeholders=refusal.placeholders
        ) from refusal
    return as_response(draft, outcome, await importing.async_texts()) if call.return_response else None


async def _source(hass: HomeAssistant, given: Mapping[str, Any]) -> Source:
    """Return the one source that is given."""
    series = {key: given[key] for key in SERIES if given.get(key)}
    file = given.get(ATTR_FILE)
    if bool(series) == bool(file):
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="import_one_source")
    if not file:
        return StatisticsSource(series)
    if not await hass.async_add_executor_job(hass.config.is_allowed_path, file):
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="path_not_allowed", translation_placeholders={"path": file}
        )
    return FileSource(Path(file))


ACTIONS: Final[tuple[Action, ...]] = (
    Action("get_bands", async_get_bands, GET_BANDS, SupportsResponse.ONLY),
    Action("import_readings", _import_readings, _IMPORT, SupportsResponse.OPTIONAL, admin_only=True),
)


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register the actions; they belong to no single site."""
    for action in ACTIONS:
        if action.admin_only:
            service.async_register_admin_service(
                hass, DOMAIN, action.name, action.handler, action.schema, action.response
            )
        else:
            hass.services.async_register(DOMAIN, action.name, action.handler, action.schema, action.response)
