"""Addresses of the web page: which machines can open it, and under which URL."""

from __future__ import annotations

from harstream.mqtt.broker.address import BrokerAddress, own_address
from harstream.stream.config.loopback import is_loopback
from harstream.stream.config.web import WebConfig

ANY = ("", "0.0.0.0", "::")  # noqa: S104 (it recognizes them, it does not bind)
"""Hosts that mean every interface."""


def local_page_url(web: WebConfig, port: int) -> str:
    """Return the page's URL for a browser on this machine."""
    return _url("localhost" if web.host in ANY else web.host, port, web)


def shared_page_url(web: WebConfig, broker: BrokerAddress) -> str | None:
    """Return the page's URL for other machines, or None if they cannot open it or its address is unknown.

    For a server on every interface, it uses this machine's address on the route to the broker.
    """
    host = (own_address(broker) or "localhost") if web.host in ANY else web.host
    return None if not web.port or is_loopback(host) else _url(host, web.port, web)


def _url(host: str, port: int, web: WebConfig) -> str:
    scheme = "https" if web.tls else "http"
    return f"{scheme}://[{host}]:{port}/" if ":" in host else f"{scheme}://{host}:{port}/"
