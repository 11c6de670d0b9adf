"""A household joins a community far away with an invitation, decides what it sends, and leaves again."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from http import HTTPStatus
import io
import json
from pathlib import Path
import time
import zipfile
from zoneinfo import ZoneInfo

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import ServiceValidationError
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import get_system_health_info

from custom_components.energy_neighbours import link
from custom_components.energy_neighbours.charters import charter_of
from custom_components.energy_neighbours.communities import members_of
from custom_components.energy_neighbours.const import DOMAIN
from custom_components.energy_neighbours.core.invitation import decode
from custom_components.energy_neighbours.core.messages import BucketTotals
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Span
from custom_components.energy_neighbours.diagnostics import async_get_config_entry_diagnostics
from custom_components.energy_neighbours.ledger_readings import Reading
from custom_components.energy_neighbours.memberships import membership_of
from tools.broker import ORGANISER

from .contracted import remember
from .far_away import END, STREET, Street, eventually, hour
from .neighbours import measured, member
from .village import AGREED, JOINED, MEMBER, MEMBERSHIP, Village


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "FIRST_WAIT", 0.2)


@pytest.fixture
def street(tmp_path: Path):
    made = Street(tmp_path / "broker")
    made.start()
    yield made
    made.stop()


@pytest.fixture
async def village(hass: HomeAssistant, street: Street) -> AsyncIterator[Village]:
    made = Village(hass, street)
    await made.begin()
    yield made
    for entry in (made.ash, made.entry):
        if entry.state is ConfigEntryState.LOADED:
            await hass.config_entries.async_unload(entry.entry_id)


async def test_a_household_joins_with_an_invitation_and_gets_its_share(village: Village) -> None:
    await remember(village.hass, village.ash, hour(600))
    assert (await village.give_broker())["type"] is FlowResultType.CREATE_ENTRY
    code, text = await village.invite()
    found = decode(text)
    assert (found.code, found.username, found.name, found.community) == (code, code, "Street", STREET)
    await village.join(text)
    await eventually(village.allocated, [400] * 4)
    # What the community asks comes with its charter, which is believed for its signature.
    await eventually(lambda: village.state("neighbours_price"), "0.11")
    await eventually(lambda: float(village.state("from_neighbours_energy")) == 1.6)
    assert village.membership.notes.charter.k == 5
    assert not village.issues()


async def test_what_is_wrong_with_a_broker_is_told(village: Village, street: Street) -> None:
    assert (await village.give_broker(ca="nothing"))["errors"] == {"ca": "not_a_certificate"}
    assert (await village.give_broker(password="wrong-one"))["errors"] == {"base": "broker_refuses_member"}  # noqa: S106
    street.stop()
    assert (await village.give_broker())["errors"] == {"base": "broker_unreachable"}
    subentries = village.hass.config_entries.subentries
    result = await subentries.async_init((village.entry.entry_id, "member"), context={"source": SOURCE_USER})
    result = await village.step(result, {"next_step_id": "remote"}, MEMBER)
    assert result["reason"] == "no_broker"


async def test_what_is_wrong_with_an_invitation_is_told(village: Village) -> None:
    await village.give_broker()
    _, text = await village.invite()
    result = await village.begin_joining()
    for pasted, fault in (
        ("hello", "not_an_invitation"),
        (text[:-40], "incomplete"),
        (text[:60] + "QQQQ" + text[64:], "damaged"),
        (text.replace("S:1:", "S:2:"), "newer_version"),
    ):
        result = await village.step(result, {"invitation": pasted}, MEMBERSHIP)
        assert result["errors"] == {"invitation": fault}
    village.street.stop()
    result = await village.step(result, {"invitation": text}, MEMBERSHIP)
    assert result["errors"] == {"base": "broker_unreachable"}
    village.street.start()
    await village.join(f"Here it is: {text} See you!")
    result = await village.begin_joining()
    assert result["reason"] == "already_member"


async def test_a_household_decides_what_it_sends_and_sees_what_it_sent(village: Village) -> None:
    await remember(village.hass, village.ash, hour(600))
    await village.give_broker()
    code, text = await village.invite()
    await village.join(text)
    await eventually(village.allocated, [400] * 4)
    await eventually(
        lambda: village.community.link.consent(code), {**AGREED, "since": village.membership.joined, "erase": False}
    )
    await eventually(lambda: village.membership.notes.told and village.membership.notes.charter)
    assert village.community.silent == frozenset()
    result = await village.change_membership("agree")
    about = result["description_placeholders"]["about"]
    assert "with the key “By consumption (prorata, dynamic)”" in about
    assert "600 Wh taken from the grid and 0 Wh injected" in about
    await village.step(result, {"readings": False, "live": False, "statistics": False}, MEMBERSHIP)
    await village.hass.async_block_till_done()
    await eventually(lambda: village.community.silent, frozenset({code}))
    await remember(village.hass, village.ash, hour(900))
    await village.membership._send(even_nothing=True)
    assert village.membership.last_sent is None
    await eventually(lambda: village.community.link.link.connected)
    # Nor is it asked for what it does not want to send.
    assert await village.community.link._lacking([village.community.member(code)], at_once=True) == []


async def test_what_comes_from_the_neighbours_now_is_told_to_who_tells_its_own(village: Village) -> None:
    await village.give_broker()
    code, text = await village.invite()
    await village.join(text, live=True)
    await measured(village.hass, "Roof", watts=-900)
    await measured(village.hass, "Ash", watts=700)
    assert village.state("share_power") == "unknown"
    await eventually(lambda: village.membership.link.connected and village.community.link.consent(code))
    await village.membership._send_live(None)
    await eventually(lambda: code in village.community.link.live)
    await village.community.live.async_update(time.time())
    assert village.community.live.shares == {code: 700}
    await eventually(lambda: village.state("share_power"), "700")
    assert village.whole_state("share_power").attributes["provisional"] is True
    # Consent taken back: nothing is sent, and what is known is forgotten.
    await village.change_membership("agree", {**AGREED, "live": False})
    await eventually(lambda: not village.community.link.live)


async def test_who_leaves_is_told_to_the_organiser_and_forgotten_here(village: Village) -> None:
    await remember(village.hass, village.ash, hour(600))
    await village.give_broker()
    code, text = await village.invite()
    await village.join(text)
    await eventually(village.allocated, [400] * 4)
    terms, ledger = membership_of(village.ash), village.community.ledger
    village.hass.config_entries.async_remove_subentry(village.ash, terms.name)
    await village.hass.async_block_till_done()
    await eventually(lambda: village.community.link.consent(code)["readings"], False)
    assert village.ash.runtime_data.share is None
    gone = Span(END - 4 * QUARTER, END)
    await eventually(
        lambda: ledger.async_look(lambda shares: shares.shares(terms.name, village.ash.entry_id, gone)), []
    )


async def test_a_member_asks_to_be_erased_and_its_organiser_does_so(village: Village) -> None:
    await remember(village.hass, village.ash, hour(600))
    await village.give_broker()
    code, text = await village.invite()
    await village.join(text)
    await eventually(village.allocated, [400] * 4)
    await village.act("erase_member", config_entry_id=village.ash.entry_id)
    await village.hass.async_block_till_done()
    assert membership_of(village.ash) is None
    await eventually(lambda: "erasure_wished" in village.issues())
    with pytest.raises(ServiceValidationError, match="still belongs"):
        await village.act("erase_member", config_entry_id=village.entry.entry_id, member=code)
    found = village.community.member(code)
    subentry = village.entry.subentries[found.subentry_id]
    village.hass.config_entries.async_update_subentry(
        village.entry, subentry, data={**subentry.data, "left": datetime.now(UTC).date().isoformat()}
    )
    await village.hass.async_block_till_done()
    await village.act("erase_member", config_entry_id=village.entry.entry_id, member=code)
    await village.hass.async_block_till_done()
    assert [each.member.code for each in members_of(village.entry)] == ["cccc"]
    held = await village.community.ledger.async_look(lambda shares: shares.readings([found.site], Span(0, END)))
    assert held == {found.site: {}}
    await eventually(lambda: "erasure_wished" not in village.issues())


async def test_everything_that_is_held_can_be_taken_along(
    village: Village, hass_client_no_auth, hass_read_only_access_token, hass_client
) -> None:
    await remember(village.hass, village.ash, hour(600))
    await village.give_broker()
    code, text = await village.invite()
    await village.join(text)
    await eventually(village.allocated, [400] * 4)
    for target in (
        {"config_entry_id": village.ash.entry_id},
        {"config_entry_id": village.entry.entry_id, "member": code},
    ):
        answer = await village.act("export_data", **target)
        assert answer["rows"]["quarter_hours"] == 4
        assert answer["rows"]["shares"] > 4
        client = await hass_client_no_auth()
        response = await client.get(answer["url"])
        assert response.status == HTTPStatus.OK
        archive = zipfile.ZipFile(io.BytesIO(await response.read()))
        packed = "".join(archive.read(name).decode() for name in archive.namelist())
        assert ",600,0,,measured," in packed
        assert ",400,400," in packed
        assert json.loads(archive.read("about.json"))
        assert decode(text).password not in packed
        # The link is the key: without its signature, and as anybody, there is nothing to see.
        assert (await client.get(answer["url"].partition("?")[0])).status == HTTPStatus.UNAUTHORIZED
        stranger = await hass_client(hass_read_only_access_token)
        assert (await stranger.get(answer["url"].partition("?")[0])).status == HTTPStatus.UNAUTHORIZED


async def test_a_share_is_explained_to_organiser_and_member(village: Village) -> None:
    await remember(village.hass, village.ash, hour(600))
    await village.give_broker()
    code, text = await village.invite()
    await village.join(text)
    await eventually(village.allocated, [400] * 4)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(END - 100))
    full = await village.act("explain_share", config_entry_id=village.entry.entry_id, member=code, start=moment)
    assert (full["offtake"], full["production"], full["allocated"]) == (600, 400, 400)
    assert full["limit"] == "key"
    own = await village.act("explain_share", config_entry_id=village.ash.entry_id, start=moment)
    assert (own["offtake"], own["allocated"], own["kind"], own["provisional"]) == (600, 400, "prorata", False)
    assert own["start"] == full["start"]
    with pytest.raises(ServiceValidationError, match="has no member zzzz; its members are: "):
        await village.act("explain_share", config_entry_id=village.entry.entry_id, member="zzzz", start=moment)
    with pytest.raises(ServiceValidationError, match="only produces"):
        await village.act("explain_share", config_entry_id=village.entry.entry_id, member="cccc", start=moment)


async def test_a_new_invitation_is_for_a_new_installation(village: Village) -> None:
    await remember(village.hass, village.ash, hour(600))
    await village.give_broker()
    code, text = await village.invite()
    with pytest.raises(ServiceValidationError, match="not far away"):
        await village.act("invite_member", config_entry_id=village.entry.entry_id, member="cccc")
    told = await village.act("invite_member", config_entry_id=village.entry.entry_id, member=code)
    assert told == {"invitation": text, "code": code, "password": decode(text).password}
    await village.join(text)
    await eventually(village.allocated, [400] * 4)
    # Another computer with the same invitation is not taken for the household's.
    (subentry,) = village.ash.get_subentries_of_type("membership")
    village.hass.config_entries.async_update_subentry(
        village.ash, subentry, data={**subentry.data, "device": "another-device"}
    )
    await village.hass.async_block_till_done()
    await eventually(lambda: {"second_device", "code_used_elsewhere"} <= village.issues())
    time.sleep(1)  # noqa: ASYNC251 - invitations are told apart by the second
    again = await village.reinvite()
    await eventually(lambda: village.membership.link.fault, "broker_refuses_member")
    result = await village.change_membership("invitation", {"invitation": again}, AGREED)
    assert result["reason"] == "reconfigure_successful"
    await remember(village.hass, village.ash, hour(300))
    await eventually(village.allocated, [300] * 4)
    await eventually(lambda: not village.issues() & {"second_device", "code_used_elsewhere"})


async def test_all_members_see_sums_behind_which_enough_of_them_stand(village: Village) -> None:
    await remember(village.hass, village.ash, hour(600))
    await village.give_broker()
    _, text = await village.invite()
    for number in range(2):
        extra = member(None, f"file{number}", joined=JOINED)
        village.hass.config_entries.async_add_subentry(village.entry, ConfigSubentry(**extra))
    await village.hass.async_block_till_done()
    village.hass.config_entries.async_update_entry(
        village.entry, options={**village.entry.options, "privacy_threshold": 3}
    )
    await village.hass.async_block_till_done()
    await village.join(text)
    organiser = village.community
    for number in range(2):
        taken = [Reading(quarter, 1) for quarter in hour(200)]
        site_ = organiser.member(f"file{number}").site
        await organiser.ledger.async_change(
            lambda shares, to=site_, these=taken: shares.take(organiser.ledger.name, to, these)
        )
    organiser.wake(0)
    await eventually(village.allocated, [240] * 4)

    def last() -> BucketTotals | None:
        totals = village.membership.totals
        found = {each.start: each for each in totals.quarters} if totals else {}
        return found.get(END - QUARTER)

    await eventually(lambda: last() and last().members, 3)
    assert (last().production, last().offtake, last().allocated, last().surplus) == (400, 1000, 400, 0)
    # Who does not want to be part of them is taken out, also of those of the last day; then too few are left.
    await village.change_membership("agree", {**AGREED, "statistics": False})
    await eventually(lambda: last() and last().members, 2)
    assert (last().production, last().offtake, last().allocated) == (400, None, None)


async def test_a_charter_can_be_written_whatever_asked_for_the_zone_first(village: Village) -> None:
    class FromConfiguration(str):
        __slots__ = ()

    ZoneInfo.clear_cache()
    ZoneInfo(FromConfiguration("Europe/Brussels"))
    await village.give_broker()
    assert type(charter_of(village.entry).zone) is str
    ZoneInfo.clear_cache()


async def test_diagnostics_tell_of_links_and_nothing_that_lets_anybody_in(village: Village) -> None:
    await async_setup_component(village.hass, "system_health", {})
    await remember(village.hass, village.ash, hour(600))
    await village.give_broker()
    code, text = await village.invite()
    await village.join(text)
    await eventually(village.allocated, [400] * 4)
    await eventually(lambda: village.membership.notes.charter and village.community.link.consent(code))
    here, there = [
        await async_get_config_entry_diagnostics(village.hass, entry) for entry in (village.ash, village.entry)
    ]
    assert here["membership"]["link"]["connected"]
    assert here["membership"]["charter"]["k"] == 5
    assert there["link"]["connected"]
    assert there["members"][1]["consent"]["readings"]
    secrets = (village.street.passwords[ORGANISER], decode(text).password, village.entry.options["signing_key"])
    told = json.dumps([here, there], default=str)
    assert not [secret for secret in (*secrets, "CERTIFICATE", "Dupont") if secret in told]
    info = await get_system_health_info(village.hass, DOMAIN)
    assert (info["brokers"], info["brokers_connected"], info["communities"]) == (2, 2, 1)
