"""Addresses of the web page: which machines can open it, and under which URL."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from harstream.mqtt.address import BrokerAddress, own_address

ANY = ("", "0.0.0.0", "::")  # noqa: S104 (it recognizes them, it does not bind)
"""Hosts that mean every interface."""
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1", "[::1]")
"""Names of this machine that a browser on it may use."""


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach `host`. The only name that counts as loopback is localhost."""
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback


def allowed_hosts(host: str) -> tuple[str, ...] | None:
    """Return the Host names that a server on `host` answers. None means all.

    A server on loopback answers only its own names. Otherwise a foreign site whose name resolves to 127.0.0.1 (DNS
    rebinding) would count as the same host.
    """
    return (*LOOPBACK_NAMES, host) if is_loopback(host) else None


def local_page_url(host: str, port: int) -> str:
    """Return the page's URL for a browser on this machine."""
    return _url("localhost" if host in ANY else host, port)


def shared_page_url(host: str, port: int, broker: BrokerAddress) -> str | None:
    """Return the page's URL for other machines, or None if they cannot open it or its address is unknown.

    For a server on every interface, it uses this machine's address on the route to the broker.
    """
    if host in ANY:
        host = own_address(broker) or "localhost"
    return None if not port or is_loopback(host) else _url(host, port)


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
