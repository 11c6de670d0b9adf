"""Mosquitto's password file: a user and a PBKDF2 digest a line."""

from base64 import b64encode
import hashlib
import os
from pathlib import Path
import re
import secrets

from .files import SECRET, replace

# Without letters and digits that are taken for each other when somebody reads them out.
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
LENGTH = 24
PASSWORD = re.compile("[!-~]{8,128}")
"""What can stand in an invitation."""
# Mosquitto 2.0 accepts no other length.
SALT_BYTES = 12
DIGEST_BYTES = 64
# A password of 120 random bits needs no slow digest, and a broker with one thread does this at each connection.
ROUNDS = 1000


def new_password() -> str:
    """Return a random password that can be typed and read out."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def digest(password: str) -> str:
    """Return what Mosquitto keeps of a password: its format 7, PBKDF2 with SHA-512."""
    salt = os.urandom(SALT_BYTES)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS, DIGEST_BYTES)
    return f"$7${ROUNDS}${b64encode(salt).decode()}${b64encode(key).decode()}"


def read(path: Path) -> dict[str, str]:
    """Return the digests of all users.

    Raises
    ------
    ValueError
        This is not a password file.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split(":", 1) for line in lines)


def write(path: Path, digests: dict[str, str]) -> None:
    """Replace the file."""
    text = "".join(f"{user}:{kept}\n" for user, kept in sorted(digests.items()))
    replace(path, text.encode(), SECRET)
