"""Who may read and write what, asked of a real Mosquitto.

That something does not arrive is shown by a message that does, and that the broker handled later.
"""

import socket

import aiomqtt
import pytest

from tools.broker import ORGANISER
from tools.mosquitto import Mosquitto

from .conftest import ANNA, BEN, TREE

FROM_MEMBER = ("reading", "live", "consent", "response")
FROM_ORGANISER = ("request", "share", "share_now")
TO_ALL = ("charter", "community", "signals/s1")
PROTOCOLS = [aiomqtt.ProtocolVersion.V311, aiomqtt.ProtocolVersion.V5]


async def test_each_hears_what_is_meant_for_it(community):
    async with community.ear(ORGANISER) as organiser, community.ear(ANNA) as anna, community.ear(BEN) as ben:
        for kind in FROM_MEMBER:
            for code, member in ((ANNA, anna), (BEN, ben)):
                await member.tell(f"members/{code}/{kind}", qos=0 if kind == "live" else 1)
        for topic in (*TO_ALL, *(f"members/{code}/{kind}" for code in (ANNA, BEN) for kind in FROM_ORGANISER)):
            await organiser.tell(topic)
        for code, member in ((ANNA, anna), (BEN, ben)):
            expected = {*TO_ALL, *(f"members/{code}/{kind}" for kind in FROM_ORGANISER)}
            for topic in expected:
                await member.until(topic)
            assert {topic for topic, _ in member.heard} == expected
        expected = {*TO_ALL, *(f"members/{code}/{kind}" for code in (ANNA, BEN) for kind in FROM_MEMBER)}
        for topic in expected:
            await organiser.until(topic)
        assert {topic for topic, _ in organiser.heard} == expected


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "filters",
    [
        ["#"],
        ["+/#"],
        ["+/+/+/members/+/+"],
        [f"{TREE}/members/+/share", f"{TREE}/members/+/reading"],
        [f"{TREE}/members/{BEN}/{kind}" for kind in FROM_MEMBER + FROM_ORGANISER],
        ["$share/group/#"],
    ],
    ids=lambda filters: filters[0],
)
async def test_member_cannot_read_what_is_another_members(community, filters, protocol):
    own = f"{TREE}/members/{ANNA}/share"
    async with (
        community.ear(ORGANISER) as organiser,
        community.ear(ANNA, *filters, own, protocol=protocol) as anna,
        community.ear(BEN) as ben,
    ):
        for kind in FROM_MEMBER:
            await ben.tell(f"members/{BEN}/{kind}", b"private", qos=0 if kind == "live" else 1, retain=True)
        for kind in FROM_ORGANISER:
            await organiser.tell(f"members/{BEN}/{kind}", b"private", retain=True)
        await ben.tell(f"members/{BEN}/reading")
        await organiser.until(f"members/{BEN}/reading")
        await organiser.tell(f"members/{ANNA}/share")
        await anna.until(f"members/{ANNA}/share")
        assert anna.heard == {(f"members/{ANNA}/share", b"end")}
    # What the broker keeps it does not give her later, either.
    async with community.ear(ANNA, *filters, own, protocol=protocol) as anna, community.ear(ORGANISER) as organiser:
        await organiser.until(f"members/{BEN}/reading", b"private")
        await organiser.tell(f"members/{ANNA}/share", b"later")
        await anna.until(f"members/{ANNA}/share", b"later")
        assert anna.heard == {(f"members/{ANNA}/share", b"later")}


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_member_cannot_write_what_is_not_its_own(community, protocol):
    forbidden = [
        *(f"members/{BEN}/{kind}" for kind in FROM_MEMBER + FROM_ORGANISER),
        *(f"members/{ANNA}/{kind}" for kind in FROM_ORGANISER),
        *TO_ALL,
        f"members/{ANNA}",
        f"members/{ANNA}/reading/more",
        f"members/{ANNA}/other",
        "../../homeassistant/status",
    ]
    async with (
        community.ear(ORGANISER) as organiser,
        community.ear(ANNA, protocol=protocol) as anna,
        community.ear(BEN) as ben,
    ):
        for topic in forbidden:
            try:
                await anna.tell(topic, b"forged", retain=True)
            except aiomqtt.MqttError:
                assert protocol is aiomqtt.ProtocolVersion.V5  # which can say no
        await anna.tell(f"members/{ANNA}/reading")
        await organiser.until(f"members/{ANNA}/reading")
        await organiser.tell("community")
        for member in (anna, ben):
            await member.until("community")
            assert member.heard == {("community", b"end")}
        await organiser.until("community")
        assert organiser.heard == {("community", b"end"), (f"members/{ANNA}/reading", b"end")}
    # Nothing forged was kept for those who come later.
    async with community.ear(ORGANISER) as organiser, community.ear(BEN) as ben:
        await organiser.tell("charter")
        for ear in (organiser, ben):
            await ear.until("charter")
            assert ear.heard == {("charter", b"end")}


