"""A community with a roof and a broker, and a household that may join it, through the forms that people see."""

from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER
from homeassistant.core import HomeAssistant, State
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component

from custom_components.energy_neighbours.const import DOMAIN
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Span
from tools.broker import ORGANISER, add_member

from .conftest import load
from .contracted import remember
from .far_away import BEGIN, END, Street, hour
from .flows import options
from .neighbours import community, measured, member, site
from .translations import check_result

MEMBER, MEMBERSHIP = "config_subentries.member", "config_subentries.membership"
JOINED = BEGIN.isoformat()
AGREED = {"readings": True, "live": False, "statistics": True}


class Village:
    """A community with a roof here, and a household that may join it."""

    def __init__(self, hass: HomeAssistant, street: Street) -> None:
        self.hass = hass
        self.street = street
        self.roof, self.ash = site("Roof"), site("Ash")

    async def begin(self) -> None:
        await async_setup_component(self.hass, "http", {})
        for each in (self.roof, self.ash):
            await measured(self.hass, each.title)
            await load(self.hass, each)
        roof = member(self.roof, "cccc", part="producer", joined=JOINED)
        made = community([roof], (JOINED, {"kind": "prorata"}), shared_prices={"": "0.11"})
        self.entry = await load(self.hass, made)
        await remember(self.hass, self.roof, hour(0, 400))

    # The forms

    async def give_broker(self, **changes: Any):
        broker = self.street.broker(ORGANISER)
        pem = (self.street.folder / "ca.pem").read_text()
        answers = {"host": broker.host, "port": broker.port, "tls": True, "ca": pem, "username": ORGANISER}
        result = await options(self.hass, self.entry, "broker")
        check_result(result, "options")
        result = await self.hass.config_entries.options.async_configure(
            result["flow_id"], {**answers, "password": broker.password, **changes}
        )
        check_result(result, "options")
        await self.hass.async_block_till_done()
        return result

    async def step(self, result, answers, prefix: str):
        result = await self.hass.config_entries.subentries.async_configure(result["flow_id"], answers)
        check_result(result, prefix)
        return result

    async def invite(self) -> tuple[str, str]:
        """Take a member in; return its code and its invitation."""
        subentries = self.hass.config_entries.subentries
        result = await subentries.async_init((self.entry.entry_id, "member"), context={"source": SOURCE_USER})
        result = await self.step(result, {"next_step_id": "remote"}, MEMBER)
        more = {"takes_part": 100, "connection_power": 44}
        result = await self.step(result, {"name": "Dupont", "part": "consumer", "joined": JOINED, "more": more}, MEMBER)
        assert result["step_id"] == "invitation"
        code, text = self.admit(result)
        result = await self.step(result, {}, MEMBER)
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await self.hass.async_block_till_done()
        return code, text

    def admit(self, result) -> tuple[str, str]:
        """Let the broker know what the form shows; return code and invitation."""
        shown = result["description_placeholders"]
        add_member(self.street.folder, shown["code"], shown["password"])
        self.street.mosquitto.reload()
        fields = {str(field): field for field in result["data_schema"].schema}
        text = fields["invitation"].description["suggested_value"]
        assert result["data_schema"].schema[fields["picture"]].config["data"] == text
        return shown["code"], text

    async def join(self, text: str, **consents: bool) -> None:
        result = await self.begin_joining()
        result = await self.step(result, {"invitation": text}, MEMBERSHIP)
        assert result["step_id"] == "agree", result["errors"]
        result = await self.step(result, {"since": JOINED, **AGREED, **consents}, MEMBERSHIP)
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await self.hass.async_block_till_done()

    async def begin_joining(self):
        result = await self.hass.config_entries.subentries.async_init(
            (self.ash.entry_id, "membership"), context={"source": SOURCE_USER}
        )
        check_result(result, MEMBERSHIP)
        return result

    async def change_membership(self, step: str, *answers: dict[str, Any]):
        (subentry,) = self.ash.get_subentries_of_type("membership")
        context = {"source": SOURCE_RECONFIGURE, "subentry_id": subentry.subentry_id}
        result = await self.hass.config_entries.subentries.async_init(
            (self.ash.entry_id, "membership"), context=context
        )
        for each in ({"next_step_id": step}, *answers):
            result = await self.step(result, each, MEMBERSHIP)
        await self.hass.async_block_till_done()
        return result

    async def reinvite(self) -> str:
        (subentry,) = [each for each in self.entry.subentries.values() if each.data["source"] == "remote"]
        context = {"source": SOURCE_RECONFIGURE, "subentry_id": subentry.subentry_id}
        result = await self.hass.config_entries.subentries.async_init((self.entry.entry_id, "member"), context=context)
        result = await self.step(result, {"next_step_id": "renew"}, MEMBER)
        result = await self.step(result, {}, MEMBER)
        _, text = self.admit(result)
        await self.step(result, {}, MEMBER)
        await self.hass.async_block_till_done()
        return text

    # What is to be seen

    @property
    def community(self):
        return self.entry.runtime_data

    @property
    def membership(self):
        return self.ash.runtime_data.membership

    def state(self, key: str) -> str:
        return self.whole_state(key).state

    def whole_state(self, key: str) -> State:
        entity_id = er.async_get(self.hass).async_get_entity_id("sensor", DOMAIN, f"{self.ash.entry_id}_{key}")
        return self.hass.states.get(entity_id)

    def issues(self) -> set[str]:
        return {
            issue.translation_key for (domain, _), issue in ir.async_get(self.hass).issues.items() if domain == DOMAIN
        }

    async def allocated(self) -> list[int | None]:
        found = await self.ash.runtime_data.share.async_shares(Span(END - 4 * QUARTER, END))
        return [share.allocated for share in found]

    async def act(self, action: str, **data: Any):
        answers = action != "erase_member"
        return await self.hass.services.async_call(DOMAIN, action, data, blocking=True, return_response=answers)
