"""Asks for a new password without showing it."""

from __future__ import annotations

from getpass import getpass

from rich.console import Console

from harstream.wire.errors import ConfigError

SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 1024
"""In characters. Source: NIST SP 800-63B, section 5.1.1.2."""


def new_password(console: Console) -> str:
    """Ask twice, until both answers are equal. Raises EOFError and KeyboardInterrupt."""
    while True:
        # rich's own prompt would show what is typed before the echo is off.
        password = getpass("Password: ")
        try:
            check_password(password)
        except ConfigError as error:
            console.print(f"  {error}")
            continue
        if getpass("The same password again: ") == password:
            return password
        console.print("  the passwords differ")


def check_password(password: str) -> None:
    """Raises ConfigError for a password that is too short or too long."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise ConfigError(
            f"expected a password of {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters, got {len(password)}"
        )
