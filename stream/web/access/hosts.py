"""Refuses requests for foreign host names and from pages of other sites.

A foreign site can give its own name this machine's address (DNS rebinding). Its page would then count as the page of
this server. An IP address as the host cannot be rebound.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Collection
from ipaddress import ip_address

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from harstream.stream.config.loopback import is_loopback
from harstream.stream.config.web import WebConfig
from harstream.stream.web.access.same_origin import is_same_host

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
"""Names of this machine that a browser on it may use."""
HOME_DOMAINS = ("", ".local", ".lan", ".home.arpa", ".fritz.box")
"""What routers of homes add to the name of a machine. Foreign sites cannot have names in these domains."""
HOST_HEADER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(:\d{1,5})?")


def host_names(web: WebConfig) -> frozenset[str]:
    """Return the names under which browsers may open the page, in lower case."""
    machine = socket.gethostname().lower()
    own = () if is_loopback(web.host) else (machine + domain for domain in HOME_DOMAINS)
    return frozenset({*LOOPBACK_NAMES, web.host.lower().strip("[]"), *own, *(name.lower() for name in web.hosts)})


class HostCheck:
    """ASGI middleware that answers 400 to a foreign Host and 403 to a foreign Origin, also for a WebSocket."""

    def __init__(self, app: ASGIApp, names: Collection[str], *, answers_addresses: bool) -> None:
        """`answers_addresses`: whether every IP address counts as a name."""
        self._app = app
        self._names = names
        self._answers_addresses = answers_addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = HTTPConnection(scope).headers
        host = headers.get("host", "")
        if not self._is_own(host):
            detail = f"{host[:100]!r} is not a name of this page: add the name to web.hosts in config.yaml"
            await JSONResponse({"detail": detail}, 400)(scope, receive, send)
        elif not is_same_host(headers.get("origin"), host):
            await JSONResponse({"detail": "the request comes from a page of another site"}, 403)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_own(self, host: str) -> bool:
        parts = HOST_HEADER.fullmatch(host)
        if parts is None:
            return False
        name = parts[1].lower().strip("[]").rstrip(".")
        return name in self._names or (self._answers_addresses and _is_address(name))


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
