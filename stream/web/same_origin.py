"""Tells requests of this server's own page from those of other sites."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_same_host(origin: str | None, host: str | None) -> bool:
    """Compare the headers Origin and Host. Another site's page must neither see these cameras nor change them.

    A browser always names the page that sends a request; a program that is no browser sends no Origin.
    """
    if origin is None:
        return True
    try:
        return host is not None and urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:  # brackets that do not close
        return False
