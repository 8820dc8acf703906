"""The address of an MQTT broker."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from harstream.wire.did_you_mean import closest
from harstream.wire.errors import Misfit

SCHEMES = ("mqtt", "mqtts")


@dataclass(frozen=True)
class BrokerAddress:
    host: str
    port: int
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    """Certificates to trust for TLS; None: the system's certificates."""
    speaks_mqtt5: bool = True
    """False where it is known not to speak MQTT 5. To ask takes a moment."""

    @property
    def url(self) -> str:
        """The URL without user and password, fit for logs."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"

    @staticmethod
    def parse(url: str) -> BrokerAddress:
        """Read a URL. Raises Misfit without repeating the URL, which may hold a password."""
        expected = (
            "expected a broker like mqtt://host:1883 or mqtts://user:password@host:8883, with @ : / ? # of a password "
            "as %40 %3A %2F %3F %23"
        )
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            # `from None`: the message of urllib quotes a part of the URL, maybe of the password.
            raise Misfit(expected, _unreadable(url)) from None
        if parts.scheme not in SCHEMES:
            raise Misfit(expected, "another scheme or none", closest(parts.scheme, SCHEMES))
        if not re.fullmatch(r"(\[.+\]|[^:\[\]]*)(:\d*)?", parts.netloc.rpartition("@")[2]):
            raise Misfit(expected, _unreadable(url))
        if not host or port == 0 or parts.path.strip("/") or parts.query or parts.fragment:
            raise Misfit(expected, "no host, port 0, or something after the port")
        tls = parts.scheme == "mqtts"
        return BrokerAddress(
            host=unquote(host),  # of fe80::1%25eth0
            port=port or (8883 if tls else 1883),
            tls=tls,
            username=_unquoted(parts.username),
            password=_unquoted(parts.password),
        )


def own_address(broker: BrokerAddress) -> str | None:
    """Return this machine's address in the broker's network, where the rest of the home finds it. None: no route."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(broker.host, broker.port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as probe:
            probe.connect(address)  # chooses the route, sends nothing
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
