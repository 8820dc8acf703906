"""The address of an MQTT broker: where it is, how to log in, and whom TLS trusts."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from harstream.wire.did_you_mean import closest_word
from harstream.wire.errors import Misfit

DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
"""The schemes of an address, with their ports."""
OTHER_NAMES = {"tcp": "mqtt", "ssl": "mqtts", "tls": "mqtts", "mqtt+ssl": "mqtts", "http": "ws", "https": "wss"}
"""Schemes of other programs, with the one to write here."""
DEFAULT_PATH = "/mqtt"
"""The path that most brokers give to MQTT over WebSockets."""
BARE_HOST = re.compile(r"(?P<host>[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>\d{1,5}))?/?")
"""A host without scheme and login. Nothing in it can be a password."""

EXPECTED = (
    "expected a broker like mqtt://host:1883 or mqtts://user:password@host:8883, with @ : / ? # of a password "
    "as %40 %3A %2F %3F %23"
)


@dataclass(frozen=True)
class TlsSettings:
    """The files of TLS, and whether the broker's certificate is checked."""

    ca: Path | None = None
    """Certificates to trust. None means the system's certificates."""
    certificate: Path | None = None
    """The client's certificate, for brokers that ask for one."""
    key: Path | None = None
    """The key of `certificate`. None means that the file of the certificate contains it."""
    insecure: bool = False
    """Accept any certificate. Then anyone on the way can read and change the messages."""


@dataclass(frozen=True)
class BrokerAddress:
    """Where a broker is and how to log in."""

    host: str
    port: int
    tls: bool = False
    path: str | None = None
    """The path of MQTT over WebSockets; None for MQTT over TCP."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls_settings: TlsSettings = TlsSettings()
    supports_mqtt5: bool = True
    """False if the broker is known not to support MQTT 5. Trying MQTT 5 takes a moment."""

    @property
    def url(self) -> str:
        """The URL without user and password, for logs."""
        return self.url_with(tls=self.tls, path=self.path)

    def url_with(self, *, tls: bool, path: str | None) -> str:
        """Return the URL of the same host and port with another scheme, for advice."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = ("mqtt" if path is None else "ws") + ("s" if tls else "")
        return f"{scheme}://{host}:{self.port}{path or ''}"

    @staticmethod
    def parse(url: str) -> BrokerAddress:
        """Parse a URL. Raises Misfit, whose text does not repeat the URL, because it may contain a password."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            # `from None`, because urllib's message quotes a part of the URL, perhaps of the password.
            raise _unreadable(url) from None
        if parts.scheme not in DEFAULT_PORTS or not parts.netloc:
            raise _scheme_error(url, parts)
        if not re.fullmatch(r"(\[.+\]|[^:\[\]]*)(:\d*)?", parts.netloc.rpartition("@")[2]):
            raise _unreadable(url)
        has_websocket = parts.scheme in ("ws", "wss")
        has_rest = (parts.path.strip("/") and not has_websocket) or parts.query or parts.fragment
        if not host or port == 0 or has_rest:
            raise Misfit(EXPECTED, "no host, port 0, or something after the port")
        return BrokerAddress(
            host=unquote(host),  # for a zone, such as fe80::1%25eth0
            port=port or DEFAULT_PORTS[parts.scheme],
            tls=parts.scheme in ("mqtts", "wss"),
            path=(parts.path.rstrip("/") or DEFAULT_PATH) if has_websocket else None,
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


def _scheme_error(url: str, parts: SplitResult) -> Misfit:
    """Return the error for a URL without a known scheme. A bare host, such as 192.168.1.2:1883, gets its URL."""
    if bare := BARE_HOST.fullmatch(url):
        scheme = "mqtts" if bare["port"] == "8883" else "mqtt"
        port = bare["port"] or DEFAULT_PORTS[scheme]
        return Misfit(EXPECTED, "an address without mqtt:// in front", f"{scheme}://{bare['host']}:{port}")
    if "//" not in url:
        return Misfit(EXPECTED, "an address without mqtt:// in front")
    meant = OTHER_NAMES.get(parts.scheme) or closest_word(parts.scheme, DEFAULT_PORTS)
    return Misfit(EXPECTED, "another scheme or none", f"{meant}://" if meant else "")


def _unreadable(url: str) -> Misfit:
    host = url.rpartition("@")[2].rpartition("//")[2]
    if host.count(":") > 1 and "[" not in host:
        return Misfit(EXPECTED, "an IPv6 address without brackets: write mqtt://[::1]:1883")
    return Misfit(EXPECTED, "a host or port that cannot be read")


def _unquoted(text: str | None) -> str | None:
    return None if text is None else unquote(text)