async def test_last_will_of_a_member_is_written_under_its_own_code_only(community):
    async with community.ear(ORGANISER) as organiser, community.ear(BEN) as ben:
        for topic, payload in (
            (f"members/{BEN}/reading", b"forged"),
            (f"members/{BEN}/share", b"forged"),
            (f"members/{ANNA}/live", b"end"),
        ):
            will = aiomqtt.Will(f"{TREE}/{topic}", payload, qos=1)
            async with community.client(ANNA, will=will) as anna:
                anna._client.socket().shutdown(socket.SHUT_RDWR)
                with pytest.raises(aiomqtt.MqttError):
                    await anext(anna.messages)
        await organiser.until(f"members/{ANNA}/live")
        assert organiser.heard == {(f"members/{ANNA}/live", b"end")}
        await organiser.tell(f"members/{BEN}/share")
        await ben.until(f"members/{BEN}/share")
        assert ben.heard == {(f"members/{BEN}/share", b"end")}


async def test_organiser_cannot_write_in_a_members_name(community):
    async with community.ear(ORGANISER) as organiser, community.ear(ANNA) as anna:
        for kind in FROM_MEMBER:
            await organiser.tell(f"members/{ANNA}/{kind}", b"forged")
        await anna.tell(f"members/{ANNA}/reading")
        await organiser.until(f"members/{ANNA}/reading")
        assert organiser.heard == {(f"members/{ANNA}/reading", b"end")}


async def test_member_cannot_read_about_the_broker_even_if_it_tells(community):
    community.stop()
    configuration = community.folder / "mosquitto.conf"
    configuration.write_text(configuration.read_text().replace("sys_interval 0", "sys_interval 1"))
    with (community.folder / "acl").open("a") as acl:
        acl.write(f"\nuser {BEN}\ntopic read $SYS/#\n")
    community.mosquitto = Mosquitto(community.folder, configured=True)
    async with (
        community.ear(ORGANISER) as organiser,
        community.ear(ANNA, "$SYS/#", "#") as anna,
        community.ear(BEN, "$SYS/#") as ben,
    ):
        await ben.until("$SYS/broker/clients/connected", b"3")
        await organiser.tell("charter")
        await anna.until("charter")
        assert anna.heard == {("charter", b"end")}


async def test_broker_tells_nothing_about_itself(community):
    with (community.folder / "acl").open("a") as acl:
        acl.write(f"\nuser {BEN}\ntopic read $SYS/#\n")
    community.mosquitto.reload()
    async with community.ear(ORGANISER) as organiser, community.ear(BEN, "$SYS/#", "#") as ben:
        await organiser.tell("charter")
        await ben.until("charter")
        assert ben.heard == {("charter", b"end")}


@pytest.mark.parametrize("clean", [True, False])
async def test_member_cannot_take_over_the_session_of_another(community, clean):
    name = {"identifier": "the-same", "clean_session": clean}
    async with community.ear(ORGANISER, **name) as organiser, community.ear(BEN) as ben:
        async with community.client(ANNA, **name) as anna:
            await ben.tell(f"members/{BEN}/reading")
            await organiser.until(f"members/{BEN}/reading")
            await anna.subscribe(f"{TREE}/members/{ANNA}/share")
            await organiser.tell(f"members/{ANNA}/share")
            message = await anext(anna.messages)
            assert str(message.topic) == f"{TREE}/members/{ANNA}/share"
        await ben.tell(f"members/{BEN}/response")
        await organiser.until(f"members/{BEN}/response")


async def test_a_code_is_connected_once(community):
    async with community.ear(ORGANISER) as organiser:
        async with community.client(ANNA, identifier="first") as first:
            async with community.ear(ANNA, identifier="second") as second:
                with pytest.raises(aiomqtt.MqttError):
                    await anext(first.messages)
                await organiser.tell(f"members/{ANNA}/share")
                await second.until(f"members/{ANNA}/share")
            with pytest.raises(aiomqtt.MqttError):
                await first.publish(f"{TREE}/members/{ANNA}/reading", b"late", qos=1)
        await organiser.tell("charter")
        await organiser.until("charter")
        assert organiser.heard == {("charter", b"end")}
