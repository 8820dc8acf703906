"""From which pages a browser may ask: those of this server."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_same_host(origin: str | None, host: str | None) -> bool:
    """A browser names the page that asks; another site's page must neither see these cameras nor change them. What is
    no browser names none."""
    if origin is None:
        return True
    try:
        return host is not None and urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:  # brackets that do not close
        return False
