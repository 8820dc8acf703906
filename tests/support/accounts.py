"""Users and tokens of the page, with hashes that are fast to check."""

from __future__ import annotations

from argon2 import PasswordHasher

from tests.support.command import SECRET

FAST = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
PASSWORD = SECRET
PASSWORD_HASH = FAST.hash(PASSWORD)
TOKEN = "har_" + "k" * 43
USERS = (
    {"name": "anna", "password_hash": PASSWORD_HASH, "role": "operator"},
    {"name": "ben", "password_hash": PASSWORD_HASH},
)
