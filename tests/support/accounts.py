"""Users and tokens of the page, with hashes that are fast to check."""

from __future__ import annotations

from collections.abc import Mapping

from argon2 import PasswordHasher

from harstream.stream.web.access.sessions import COOKIE
from tests.support.command import SECRET

FAST = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
PASSWORD = SECRET
PASSWORD_HASH = FAST.hash(PASSWORD)
TOKEN = "har_" + "k" * 43
USERS = (
    {"name": "anna", "password_hash": PASSWORD_HASH, "role": "operator"},
    {"name": "ben", "password_hash": PASSWORD_HASH},
)


def session_cookie(cookies: Mapping[str, str]) -> tuple[str, str]:
    """Returns name and value of the session's cookie."""
    ((name, value),) = ((name, value) for name, value in cookies.items() if name.startswith(COOKIE))
    return name, value
