"""Makes and compares the tokens of programs. A token is random, so that a fast hash without a salt protects it."""

from __future__ import annotations

import secrets
from hashlib import sha256

from harstream.stream.config.web import HASHED_TOKEN


def new_token() -> str:
    """Return a random token of 256 bits."""
    return f"har_{secrets.token_urlsafe(32)}"


def token_hash(token: str) -> str:
    return f"sha256:{sha256(token.encode()).hexdigest()}"


def is_token(given: str, configured: str) -> bool:
    """Compare a token with the configured token or its hash, in a time that does not depend on either."""
    expected = configured if HASHED_TOKEN.fullmatch(configured) else token_hash(configured)
    return secrets.compare_digest(token_hash(given), expected)
