"""Actions: what people and automations can ask of a site beyond its entities."""

from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple

from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.helpers import service
import voluptuous as vol

from .bands_action import SCHEMA as GET_BANDS, async_get_bands
from .coefficient_action import SCHEMA as SET_COEFFICIENTS, async_set_coefficients
from .const import DOMAIN
from .export_action import SCHEMA as EXPORT_DATA, async_export_data, async_register_view
from .import_action import SCHEMA as IMPORT_READINGS, async_import_readings
from .member_actions import (
    ERASE as ERASE_MEMBER,
    EXPLAIN as EXPLAIN_SHARE,
    INVITE as INVITE_MEMBER,
    async_erase_member,
    async_explain_share,
    async_invite_member,
)


class Action(NamedTuple):
    """One action; its fields are described in services.yaml, its texts in the translations."""

    name: str
    handler: Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]
    schema: vol.Schema
    response: SupportsResponse
    admin_only: bool = False


ACTIONS: Final[tuple[Action, ...]] = (
    Action("get_bands", async_get_bands, GET_BANDS, SupportsResponse.ONLY),
    Action("explain_share", async_explain_share, EXPLAIN_SHARE, SupportsResponse.ONLY, admin_only=True),
    Action("invite_member", async_invite_member, INVITE_MEMBER, SupportsResponse.ONLY, admin_only=True),
    Action("export_data", async_export_data, EXPORT_DATA, SupportsResponse.ONLY, admin_only=True),
    Action("erase_member", async_erase_member, ERASE_MEMBER, SupportsResponse.NONE, admin_only=True),
    Action("set_coefficients", async_set_coefficients, SET_COEFFICIENTS, SupportsResponse.OPTIONAL, admin_only=True),
    Action("import_readings", async_import_readings, IMPORT_READINGS, SupportsResponse.OPTIONAL, admin_only=True),
)


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register the actions; they belong to no single site."""
    async_register_view(hass)
    for action in ACTIONS:
        if action.admin_only:
            service.async_register_admin_service(
                hass, DOMAIN, action.name, action.handler, action.schema, action.response
            )
        else:
            hass.services.async_register(DOMAIN, action.name, action.handler, action.schema, action.response)
