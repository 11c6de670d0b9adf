"""Steps through the flows that set a site up and change it; every text on the way is checked."""

from ipaddress import ip_address
from typing import Any

from homeassistant.config_entries import SOURCE_USER, SOURCE_ZEROCONF, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.energy_neighbours.const import DOMAIN
from tools.simulator import Simulator

from .translations import check_result

NOWHERE = 9  # the port of nobody


async def by_address(hass: HomeAssistant, host: str, port: int) -> ConfigFlowResult:
    """Go through the menu and give an address."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    check_result(result)
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {"next_step_id": "flukso"})
    check_result(result)
    assert result["step_id"] == "flukso"
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {CONF_HOST: host, CONF_PORT: port})
    check_result(result)
    return result


def suggested(result: ConfigFlowResult) -> dict[str, Any]:
    """Return what the form would send if nothing was changed."""
    assert result["data_schema"]
    return {
        str(field): {str(inner): inner.default() for inner in section.schema.schema}
        for field, section in result["data_schema"].schema.items()
        if hasattr(section, "schema")
    }


def roles(result: ConfigFlowResult) -> list[tuple[str, str]]:
    return [(section["role"], section["phase"]) for section in suggested(result).values()]


async def answer(hass: HomeAssistant, result: ConfigFlowResult, data: dict[str, Any]) -> ConfigFlowResult:
    result = await hass.config_entries.flow.async_configure(result["flow_id"], data)
    check_result(result)
    return result


async def found(hass: HomeAssistant, meter: Simulator, kind: str, **changes: Any) -> ConfigFlowResult:
    """Let a service be discovered."""
    label = "MQTT Broker" if kind.startswith("_mqtt") else "Flukso RESTful API"
    info = {
        "ip_address": ip_address(changes.get("address", meter.host)),
        "ip_addresses": [ip_address(changes.get("address", meter.host))],
        "port": meter.port if kind.startswith("_mqtt") else 8080,
        "hostname": f"{meter.hostname}.local.",
        "type": kind,
        "name": changes.get("name", f"{label} on {meter.hostname}.{kind}"),
        "properties": {},
    }
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_ZEROCONF}, data=ZeroconfServiceInfo(**info)
    )
    check_result(result)
    return result


async def options(hass: HomeAssistant, entry: MockConfigEntry, step: str) -> ConfigFlowResult:
    result = await hass.config_entries.options.async_init(entry.entry_id)
    check_result(result, "options")
    assert result["type"] is FlowResultType.MENU
    result = await hass.config_entries.options.async_configure(result["flow_id"], {"next_step_id": step})
    check_result(result, "options")
    return result


async def change(hass: HomeAssistant, result: ConfigFlowResult, data: dict[str, Any]) -> ConfigFlowResult:
    result = await hass.config_entries.options.async_configure(result["flow_id"], data)
    check_result(result, "options")
    return result
