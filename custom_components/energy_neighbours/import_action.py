"""The action `import_readings`: past quarter-hours of a site, or of a member, for scripts and large files."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from .communities import is_community
from .const import DOMAIN
from .core.history import HistoryError
from .external_statistics import SERIES
from .history_import import HistoryImport, as_response, import_into
from .history_sources import BlocksSource, FileSource, Source, StatisticsSource, async_allowed
from .ledger import LedgerFault
from .member_import import import_for
from .site_action import ATTR_MEMBER, entry_of_call, member_of_call, site_of_call

ATTR_FILE: Final = "file"
ATTR_FOLDER: Final = "folder"
ATTR_EAN: Final = "ean"
ATTR_DRY_RUN: Final = "dry_run"
ATTR_ACCEPT_PROBLEMS: Final = "accept_problems"

# The cloud is not among the sources: what an action is given goes into Home Assistant's events, traces and database,
# where a token does not belong.
SCHEMA: Final = vol.Schema(
    {
        vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string,
        vol.Optional(ATTR_MEMBER): cv.string,
        vol.Optional(ATTR_FILE): cv.string,
        vol.Optional(ATTR_FOLDER): cv.string,
        **{vol.Optional(series): vol.All(cv.ensure_list, [cv.string]) for series in SERIES},
        vol.Optional(ATTR_EAN, default=[]): vol.All(cv.ensure_list, [cv.string]),
        vol.Optional(ATTR_DRY_RUN, default=False): cv.boolean,
        vol.Optional(ATTR_ACCEPT_PROBLEMS, default=False): cv.boolean,
    }
)


async def async_import_readings(call: ServiceCall) -> ServiceResponse:
    """Take past readings into the ledger; return what the source holds and what was kept."""
    outcome = None
    try:
        importing = _begin(call)
        source = await _source(call.hass, call.data)
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


def _begin(call: ServiceCall) -> HistoryImport:
    """Begin an import into the site, or the member, that is meant; HistoryError if its readings come otherwise."""
    if is_community(entry_of_call(call)) or ATTR_MEMBER in call.data:
        community, member = member_of_call(call)
        importing = import_for(community.runtime_data, member)
        if call.data.get(ATTR_FOLDER) or any(call.data.get(series) for series in SERIES):
            raise HistoryError("import_member_file")
        return importing
    entry = site_of_call(call)
    return import_into(call.hass, entry, entry.runtime_data)


async def _source(hass: HomeAssistant, given: Mapping[str, Any]) -> Source:
    """Return the one source that is given."""
    series = {key: given[key] for key in SERIES if given.get(key)}
    file, folder = str(given.get(ATTR_FILE, "")), str(given.get(ATTR_FOLDER, ""))
    match [bool(series), bool(file), bool(folder)]:
        case [True, False, False]:
            return StatisticsSource(series)
        case [False, True, False]:
            return FileSource(await async_allowed(hass, file))
        case [False, False, True]:
            return BlocksSource(await async_allowed(hass, folder))
        case _:
            raise HistoryError("import_one_source")
