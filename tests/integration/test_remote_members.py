"""Members that are far away send readings over a real broker and get their shares, whatever fails in between."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
import ssl

import aiomqtt
from homeassistant.core import HomeAssistant
import pytest

from custom_components.energy_neighbours import link
from custom_components.energy_neighbours.brokers import write_broker
from custom_components.energy_neighbours.community import BATCH
from custom_components.energy_neighbours.community_ledger import async_open_community_ledger
from custom_components.energy_neighbours.community_link import CommunityLink
from custom_components.energy_neighbours.core.messages import MAX_QUARTERS
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, QuarterHour, Span
from custom_components.energy_neighbours.core.signing import generate_key, public_key_of
from custom_components.energy_neighbours.ledger_shares import Share
from custom_components.energy_neighbours.link import Broker
from custom_components.energy_neighbours.membership import Membership
from custom_components.energy_neighbours.memberships import MembershipTerms
from tools.broker import ORGANISER, create
from tools.mosquitto import free_port

from .conftest import load
from .contracted import remember
from .far_away import END, STREET, Street, eventually, hour
from .neighbours import community, measured, member, site

PUBLIC_KEY = public_key_of(generate_key())
BEGIN = datetime.fromtimestamp(END - 13 * 86_400, UTC).date()
"""The first day of a membership: everything that is tested lies after it."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "FIRST_WAIT", 0.2)


@pytest.fixture
def street(tmp_path: Path):
    made = Street(tmp_path / "broker")
    for code in ("aaaa", "bbbb"):
        made.broker(code)
    made.start()
    yield made
    made.stop()


class Neighbours:
    """An organiser with a roof of its own, and remote members, all in one Home Assistant."""

    def __init__(self, hass: HomeAssistant, street: Street) -> None:
        self.hass = hass
        self.street = street

    async def begin(self) -> None:
        hass = self.hass
        self.roof, self.ash, self.elm = site("Roof"), site("Ash"), site("Elm")
        for each in (self.roof, self.ash, self.elm):
            await measured(hass, each.title)
            await load(hass, each)
        joined = "2026-01-01"
        members = [
            member(self.roof, "cccc", part="producer", joined=joined),
            member(None, "aaaa", source="remote", joined=joined),
            member(None, "bbbb", source="remote", joined=joined),
        ]
        self.entry = await load(hass, community(members, ("2026-01-01", {"kind": "prorata"})))
        await remember(hass, self.roof, hour(0, 400))
        self.organiser = await self.organise()
        self.members: dict[str, Membership] = {}

    async def organise(self) -> CommunityLink:
        made = CommunityLink(self.hass, self.entry.runtime_data, STREET, self.street.broker(ORGANISER))
        await made.async_start(self.entry)
        return made

    async def join(self, code: str, entry) -> Membership:
        ledger = await async_open_community_ledger(self.hass, f"membership-{code}")
        terms = MembershipTerms(
            name=ledger.name,
            community=STREET,
            title="Street",
            code=code,
            device=f"device-of-{code}",
            public_key=PUBLIC_KEY,
            since=BEGIN,
            readings=True,
            live=False,
            statistics=True,
            broker=write_broker(self.street.broker(code)),
        )
        made = Membership(self.hass, entry.entry_id, ledger, terms, lambda: (0, None))
        await made.async_load()
        await made.async_start(entry)
        self.members[code] = made
        return made

    async def end(self) -> None:
        for each in self.members.values():
            await each.async_stop()
            await each._ledger.async_close()
        await self.organiser.async_stop()

    async def shares(self, code: str, entry) -> list[int | None]:
        ledger = self.members[code]._ledger
        span = Span(END - 4 * QUARTER, END)
        found = await ledger.async_look(lambda shares: shares.shares(ledger.name, entry.entry_id, span))
        return [share.allocated for share in found]

    async def until(self, code: str, entry, allocated: list[int]) -> None:
        await eventually(lambda: self.shares(code, entry), allocated)


@pytest.fixture
async def neighbours(hass: HomeAssistant, street: Street) -> AsyncIterator[Neighbours]:
    made = Neighbours(hass, street)
    await made.begin()
    yield made
    await made.end()


async def test_readings_go_out_and_shares_come_back(neighbours: Neighbours) -> None:
    await remember(neighbours.hass, neighbours.ash, hour(600))
    await remember(neighbours.hass, neighbours.elm, hour(200))
    await neighbours.join("aaaa", neighbours.ash)
    await neighbours.join("bbbb", neighbours.elm)
    await neighbours.until("aaaa", neighbours.ash, [300] * 4)
    await neighbours.until("bbbb", neighbours.elm, [100] * 4)


