"""Who is let in, by what, and what the broker keeps; asked of a real Mosquitto."""

import asyncio
from datetime import timedelta
import ssl

import aiomqtt
import pytest

from tools.broker import ORGANISER, add_member, remove_member, renew, renew_organiser
from tools.broker.certificates import new_authority
from tools.broker.configuration import PACKET_BYTES, PAYLOAD_BYTES

from .conftest import ANNA, BEN, PATIENCE, TREE


@pytest.mark.parametrize(
    ("user", "options"),
    [
        (ANNA, {"password": "wrong"}),
        (ANNA, {"password": ""}),
        (ANNA, {"password": None}),
        ("nobody", {"password": "wrong"}),
        ("#", {"password": "wrong"}),
        ("+", {"password": None}),
        (None, {}),
    ],
    ids=["wrong password", "empty password", "no password", "stranger", "wildcard", "wildcard 2", "anonymous"],
)
async def test_refused_without_the_right_password(community, user, options):
    assert not await community.lets_in(user, **options)
    assert await community.lets_in(ANNA)


def text(value):
    return len(value).to_bytes(2) + value.encode()


async def answer_to_login(community, tls):
    """Log in as a client of MQTT 3.1.1 does, byte by byte, for libraries wait long for an answer in clear text."""
    reader, writer = await asyncio.open_connection("127.0.0.1", community.port, ssl=tls)
    rest = text("MQTT") + b"\x04\xc2\x00\x3c" + text("id") + text(ANNA) + text(community.passwords[ANNA])
    writer.write(bytes([0x10, len(rest)]) + rest)
    try:
        async with asyncio.timeout(PATIENCE):
            return await reader.read(4)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_without_tls_there_is_no_answer(community):
    accepted = b"\x20\x02\x00\x00"
    assert not (await answer_to_login(community, None)).startswith(accepted[:1])
    assert await answer_to_login(community, community.trust()) == accepted


async def test_password_of_another_is_refused(community):
    assert not await community.lets_in(ANNA, password=community.passwords[BEN])
    assert not await community.lets_in(ORGANISER, password=community.passwords[BEN])
    assert await community.lets_in(BEN)


async def test_a_wrong_password_throws_nobody_out(community):
    async with community.ear(ORGANISER) as organiser, community.ear(ANNA) as anna:
        for user in (ORGANISER, ANNA):
            assert not await community.lets_in(user, password="wrong", identifier="the-same")  # noqa: S106 - of no use
        await anna.tell(f"members/{ANNA}/reading")
        await organiser.until(f"members/{ANNA}/reading")


async def test_client_refuses_a_server_of_another_authority(community):
    (community.folder / "other.pem").write_bytes(new_authority("elsewhere").certificate)
    other = ssl.create_default_context(cafile=community.folder / "other.pem")
    with pytest.raises(aiomqtt.MqttError, match="CERTIFICATE_VERIFY_FAILED"):
        async with community.client(ANNA, tls_context=other):
            pass
    with pytest.raises(aiomqtt.MqttError, match="CERTIFICATE_VERIFY_FAILED"):
        async with community.client(ANNA, tls_context=ssl.create_default_context()):
            pass
    assert await community.lets_in(ANNA)


async def test_client_refuses_a_server_of_another_name(community):
    renew(community.folder, host="broker.example.org")
    community.mosquitto.reload()
    with pytest.raises(aiomqtt.MqttError, match="CERTIFICATE_VERIFY_FAILED"):
        async with community.client(ANNA):
            pass
    renew(community.folder, host="127.0.0.1")
    community.mosquitto.reload()
    assert await community.lets_in(ANNA)


async def test_member_is_let_in_after_it_was_added(community):
    community.passwords["cleo"] = add_member(community.folder, "cleo")
    assert not await community.lets_in("cleo")
    community.mosquitto.reload()
    async with community.ear(ORGANISER) as organiser, community.ear("cleo") as cleo:
        await cleo.tell("members/cleo/reading")
        await organiser.until("members/cleo/reading")
        await organiser.tell("members/cleo/share")
        await cleo.until("members/cleo/share")


async def test_removed_member_is_thrown_out_and_refused(community):
    async with community.ear(ORGANISER) as organiser, community.client(BEN) as ben, community.ear(ANNA) as anna:
        remove_member(community.folder, BEN)
        community.mosquitto.reload()
        with pytest.raises(aiomqtt.MqttError):
            await anext(ben.messages)
        assert not await community.lets_in(BEN)
        # The others notice nothing.
        await anna.tell(f"members/{ANNA}/reading")
        await organiser.until(f"members/{ANNA}/reading")


