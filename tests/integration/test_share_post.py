"""Shares are sent in few messages, and nobody comes to believe that it holds what it missed."""

from collections.abc import AsyncIterator

from homeassistant.core import HomeAssistant
import pytest

from custom_components.energy_neighbours.core.messages import Message
from custom_components.energy_neighbours.core.quarter_hour import QUARTER
from custom_components.energy_neighbours.core.topics import Kind
from custom_components.energy_neighbours.ledger_shares import Share
from custom_components.energy_neighbours.share_post import FEW, SharePost

from .conftest import load
from .far_away import END, eventually
from .neighbours import community, member


class Told:
    """What members were told, by a broker that takes a message or does not."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, int, list[int]]] = []
        self.works = True
        self.lost = 0

    async def publish(self, _member: object, _kind: Kind, message: Message) -> bool:
        if self.works:
            starts = [(each.start - END) // QUARTER for each in message.quarters]
            self.messages.append((message.after, message.revision, starts))
        else:
            self.lost += 1
        return self.works


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def street(hass: HomeAssistant) -> AsyncIterator:
    entry = await load(hass, community([member(None, "aaaa", source="remote")]))
    return entry.runtime_data


@pytest.fixture
async def post(street, told: Told) -> AsyncIterator[SharePost]:
    made = SharePost(street, {"aaaa": street.member("aaaa")}, told.publish)
    yield made
    made.async_stop()


async def divide(street, *numbers: int) -> dict[str, list[Share]]:
    """Keep shares as a division does; return what changed."""
    site, name = street.member("aaaa").site, street.ledger.name
    shares = [Share(END + number * QUARTER, 90, 40 + number, None, 1, provisional=False) for number in numbers]
    return await street.ledger.async_change(lambda ledger: ledger.write(name, {site: shares}))


async def test_a_share_goes_on_from_the_one_before(street, post: SharePost, told: Told) -> None:
    await post.async_send_after(street.member("aaaa"), 0)
    for number in range(2):
        post.send(await divide(street, number))
        await eventually(lambda number=number: len(told.messages) == number + 1)
    assert told.messages == [(0, 1, [0]), (1, 2, [1])]


async def test_what_the_broker_did_not_take_is_noticed_as_missing(street, post: SharePost, told: Told) -> None:
    await post.async_send_after(street.member("aaaa"), 0)
    told.works = False
    post.send(await divide(street, 0))
    await eventually(lambda: told.lost)
    told.works = True
    post.send(await divide(street, 1))
    await eventually(lambda: told.messages)
    # The member holds nothing before revision 1, so it asks for what it missed.
    assert told.messages == [(1, 2, [1])]
    await post.async_send_after(street.member("aaaa"), 0)
    assert told.messages[1:] == [(0, 2, [0, 1])]


async def test_what_is_divided_piece_by_piece_goes_in_one_message(street, post: SharePost, told: Told) -> None:
    await post.async_send_after(street.member("aaaa"), 0)
    many = range(FEW + 1)
    async with street._lock:  # a division goes on
        for first in (0, 10, 20):
            post.send(await divide(street, *(first + number for number in many)))
    await eventually(lambda: told.messages)
    assert told.messages == [(0, 3, [first + number for first in (0, 10, 20) for number in many])]


async def test_where_it_is_not_known_what_a_member_holds_it_may_ask_for_more(street, post, told: Told) -> None:
    await divide(street, 0)
    post.send(await divide(street, 1))
    await eventually(lambda: told.messages)
    assert told.messages == [(1, 2, [1])]


async def test_a_member_that_holds_all_costs_no_look_into_the_ledger(street, post, told: Told, monkeypatch) -> None:
    await post.async_send_after(street.member("aaaa"), 0)
    changed = await divide(street, 0)
    post.send(changed)
    await eventually(lambda: told.messages)
    monkeypatch.setattr(street.ledger, "async_look", None)
    await post.async_send_after(street.member("aaaa"), 1)
    assert len(told.messages) == 1
