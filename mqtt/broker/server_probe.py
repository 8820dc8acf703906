"""Finds out what kind of server answers at an address, to explain a failed connection to a person."""

from __future__ import annotations

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.broker.tls import client_context

TIMEOUT = 1.5
"""Longest wait for one answer, in seconds."""
# Source: MQTT 3.1.1, section 3.1. Without client id, user and password.
CONNECT = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x05\x00\x00"
CONNACK = b"\x20\x02"


class Kind(StrEnum):
    """What a server speaks, from the most to the least telling answer."""

    MQTT = "mqtt"
    WEBSOCKET = "websocket"
    HTTP = "http"
    OTHER = "other"


@dataclass(frozen=True)
class Server:
    """What answered, and whether through TLS."""

    kind: Kind
    tls: bool


def find_server(address: BrokerAddress) -> Server | None:
    """Return what answers at host and port; None if nothing does. It takes a few seconds at most."""
    with ThreadPoolExecutor() as pool:
        plain = [pool.submit(_answers, address, kind, tls=False) for kind in (Kind.MQTT, Kind.WEBSOCKET)]
        secure = [pool.submit(_answers, address, kind, tls=True) for kind in (Kind.MQTT, Kind.WEBSOCKET)]
        found = [Server(kind, tls=tls) for tls, asked in ((False, plain), (True, secure)) for one in asked
                 if (kind := one.result()) is not None]  # fmt: skip
    # A WebSocket port answers a question in MQTT as an HTTP server, so the order of the kinds decides.
    return min(found, key=lambda server: list(Kind).index(server.kind), default=None)


def find_alert(address: BrokerAddress) -> str:
    """Return OpenSSL's name of the alert with which the server ends the handshake, or "" if none.

    With TLS 1.3, a server refuses a client's certificate after the handshake. Sending would then lose the alert.
    """
    try:
        with _connected(address) as raw:
            context = client_context(address.tls_settings)
            with context.wrap_socket(raw, server_hostname=address.host) as secure:
                secure.recv(1)
    except ssl.SSLError as error:
        return error.reason or ""
    except OSError:
        return ""
    return ""


def certificate_names(address: BrokerAddress) -> list[str]:
    """Return the hosts and addresses for which the server's certificate was made. The list is empty if unknown."""
    context = client_context(address.tls_settings)
    context.check_hostname = False
    try:
        with _connected(address) as raw, context.wrap_socket(raw, server_hostname=address.host) as secure:
            certificate = secure.getpeercert() or {}
    except OSError:
        return []
    names = certificate.get("subjectAltName", ())
    return [str(pair[1]) for pair in names if isinstance(pair, tuple) and pair[0] in ("DNS", "IP Address")]


def _answers(address: BrokerAddress, kind: Kind, *, tls: bool) -> Kind | None:
    """Ask in MQTT or HTTP. Return what answers; OTHER for TLS whose server answers neither; None for nothing."""
    try:
        with _connected(address) as raw:
            if not tls:
                return _kind_of(_ask(raw, address, kind))
            with _unchecked_context().wrap_socket(raw, server_hostname=address.host) as secure:
                return _asked_securely(secure, address, kind)
    except OSError:
        return None


def _asked_securely(secure: ssl.SSLSocket, address: BrokerAddress, kind: Kind) -> Kind:
    try:
        return _kind_of(_ask(secure, address, kind)) or Kind.OTHER
    except OSError:
        return Kind.OTHER


def _ask(server: socket.socket, address: BrokerAddress, kind: Kind) -> bytes:
    upgrade = (
        f"GET {address.path or '/mqtt'} HTTP/1.1\r\nHost: {address.host}:{address.port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: aGFyc3RyZWFtLXByb2JlIQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: mqtt\r\n\r\n"
    )
    server.sendall(CONNECT if kind is Kind.MQTT else upgrade.encode())
    return server.recv(64)


def _kind_of(answer: bytes) -> Kind | None:
    if answer.startswith(CONNACK):
        return Kind.MQTT
    if answer.startswith(b"HTTP/1.1 101"):
        return Kind.WEBSOCKET
    return Kind.HTTP if answer.startswith(b"HTTP/") else None


def _connected(address: BrokerAddress) -> socket.socket:
    return socket.create_connection((address.host, address.port), TIMEOUT)


def _unchecked_context() -> ssl.SSLContext:
    """Return a context that accepts any certificate. The probe sends nothing secret."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
