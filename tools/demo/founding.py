"""How a community is founded, given its broker, and filled with members: Home Assistant's forms, as a person does."""

from pathlib import Path
from typing import NamedTuple

from tools.broker import ORGANISER, create
from tools.broker.folder import AUTHORITY
from tools.home import Api, ConfigFlow

from .site_entities import DOMAIN

HOST = "127.0.0.1"


class Invited(NamedTuple):
    """A household that may join: its code, its password at the broker, and its invitation."""

    code: str
    password: str
    invitation: str


def found(api: Api, *, name: str, region: str, key: str, day: str, shared_price: float) -> str:
    """Found a community; return its entry."""
    flow = ConfigFlow.start(api, DOMAIN)
    flow.choose("community")
    flow.submit({"name": name, "region": region, "key": key, "valid_from": day, "shared_price": shared_price})
    return flow.entry_id


def begin_broker(api: Api, community: str) -> tuple[ConfigFlow, str]:
    """Open the form of a community's broker; return it, and the id that the community has there."""
    flow = ConfigFlow.options(api, community)
    flow.choose("broker")
    return flow, flow.step["description_placeholders"]["community"]


def make_broker(folder: Path, name: str, port: int) -> dict[str, str | int]:
    """Make the folder of a community's broker on this machine; return what its form wants to know.

    Parameters
    ----------
    folder
        Where.
    name
        The community's id.
    port
        The broker's.
    """
    password = create(folder, community=name, host=HOST, port=port, bind=HOST)
    authority = (folder / AUTHORITY).read_text(encoding="utf-8")
    return {"host": HOST, "port": port, "ca": authority, "username": ORGANISER, "password": password}


def take_in(api: Api, community: str, site: str, *, name: str, part: str, day: str) -> None:
    """Make a site of the organiser's own Home Assistant a member."""
    flow = ConfigFlow.subentry(api, community, "member")
    flow.choose("local")
    flow.submit({"site": site, "name": name, "part": part, "joined": day})


def invite(api: Api, community: str, *, name: str, part: str, day: str) -> Invited:
    """Invite a household that is far away."""
    flow = ConfigFlow.subentry(api, community, "member")
    flow.choose("remote")
    flow.submit({"name": name, "part": part, "joined": day})
    shown, text = flow.step["description_placeholders"], flow.suggestions["invitation"]
    flow.submit()
    return Invited(shown["code"], shown["password"], text)
