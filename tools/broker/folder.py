"""The folder of a broker, and what is done to it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
import shutil
import tempfile

from . import passwords
from .certificates import Pair, end_of, host_of, new_authority, new_server
from .configuration import ORGANISER, acl, mosquitto_conf
from .files import PUBLIC, SECRET, replace

CONFIGURATION, ACL, PASSWORDS = "mosquitto.conf", "acl", "passwords"
AUTHORITY, AUTHORITY_KEY = "ca.pem", "ca.key"
SERVER, SERVER_KEY = "server.pem", "server.key"
# Time enough for a volunteer who looks once in a season.
NOTICE = timedelta(days=120)


class BrokerError(Exception):
    """What was asked for cannot be done; the message is one sentence."""


def create(folder: Path, *, community: str, host: str, port: int = 8883, bind: str | None = None) -> str:
    """Make a folder with everything that Mosquitto needs; return the organiser's password.

    Raises
    ------
    BrokerError
        There is something at that place already.
    """
    if (folder / CONFIGURATION).exists():
        raise BrokerError(f"there is a broker in {folder} already; nothing was changed")
    if folder.exists():
        raise BrokerError(f"{folder} exists already; nothing was changed")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Made aside, so that there is never half a broker.
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        password = passwords.new_password()
        authority = new_authority(community)
        replace(new / CONFIGURATION, mosquitto_conf(community, port, bind).encode(), PUBLIC)
        replace(new / ACL, acl(community).encode(), SECRET)
        passwords.write(new / PASSWORDS, {ORGANISER: passwords.digest(password)})
        replace(new / AUTHORITY_KEY, authority.key, SECRET)
        replace(new / AUTHORITY, authority.certificate, PUBLIC)
        _write_server(new, new_server(authority, host))
        new.rename(folder)
    except BaseException:
        shutil.rmtree(new)
        raise
    return password


def add_member(folder: Path, code: str, password: str | None = None) -> str:
    """Let a member in, or give it another password; return the password.

    Parameters
    ----------
    folder
        The broker's.
    code
        The member's.
    password
        That of its invitation; without one, a new one is made.

    Raises
    ------
    BrokerError
        There is no broker in the folder, or the password is none.
    """
    return _new_password(folder, code, password)


def renew_organiser(folder: Path) -> str:
    """Give the organiser another password; return it.

    Raises
    ------
    BrokerError
        There is no broker in the folder.
    """
    return _new_password(folder, ORGANISER)


def remove_member(folder: Path, code: str) -> None:
    """Let a member in no more.

    Raises
    ------
    BrokerError
        There is no broker in the folder, or it does not know the member.
    """
    digests = _passwords(folder)
    if digests.pop(code, None) is None:
        raise BrokerError(f"the broker in {folder} knows no member {code}")
    passwords.write(folder / PASSWORDS, digests)


def renew(folder: Path, host: str | None = None) -> str:
    """Renew the server's certificate, for another host if one is given; return the host.

    Raises
    ------
    BrokerError
        There is no broker in the folder, or its certificate authority is missing or damaged.
    """
    _passwords(folder)
    if not (folder / AUTHORITY_KEY).exists():
        raise BrokerError(f"{folder / AUTHORITY_KEY} is missing; put it back for as long as this takes")
    authority = Pair((folder / AUTHORITY).read_bytes(), (folder / AUTHORITY_KEY).read_bytes())
    try:
        host = host or host_of((folder / SERVER).read_bytes())
    except ValueError, OSError:
        raise BrokerError(f"{folder / SERVER} does not tell its host any more; name it with --host") from None
    try:
        server = new_server(authority, host)
    except (ValueError, TypeError) as error:
        raise BrokerError(f"the certificate authority in {folder} cannot sign: {error}") from None
    _write_server(folder, server)
    return host


def ends(folder: Path) -> tuple[datetime, datetime]:
    """Return when the certificates of the authority and of the server end."""
    return end_of((folder / AUTHORITY).read_bytes()), end_of((folder / SERVER).read_bytes())


def ends_soon(folder: Path) -> datetime | None:
    """Return when the server's certificate ends, if it is time to renew it."""
    try:
        end = end_of((folder / SERVER).read_bytes())
    except OSError, ValueError:
        return None
    return end if end - datetime.now(UTC) < NOTICE else None


def _new_password(folder: Path, user: str, password: str | None = None) -> str:
    digests = _passwords(folder)
    if password is None:
        password = passwords.new_password()
    elif not passwords.PASSWORD.fullmatch(password):
        raise BrokerError("a password has 8 to 128 letters, digits and signs without spaces; nothing was changed")
    digests[user] = passwords.digest(password)
    passwords.write(folder / PASSWORDS, digests)
    return password


def _passwords(folder: Path) -> dict[str, str]:
    if not (folder / CONFIGURATION).is_file() or not (folder / PASSWORDS).is_file():
        raise BrokerError(f"there is no broker in {folder}")
    try:
        return passwords.read(folder / PASSWORDS)
    except ValueError:
        raise BrokerError(f"{folder / PASSWORDS} is damaged") from None


def _write_server(folder: Path, server: Pair) -> None:
    replace(folder / SERVER_KEY, server.key, SECRET)
    replace(folder / SERVER, server.certificate, PUBLIC)
