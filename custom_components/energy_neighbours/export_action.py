"""The action `export_data`: everything that is held about a household, behind a link that works for an hour."""

from datetime import timedelta
from typing import Final

from aiohttp import web
from homeassistant.components.http import KEY_HASS, KEY_HASS_USER, HomeAssistantView
from homeassistant.components.http.auth import async_sign_path
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from .communities import is_community
from .const import DOMAIN
from .ledger import LedgerError
from .personal_data import async_personal_data
from .site_action import ATTR_MEMBER, entry_of_call, member_of_call

SCHEMA: Final = vol.Schema({vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string, vol.Optional(ATTR_MEMBER): cv.string})
LASTS: Final = timedelta(hours=1)


async def async_export_data(call: ServiceCall) -> ServiceResponse:
    """Return what is held about a site, or a member, in numbers, and where all of it can be fetched as a ZIP file.

    The file is made when it is fetched: no copy of anybody's habits stays behind.
    """
    entry = entry_of_call(call)
    code = member_of_call(call)[1].member.code if is_community(entry) else None
    try:
        found = await async_personal_data(call.hass, entry, code)
    except LedgerError as error:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key=error.fault) from error
    path = f"{ExportView.url_of(entry.entry_id)}{f'/{code}' if code else ''}"
    return {
        "url": async_sign_path(call.hass, path, LASTS),
        "about": dict(found.about),
        "rows": {name: len(rows) - 1 for name, rows in found.tables.items()},
    }


@callback
def async_register_view(hass: HomeAssistant) -> None:
    """Let exports be fetched."""
    if hass.http is not None:
        hass.http.register_view(ExportView())


class ExportView(HomeAssistantView):
    """Makes the ZIP file of an export for whoever has its signed link, or administers this Home Assistant."""

    url = f"/api/{DOMAIN}/export/{{entry_id}}"
    extra_urls = [f"{url}/{{code}}"]  # noqa: RUF012 - a list is what Home Assistant wants
    name = f"api:{DOMAIN}:export"

    @staticmethod
    def url_of(entry_id: str) -> str:
        """Return the path of an entry's export."""
        return f"/api/{DOMAIN}/export/{entry_id}"

    async def get(self, request: web.Request, entry_id: str, code: str | None = None) -> web.Response:
        """Answer with the ZIP file."""
        hass, user = request.app[KEY_HASS], request[KEY_HASS_USER]
        # Who is nobody in particular can only come with a signed link, which only administrators get.
        if not (user.is_admin or user.system_generated):
            return web.Response(status=web.HTTPUnauthorized.status_code)
        entry = hass.config_entries.async_get_entry(entry_id)
        if entry is None or entry.domain != DOMAIN or entry.state is not ConfigEntryState.LOADED:
            return web.Response(status=web.HTTPNotFound.status_code)
        if is_community(entry) and not entry.runtime_data.member(code or ""):
            return web.Response(status=web.HTTPNotFound.status_code)
        try:
            found = await async_personal_data(hass, entry, code)
        except LedgerError:
            return web.Response(status=web.HTTPServiceUnavailable.status_code)
        packed = await hass.async_add_executor_job(found.zipped)
        name = f"energy-neighbours-{code or 'site'}.zip"
        return web.Response(
            body=packed,
            content_type="application/zip",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
        )
