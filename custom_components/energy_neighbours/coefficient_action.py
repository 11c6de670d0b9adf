"""The action `set_coefficients`: the coefficients of a community's quarter-hours, for scripts and large files."""

from typing import Any, Final

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from .coefficient_import import as_response, async_draft, async_keep
from .const import DOMAIN
from .core.history import HistoryError
from .history_files import read_csv
from .history_sources import async_allowed
from .history_text import async_import_texts
from .ledger import LedgerFault
from .site_action import community_of_call

ATTR_FILE: Final = "file"
ATTR_DRY_RUN: Final = "dry_run"

SCHEMA: Final = vol.Schema(
    {
        vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string,
        vol.Required(ATTR_FILE): cv.string,
        vol.Optional(ATTR_DRY_RUN, default=False): cv.boolean,
    }
)


async def async_set_coefficients(call: ServiceCall) -> ServiceResponse:
    """Take coefficients into a community's ledger; return what the file holds and what it changes."""
    community = community_of_call(call).runtime_data
    texts = await async_import_texts(call.hass, community.zone)
    try:
        path = await async_allowed(call.hass, call.data[ATTR_FILE])
        draft = await async_draft(community, await call.hass.async_add_executor_job(read_csv, path))
        if not call.data[ATTR_DRY_RUN]:
            await async_keep(community, draft, texts)
    except HistoryError as refusal:
        # A ledger that cannot be written is nobody's mistake.
        kind = HomeAssistantError if refusal.key in set(LedgerFault) else ServiceValidationError
        raise kind(
            translation_domain=DOMAIN, translation_key=refusal.key, translation_placeholders=refusal.placeholders
        ) from refusal
    response: dict[str, Any] = as_response(draft, texts)
    return response if call.return_response else None
