"""Each message has its topic, and nobody hears more than is for it."""

from random import Random

import pytest

from custom_components.energy_neighbours.core.topics import (
    Kind,
    Topic,
    community_topic,
    is_code,
    is_community,
    member_filters,
    member_topic,
    organiser_filters,
    parse_topic,
    random_code,
    random_community,
)


def test_each_message_has_its_topic():
    assert community_topic("maple7street", Kind.CHARTER) == "energy-neighbours/v1/maple7street/charter"
    assert community_topic("maple7street", Kind.COMMUNITY) == "energy-neighbours/v1/maple7street/community"
    root = "energy-neighbours/v1/maple7street/members/k3x9"
    assert member_topic("maple7street", "k3x9", Kind.READING) == f"{root}/reading"
    assert member_topic("maple7street", "k3x9", Kind.LIVE_SHARE) == f"{root}/share_now"
    for kind in Kind:
        to_all = kind in {Kind.CHARTER, Kind.COMMUNITY}
        topic = community_topic("maple7street", kind) if to_all else member_topic("maple7street", "k3x9", kind)
        assert parse_topic(topic) == Topic("maple7street", None if to_all else "k3x9", kind)


def test_a_message_for_one_is_not_sent_to_all_nor_the_other_way_round():
    with pytest.raises(ValueError, match="not for all"):
        community_topic("maple7street", Kind.SHARE)
    with pytest.raises(ValueError, match="for all"):
        member_topic("maple7street", "k3x9", Kind.CHARTER)


@pytest.mark.parametrize("name", ["", "a", "+", "maple/x", "Maple7", "maple-7", "x" * 33, "maple7\n"])
def test_no_topic_is_made_with_what_is_no_id(name):
    with pytest.raises(ValueError, match="small letters"):
        community_topic(name, Kind.CHARTER)
    with pytest.raises(ValueError, match="small letters"):
        member_topic("maple7street", name if name != "maple7" else "#", Kind.SHARE)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "energy-neighbours/v1",
        "energy-neighbours/v1/maple7street",
        "energy-neighbours/v2/maple7street/charter",
        "energy-neighbours/v1/Maple/charter",
        "energy-neighbours/v1/maple7street/share",
        "energy-neighbours/v1/maple7street/members/k3x9",
        "energy-neighbours/v1/maple7street/members/k3x9/charter",
        "energy-neighbours/v1/maple7street/members/k3x9/response",
        "energy-neighbours/v1/maple7street/members/K3X9/share",
        "energy-neighbours/v1/maple7street/members/k3x9/share/more",
        "energy-neighbours/v1/maple7street/others/k3x9/share",
        "/energy-neighbours/v1/maple7street/charter",
    ],
)
def test_a_topic_that_is_none_of_ours(topic):
    assert parse_topic(topic) is None


def test_the_organiser_hears_what_all_members_send_and_a_member_only_what_is_for_it():
    root = "energy-neighbours/v1/maple7street"
    assert organiser_filters("maple7street") == [
        f"{root}/members/+/reading",
        f"{root}/members/+/live",
        f"{root}/members/+/consent",
    ]
    assert member_filters("maple7street", "k3x9") == [
        f"{root}/charter",
        f"{root}/community",
        f"{root}/members/k3x9/request",
        f"{root}/members/k3x9/share",
        f"{root}/members/k3x9/share_now",
    ]


def test_what_holds_until_the_next_one_is_retained_and_what_passes_is_sent_once():
    assert {kind for kind in Kind if kind.retained} == {Kind.CHARTER, Kind.COMMUNITY, Kind.SHARE, Kind.CONSENT}
    assert {kind for kind in Kind if kind.qos == 0} == {Kind.LIVE, Kind.LIVE_SHARE}


def test_random_names_can_be_read_out_without_mistakes():
    source = Random(7)  # noqa: S311 - the caller chooses the source
    codes = {random_code(source) for _ in range(1000)}
    communities = {random_community(source) for _ in range(1000)}
    assert len(codes) == len(communities) == 1000
    assert all(map(is_code, codes))
    assert all(map(is_community, communities))
    assert not set("0o1li") & set("".join(codes | communities))
