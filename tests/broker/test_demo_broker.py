"""The demo's own broker holds its clients to the same logins and rules as a Mosquitto does."""

from collections.abc import Iterator
from pathlib import Path
from typing import override

import pytest

from tools.broker import ORGANISER, add_member
from tools.broker.configuration import acl
from tools.demo.neighbourhood import Broker
from tools.neighbourhood.broker import AccessRules

from .conftest import ANNA, BEN, COMMUNITY, TREE, Community


class DemoCommunity(Community):
    """The organiser, two members, and the demo's broker."""

    @override
    def start(self) -> None:
        self.broker = Broker(self.folder, self.port)
        self.broker.wait()

    @override
    def stop(self) -> None:
        self.broker.stop()


@pytest.fixture
def community(tmp_path: Path, port: int) -> Iterator[Community]:
    made = DemoCommunity(tmp_path / "broker", port)
    yield made
    made.stop()


async def test_only_members_come_in_also_those_who_were_added_since_it_started(community: Community) -> None:
    assert await community.lets_in(ANNA)
    assert not await community.lets_in(ANNA, password=community.passwords[BEN])
    assert not await community.lets_in(None)
    assert not await community.lets_in("clara1", password=community.passwords[BEN])
    password = add_member(community.folder, "clara1")
    assert await community.lets_in("clara1", password=password)


async def test_a_member_hears_what_is_for_it_and_nothing_else(community: Community) -> None:
    everything = [f"{TREE}/members/{code}/share" for code in (ANNA, BEN)]
    async with community.ear(ORGANISER, f"{TREE}/members/+/reading") as organiser:
        await organiser.tell(f"members/{BEN}/share", b"retained", retain=True)
        async with (
            community.ear(ANNA, "#", *everything) as anna,
            community.ear(BEN, *everything) as ben,
        ):
            await ben.until(f"members/{BEN}/share", b"retained")
            await organiser.tell(f"members/{BEN}/share", b"for ben")
            await organiser.tell(f"members/{ANNA}/share")
            await anna.until(f"members/{ANNA}/share")
            await ben.until(f"members/{BEN}/share", b"for ben")
            assert anna.heard == {(f"members/{ANNA}/share", b"end")}
            await ben.tell(f"members/{ANNA}/reading", b"forged")
            await ben.tell(f"members/{BEN}/reading", b"x" * 60_000)
            await organiser.until(f"members/{BEN}/reading", b"x" * 60_000)
            assert len(organiser.heard) == 1


async def test_many_messages_arrive_while_others_come_and_go(community: Community) -> None:
    async with community.ear(ORGANISER, f"{TREE}/members/+/reading") as organiser, community.ear(ANNA) as anna:
        for number in range(200):
            await anna.tell(f"members/{ANNA}/reading", str(number).encode())
            if number % 20 == 0:
                async with community.ear(BEN, f"{TREE}/members/{BEN}/share", f"{TREE}/charter"):
                    pass
        for number in range(200):
            await organiser.until(f"members/{ANNA}/reading", str(number).encode())


def test_what_is_not_listed_is_forbidden() -> None:
    rules = AccessRules(acl(COMMUNITY))
    assert rules.allow(ANNA, "write", f"{TREE}/members/{ANNA}/reading")
    assert rules.allow(ANNA, "read", f"{TREE}/charter")
    assert rules.allow(ORGANISER, "read", f"{TREE}/members/+/reading")
    for user, action, topic in (
        (ANNA, "write", f"{TREE}/charter"),
        (ANNA, "read", f"{TREE}/members/{BEN}/share"),
        (ANNA, "read", f"{TREE}/members/+/share"),
        (ANNA, "read", "#"),
        (ORGANISER, "write", f"{TREE}/members/{ANNA}/reading"),
        ("nobody", "read", f"{TREE}/members/{ANNA}/share"),
    ):
        assert not rules.allow(user, action, topic), (user, action, topic)
