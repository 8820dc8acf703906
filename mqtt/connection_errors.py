"""Texts for failed connections: what was expected, what came, what to do."""

from __future__ import annotations

import socket
import ssl

from harstream.mqtt.address import BrokerAddress


def unreachable_text(address: BrokerAddress, got: str) -> str:
    return f"expected a broker at {address.url}, got {got}: start one; `harstream run` without mqtt.broker has its own"


def describe_error(error: OSError | UnicodeError, *, timeout: float) -> str:
    match error:
        case ConnectionRefusedError():
            return "connection refused"
        case TimeoutError():
            return f"no answer within {timeout:.0f} s"
        case socket.gaierror() | UnicodeError():
            return "an unknown host name"
        case ssl.SSLError():
            return f"no secure connection ({error.reason or error})"
        case _:
            return (error.strerror or str(error)).lower()


def login_refused_text(address: BrokerAddress) -> str:
    login = "write it as mqtt://user:password@host"
    if address.username is None:
        return f"the broker at {address.url} needs a login, got none: {login}"
    return f"the broker at {address.url} refused the login of {address.username!r}: {login}"
