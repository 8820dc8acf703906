"""Distinguishes requests of this server's own page from those of other sites."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_same_host(origin: str | None, host: str | None) -> bool:
    """Return whether the headers Origin and Host match. Pages of other sites must not see or change cameras.

    A browser always sends the page's Origin. A program that is not a browser sends no Origin, which counts as a match.
    """
    if origin is None:
        return True
    try:
        return host is not None and urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:  # unbalanced brackets
        return False