async def test_a_correction_gives_everybody_a_new_revision(neighbours: Neighbours) -> None:
    await remember(neighbours.hass, neighbours.ash, hour(600))
    await remember(neighbours.hass, neighbours.elm, hour(200))
    await neighbours.join("aaaa", neighbours.ash)
    await neighbours.join("bbbb", neighbours.elm)
    await neighbours.until("aaaa", neighbours.ash, [300] * 4)
    await remember(neighbours.hass, neighbours.elm, hour(600))
    await neighbours.until("aaaa", neighbours.ash, [200] * 4)
    await neighbours.until("bbbb", neighbours.elm, [200] * 4)


async def test_a_broker_that_was_away_loses_nothing(neighbours: Neighbours, street: Street) -> None:
    await neighbours.join("aaaa", neighbours.ash)
    await neighbours.join("bbbb", neighbours.elm)
    await eventually(lambda: neighbours.members["aaaa"].link.connected and neighbours.organiser.link.connected)
    street.stop()
    await eventually(lambda: not neighbours.members["aaaa"].link.connected)
    await remember(neighbours.hass, neighbours.ash, hour(600))
    await remember(neighbours.hass, neighbours.elm, hour(200))
    street.start()
    await neighbours.until("aaaa", neighbours.ash, [300] * 4)
    await neighbours.until("bbbb", neighbours.elm, [100] * 4)


async def test_an_organiser_that_was_away_gets_what_was_sent_meanwhile_again(neighbours: Neighbours) -> None:
    await neighbours.organiser.async_stop()
    ash = await neighbours.join("aaaa", neighbours.ash)
    await neighbours.join("bbbb", neighbours.elm)
    await remember(neighbours.hass, neighbours.ash, hour(600))
    await remember(neighbours.hass, neighbours.elm, hour(200))
    await eventually(lambda: ash.last_sent is not None and len(ash.last_sent.quarters) == 4)
    neighbours.organiser = await neighbours.organise()
    await neighbours.until("aaaa", neighbours.ash, [300] * 4)
    await neighbours.until("bbbb", neighbours.elm, [100] * 4)


async def test_a_member_that_was_away_gets_the_shares_that_it_missed(neighbours: Neighbours) -> None:
    await remember(neighbours.hass, neighbours.ash, hour(600))
    await remember(neighbours.hass, neighbours.elm, hour(200))
    ash = await neighbours.join("aaaa", neighbours.ash)
    await neighbours.join("bbbb", neighbours.elm)
    await neighbours.until("aaaa", neighbours.ash, [300] * 4)
    await ash.async_stop()
    for offtake, expected in ((600, 200), (1000, 150)):
        await remember(neighbours.hass, neighbours.elm, hour(offtake))
        await neighbours.until("bbbb", neighbours.elm, [400 - expected] * 4)
    assert await neighbours.shares("aaaa", neighbours.ash) == [300] * 4
    await ash.async_start(neighbours.ash)
    await neighbours.until("aaaa", neighbours.ash, [150] * 4)


async def test_an_organiser_that_was_restored_from_a_backup_is_believed_again(neighbours: Neighbours) -> None:
    await remember(neighbours.hass, neighbours.ash, hour(600))
    await remember(neighbours.hass, neighbours.elm, hour(200))
    ash = await neighbours.join("aaaa", neighbours.ash)
    await neighbours.until("aaaa", neighbours.ash, [400] * 4)
    await ash.async_stop()
    # Of what the organiser told after its backup it knows nothing any more.
    lost = [
        Share(END - (4 - number) * QUARTER, 100, 100, None, 1, provisional=False, revision=500) for number in range(4)
    ]
    name, site_ = ash._ledger.name, neighbours.ash.entry_id
    await ash._ledger.async_change(lambda shares: shares.accept(name, site_, lost, 500))
    assert await neighbours.shares("aaaa", neighbours.ash) == [100] * 4
    back = await neighbours.join("aaaa", neighbours.ash)
    assert back._seen == 500
    await neighbours.until("aaaa", neighbours.ash, [400] * 4)
    # Elm's readings come from its own ledger, and what is divided from now on is believed, too.
    await neighbours.join("bbbb", neighbours.elm)
    await neighbours.until("aaaa", neighbours.ash, [300] * 4)
    await neighbours.until("bbbb", neighbours.elm, [100] * 4)


