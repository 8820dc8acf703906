"""Hashes passwords with Argon2id.

Source: RFC 9106, section 4, the second recommended option: 64 MiB, 3 passes, 4 lanes.
"""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


def hash_password(password: str) -> str:
    return PasswordHasher().hash(password)


def is_password(password: str, password_hash: str) -> bool:
    """Return whether the hash belongs to the password. It takes about 0.1 s and the memory that the hash names."""
    try:
        return PasswordHasher().verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
