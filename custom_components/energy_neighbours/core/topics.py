"""Where on the broker a community's messages go: one topic for each kind, and the names that may stand in it.

Topic names live only here.
"""

from enum import StrEnum
from random import Random
import re
from typing import Final, NamedTuple

ROOT: Final = "energy-neighbours/v1"
_MEMBERS: Final = "members"

COMMUNITY_PATTERN: Final = "[a-z0-9]{6,32}"
CODE_PATTERN: Final = "[a-z0-9]{4,16}"
"""Such a text is safe in a topic, in a filter and as a user name."""

_COMMUNITY: Final = re.compile(COMMUNITY_PATTERN)
_CODE: Final = re.compile(CODE_PATTERN)

# Nobody has to guess whether a letter or a digit is meant: no 0 and o, no 1, i and l.
_ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
_COMMUNITY_LENGTH: Final = 12
_CODE_LENGTH: Final = 8


class Kind(StrEnum):
    """The kinds of messages, by the last part of their topic."""

    CHARTER = "charter"
    COMMUNITY = "community"
    READING = "reading"
    LIVE = "live"
    CONSENT = "consent"
    REQUEST = "request"
    SHARE = "share"
    LIVE_SHARE = "share_now"

    @property
    def retained(self) -> bool:
        """Whether the broker keeps the latest one for whoever connects later."""
        return self in _RETAINED

    @property
    def qos(self) -> int:
        """How surely it is delivered: 1 until it was confirmed, 0 once, for the next one replaces it."""
        return 0 if self in {Kind.LIVE, Kind.LIVE_SHARE} else 1


_RETAINED: Final = frozenset({Kind.CHARTER, Kind.COMMUNITY, Kind.SHARE, Kind.CONSENT})
_TO_ALL: Final = (Kind.CHARTER, Kind.COMMUNITY)
_TO_MEMBER: Final = (Kind.REQUEST, Kind.SHARE, Kind.LIVE_SHARE)
_TO_ORGANISER: Final = (Kind.READING, Kind.LIVE, Kind.CONSENT)


class Topic(NamedTuple):
    """A topic, understood.

    Parameters
    ----------
    community
        Id of the community.
    code
        The member that sends or receives it; None where it is for all.
    kind
        What it carries.
    """

    community: str
    code: str | None
    kind: Kind


def is_community(text: str) -> bool:
    """Whether a text can be the id of a community."""
    return _COMMUNITY.fullmatch(text) is not None


def is_code(text: str) -> bool:
    """Whether a text can be a member code."""
    return _CODE.fullmatch(text) is not None


def community_topic(community: str, kind: Kind) -> str:
    """Return the topic of what the organiser tells all members.

    Raises
    ------
    ValueError
        When the id is none, or this kind goes to or comes from one member.
    """
    if kind not in _TO_ALL:
        raise ValueError(f"a {kind} message is not for all members")
    return f"{_community(community)}/{kind}"


def member_topic(community: str, code: str, kind: Kind) -> str:
    """Return the topic of what one member sends or receives.

    Raises
    ------
    ValueError
        When the id or the code is none, or this kind goes to all.
    """
    if kind in _TO_ALL:
        raise ValueError(f"a {kind} message is for all members")
    return f"{_member(community, code)}/{kind}"


def organiser_filters(community: str) -> list[str]:
    """Return what the organiser subscribes to: what any member sends."""
    return [f"{_community(community)}/{_MEMBERS}/+/{kind}" for kind in _TO_ORGANISER]


def member_filters(community: str, code: str) -> list[str]:
    """Return what a member subscribes to: what is for all, and what is for it alone."""
    to_all = [f"{_community(community)}/{kind}" for kind in _TO_ALL]
    return to_all + [f"{_member(community, code)}/{kind}" for kind in _TO_MEMBER]


def parse_topic(topic: str) -> Topic | None:
    """Return what a topic tells; None if it is none of ours, or of a newer version."""
    if not topic.startswith(f"{ROOT}/"):
        return None
    match topic.removeprefix(f"{ROOT}/").split("/"):
        case [community, kind] if is_community(community) and kind in _TO_ALL:
            return Topic(community, None, Kind(kind))
        case [community, "members", code, kind] if is_community(community) and is_code(code):
            return Topic(community, code, Kind(kind)) if kind in (*_TO_MEMBER, *_TO_ORGANISER) else None
        case _:
            return None


def random_community(source: Random) -> str:
    """Make the id of a new community."""
    return "".join(source.choices(_ALPHABET, k=_COMMUNITY_LENGTH))


def random_code(source: Random) -> str:
    """Make a member code; it can be read out and typed without mistaking one sign for another."""
    return "".join(source.choices(_ALPHABET, k=_CODE_LENGTH))


def _community(community: str) -> str:
    if not is_community(community):
        raise ValueError("the id of a community is 6 to 32 small letters and digits")
    return f"{ROOT}/{community}"


def _member(community: str, code: str) -> str:
    if not is_code(code):
        raise ValueError("a member code is 4 to 16 small letters and digits")
    return f"{_community(community)}/{_MEMBERS}/{code}"