def test_the_shares_of_one_division_fit_into_one_message() -> None:
    # They have one revision: a member that heard the second half only would believe that it holds all of it.
    assert BATCH <= MAX_QUARTERS


async def test_a_long_past_goes_in_pieces(neighbours: Neighbours) -> None:
    past = [QuarterHour(END - number * QUARTER, 100, 0, None) for number in range(1, 1201)]
    await neighbours.join("aaaa", neighbours.ash)
    await remember(neighbours.hass, neighbours.ash, sorted(past, key=lambda quarter: quarter.start))
    organiser = neighbours.entry.runtime_data
    here = organiser.member("aaaa").site

    async def arrived() -> int:
        return len(await organiser.ledger.async_look(lambda shares: shares.known_starts(here, Span(0, END))))

    await eventually(arrived, 1200)


async def test_what_cannot_be_is_refused_told_and_not_sent_again(neighbours: Neighbours) -> None:
    absurd = QuarterHour(END - QUARTER, 50_000, 0, None)
    early = QuarterHour(END - 39 * QUARTER, 100, 0, None)
    await neighbours.entry.runtime_data.ledger.async_change(
        lambda shares: shares.close_until(neighbours.entry.entry_id, END - 30 * QUARTER)
    )
    ash = await neighbours.join("aaaa", neighbours.ash)
    await remember(neighbours.hass, neighbours.ash, [early, *hour(600)[:3], absurd])
    await eventually(lambda: set(neighbours.organiser.refused) == {"absurd", "closed"})
    name, site_ = ash._ledger.name, neighbours.ash.entry_id
    await eventually(
        lambda: ash._ledger.async_look(lambda shares: shares.count_refused(name, site_)), {"absurd": 1, "closed": 1}
    )
    assert not await ash._ledger.async_look(lambda shares: shares.unacknowledged(name, site_, Span(0, END), 9))


async def test_a_second_device_that_uses_a_code_is_not_taken(neighbours: Neighbours) -> None:
    ash = await neighbours.join("aaaa", neighbours.ash)
    await remember(neighbours.hass, neighbours.ash, hour(600)[:1])
    await eventually(lambda: neighbours.organiser._states["aaaa"].get("device") == "device-of-aaaa")
    await ash.async_stop()
    ash.terms = ash.terms._replace(device="another-device")
    await ash.async_start(neighbours.ash)
    await eventually(lambda: ash.other_device)
    assert neighbours.organiser.other_devices == {"aaaa": "another-device"}
    assert neighbours.organiser.refused["other_device"] >= 1


async def test_garbage_and_strangers_are_counted_and_harm_nobody(neighbours: Neighbours, street: Street) -> None:
    for user, payload, reason in (
        ("aaaa", b"\xff\x00", "not_json"),
        ("aaaa", b"{}", "missing_field"),
        ("aaaa", b'{"v":2,"issued_at":1}', "unknown_version"),
        ("zzzz", b"{}", "unknown_member"),
    ):
        broker = street.broker(user)
        street.mosquitto.reload()
        context = ssl.create_default_context(cafile=street.folder / "ca.pem")
        async with aiomqtt.Client(
            broker.host, broker.port, username=user, password=broker.password, tls_context=context
        ) as stranger:
            await eventually(lambda: neighbours.organiser.link.connected)
            await stranger.publish(f"energy-neighbours/v1/{STREET}/members/{user}/reading", payload, qos=1)
        await eventually(lambda reason=reason: neighbours.organiser.refused[reason] == 1)


async def test_a_wrong_password_and_a_wrong_certificate_are_told_apart(hass, street: Street, neighbours) -> None:
    right = street.broker("bbbb")

    async def fault(broker: Broker) -> str:
        made = link.Link(hass, broker, [], lambda *_: None, lambda: asyncio.sleep(0))
        made.async_start(neighbours.entry)
        await eventually(lambda: made.fault)
        await made.async_stop()
        return made.fault

    assert await fault(replace(right, password="wrong-one")) == "broker_refuses_member"  # noqa: S106 - it is meant to be
    other = create(street.folder.parent / "other", community=STREET, host="127.0.0.1", bind="127.0.0.1")
    assert other
    foreign = ssl.PEM_cert_to_DER_cert((street.folder.parent / "other" / "ca.pem").read_text())
    assert await fault(replace(right, ca=foreign)) == "broker_certificate"
    assert await fault(replace(right, port=free_port())) == "broker_unreachable"
    assert right.password not in repr(right)
