"""Actions: what people and automations can ask of a site beyond its entities."""

from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple

from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.helpers import service
import voluptuous as vol

from .bands_action import SCHEMA as GET_BANDS, async_get_bands
from .const import DOMAIN
from .import_action import SCHEMA as IMPORT_READINGS, async_import_readings


class Action(NamedTuple):
    """One action; its fields are described in services.yaml, its texts in the translations."""

    name: str
    handler: Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]
    schema: vol.Schema
    response: SupportsResponse
    admin_only: bool = False


ACTIONS: Final[tuple[Action, ...]] = (
    Action("get_bands", async_get_bands, GET_BANDS, SupportsResponse.ONLY),
    Action("import_readings", async_import_readings, IMPORT_READINGS, SupportsResponse.OPTIONAL, admin_only=True),
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