async def test_old_passwords_are_refused_after_new_ones(community):
    old = dict(community.passwords)
    community.passwords[ANNA] = add_member(community.folder, ANNA)
    community.passwords[ORGANISER] = renew_organiser(community.folder)
    community.mosquitto.reload()
    for user in (ANNA, ORGANISER):
        assert not await community.lets_in(user, password=old[user])
        assert await community.lets_in(user)
    assert community.passwords[BEN] == old[BEN]
    assert await community.lets_in(BEN)


async def serial_number(community):
    _, writer = await asyncio.open_connection("127.0.0.1", community.port, ssl=community.trust())
    number = writer.get_extra_info("peercert")["serialNumber"]
    writer.close()
    return number


async def test_renewed_certificate_is_shown_after_a_reload_and_disturbs_nobody(community):
    before = await serial_number(community)
    async with community.ear(ORGANISER) as organiser, community.ear(ANNA) as anna:
        assert renew(community.folder) == "127.0.0.1"
        community.mosquitto.reload()
        assert await serial_number(community) != before
        await anna.tell(f"members/{ANNA}/reading")
        await organiser.until(f"members/{ANNA}/reading")
    assert await community.lets_in(ANNA)


async def test_tls_is_of_today(community):
    old = community.trust()
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.deprecated_call():
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    assert not await community.lets_in(ANNA, tls_context=old)
    assert await community.lets_in(ANNA)


async def test_too_large_a_message_is_dropped(community):
    async with community.ear(ORGANISER) as organiser, community.ear(ANNA) as anna:
        topic = f"members/{ANNA}/reading"
        await anna.tell(topic, bytes(PAYLOAD_BYTES))
        await organiser.until(topic, bytes(PAYLOAD_BYTES))
        await anna.tell(topic, bytes(PAYLOAD_BYTES + 1))
        await anna.tell(topic)
        await organiser.until(topic)
        assert {len(payload) for _, payload in organiser.heard} == {PAYLOAD_BYTES, len(b"end")}


async def test_much_too_large_a_message_ends_the_connection(community):
    async with community.ear(ORGANISER) as organiser:
        async with community.client(ANNA) as anna:
            anna._client.publish(f"{TREE}/members/{ANNA}/reading", bytes(PACKET_BYTES))
            with pytest.raises(aiomqtt.MqttError):
                await anext(anna.messages)
        async with community.ear(ANNA) as anna:
            await anna.tell(f"members/{ANNA}/reading")
            await organiser.until(f"members/{ANNA}/reading")
            assert organiser.heard == {(f"members/{ANNA}/reading", b"end")}


async def test_charter_and_what_waits_outlive_a_restart(community):
    session = {"identifier": "organiser", "clean_session": False}
    async with community.ear(ORGANISER, **session) as organiser:
        await organiser.tell("charter", b"the charter", retain=True)
        await organiser.tell(f"members/{ANNA}/share", b"the share", retain=True)
    async with community.client(ANNA) as anna:
        await anna.publish(f"{TREE}/members/{ANNA}/reading", b"waits", qos=1)
    community.restart()
    async with community.ear(ANNA) as anna:
        await anna.until("charter", b"the charter")
        await anna.until(f"members/{ANNA}/share", b"the share")
    async with community.client(ORGANISER, **session) as organiser:
        assert (await asyncio.wait_for(anext(organiser.messages), PATIENCE)).payload == b"waits"


async def test_what_waits_outlives_reloads(community):
    session = {"identifier": "organiser", "clean_session": False}
    async with community.ear(ORGANISER, **session):
        pass
    community.mosquitto.reload()
    async with community.client(ANNA) as anna:
        await anna.publish(f"{TREE}/members/{ANNA}/reading", b"waits", qos=1)
    community.mosquitto.reload()
    async with community.client(ORGANISER, **session) as organiser:
        assert (await asyncio.wait_for(anext(organiser.messages), PATIENCE)).payload == b"waits"


async def test_broker_starts_without_a_complaint_that_matters(community):
    assert await community.lets_in(ANNA)
    complaints = [line for line in community.mosquitto.log.splitlines() if "Warning" in line or "Error" in line]
    # That of the lines for all members, which the file explains; that of who runs these tests; and what 2.1 says of a
    # connection without TLS, such as the one that waits for its port.
    expected = ("does not contain '%c' or '%u'", "should not be run as root", "unexpected eof while reading")
    assert [line for line in complaints if not any(words in line for words in expected)] == []


async def test_server_of_an_ended_certificate_is_refused(community, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("tools.broker.certificates.SERVER_LIFETIME", -timedelta(hours=1))
        renew(community.folder)
    community.mosquitto.reload()
    assert not await community.lets_in(ANNA)
    renew(community.folder)
    community.mosquitto.reload()
    assert await community.lets_in(ANNA)
