"""The community's broker for the demo: amqtt, with the logins and the rules of a folder that `tools.broker` made.

A demo has to run where nothing but Python is installed. A community that people live in runs Mosquitto from such a
folder; the same TLS certificate, passwords and access control list hold here. What is retained is kept in memory.
"""

import asyncio
from base64 import b64decode
from dataclasses import dataclass
import hashlib
import hmac
import logging
from pathlib import Path
from typing import Any, Final, override

from amqtt.broker import Broker  # type: ignore[import-untyped]
from amqtt.contexts import Action  # type: ignore[import-untyped]
from amqtt.plugins.base import BaseAuthPlugin  # type: ignore[import-untyped]
from amqtt.session import Session  # type: ignore[import-untyped]

from tools.broker import passwords
from tools.broker.folder import ACL, PASSWORDS, SERVER, SERVER_KEY
from tools.simulator.broker import matches

HOST: Final = "127.0.0.1"


class AccessRules:
    """Who may write and read what, by a Mosquitto's access control list.

    Parameters
    ----------
    text
        The list: `user`, `topic` and `pattern` lines. What is not listed is forbidden.
    """

    def __init__(self, text: str) -> None:
        self._rules: list[tuple[str | None, str, str]] = []
        user = None
        for line in text.splitlines():
            match line.split():
                case ["user", name]:
                    user = name
                case ["topic", action, topic]:
                    self._rules.append((user, action, topic))
                case ["pattern", action, topic]:
                    self._rules.append((None, action, topic))
                case _:
                    pass  # remarks and empty lines

    def allow(self, user: str, action: str, topic: str) -> bool:
        """Whether a user may `read` or `write` a topic; to listen to a filter is to read whatever falls under it."""
        return any(
            whose in {None, user} and what == action and matches(topic, allowed.replace("%u", user))
            for whose, what, allowed in self._rules
        )


def is_password(kept: str, password: str) -> bool:
    """Whether a password is the one of which the password file keeps a digest."""
    _, _, rounds, salt, key = kept.split("$")
    found = hashlib.pbkdf2_hmac("sha512", password.encode(), b64decode(salt), int(rounds), len(b64decode(key)))
    return hmac.compare_digest(found, b64decode(key))


class LoginPlugin(BaseAuthPlugin):  # type: ignore[misc]
    """Lets those in who are in the password file, which may change at any time."""

    @dataclass
    class Config:
        """Where the file is."""

        file: Path

    @override
    async def authenticate(self, *, session: Session) -> bool:
        kept = passwords.read(self.config.file).get(session.username or "")
        return kept is not None and is_password(kept, session.password or "")


class _RuledBroker(Broker):  # type: ignore[misc]
    """Holds everybody to the rules, and hands what is retained to those who have subscribed to it.

    amqtt alone also hands it to whoever has just connected, if somebody else has subscribed to it. And its own way to
    ask for permission lets others subscribe meanwhile, upon which it loses the message that it was handing out.
    """

    def __init__(self, config: dict[str, Any], rules: AccessRules) -> None:
        super().__init__(config)
        self._rules = rules

    @override
    async def _topic_filtering(self, session: Session, topic: str, action: Action) -> bool:
        user = session.username
        return bool(user) and self._rules.allow(user, "write" if action is Action.PUBLISH else "read", topic)

    @override
    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        if any(subscriber is session for subscriber, _ in self.subscriptions.get(subscription[0], ())):
            await super()._publish_retained_messages_for_subscription(subscription, session)


async def serve(folder: Path, port: int) -> None:
    """Run the broker of a folder on a port of 127.0.0.1 until cancelled; tell when it listens."""
    for name in ("amqtt", "transitions"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    listener: dict[str, Any] = {"type": "tcp", "bind": f"{HOST}:{port}", "ssl": True}
    listener |= {"certfile": str(folder / SERVER), "keyfile": str(folder / SERVER_KEY)}
    broker = _RuledBroker(
        {"listeners": {"default": listener}, "plugins": {f"{__name__}.LoginPlugin": {"file": folder / PASSWORDS}}},
        AccessRules((folder / ACL).read_text(encoding="utf-8")),
    )
    await broker.start()
    print(f"ready {HOST}:{port}", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await broker.shutdown()
