"""The address of an MQTT broker."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from harstream.wire.did_you_mean import closest_word
from harstream.wire.errors import Misfit

SCHEMES = ("mqtt", "mqtts")


@dataclass(frozen=True)
class BrokerAddress:
    """Where a broker is and how to log in."""

    host: str
    port: int
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    """Certificates to trust for TLS. None means the system's certificates."""
    supports_mqtt5: bool = True
    """False if the broker is known not to support MQTT 5. Trying MQTT 5 takes a moment."""

    @property
    def url(self) -> str:
        """The URL without user and password, for logs."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"

    @staticmethod
    def parse(url: str) -> BrokerAddress:
        """Parse a URL. Raises Misfit, whose text does not repeat the URL, because it may contain a password."""
        expected = (
            "expected a broker like mqtt://host:1883 or mqtts://user:password@host:8883, with @ : / ? # of a password "
            "as %40 %3A %2F %3F %23"
        )
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            # `from None`, because urllib's message quotes a part of the URL, perhaps of the password.
            raise Misfit(expected, _unreadable(url)) from None
        if parts.scheme not in SCHEMES:
            raise Misfit(expected, "another scheme or none", closest_word(parts.scheme, SCHEMES))
        if not re.fullmatch(r"(\[.+\]|[^:\[\]]*)(:\d*)?", parts.netloc.rpartition("@")[2]):
            raise Misfit(expected, _unreadable(url))
        if not host or port == 0 or parts.path.strip("/") or parts.query or parts.fragment:
            raise Misfit(expected, "no host, port 0, or something after the port")
        tls = parts.scheme == "mqtts"
        return BrokerAddress(
            host=unquote(host),  # for a zone, such as fe80::1%25eth0
            port=port or (8883 if tls else 1883),
            tls=tls,
            username=_unquoted(parts.username),
            password=_unquoted(parts.password),
        )


def own_address(broker: BrokerAddress) -> str | None:
    """Return this machine's address in the broker's network, or None if there is no route to the broker."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(broker.host, broker.port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as probe:
            probe.connect(address)  # selects the route without sending anything
            return str(probe.getsockname()[0])
    except (OSError, UnicodeError):
        return None


def _unreadable(url: str) -> str:
    host = url.rpartition("@")[2].rpartition("//")[2]
    if host.count(":") > 1 and "[" not in host:
        return "an IPv6 address without brackets: write mqtt://[::1]:1883"
    return "a host or port that cannot be read"


def _unquoted(text: str | None) -> str | None:
    return None if text is None else unquote(text)
