"""Takes the user and the browser's address from a trusted proxy."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from harstream.stream.config.web import WebProxy

PROXY_USER = "harstream.proxy_user"
"""The key of the ASGI scope that holds the proxy's user."""


class TrustedProxy:
    """ASGI middleware that believes the headers of the configured proxies, and of no others.

    It reads the proxy's user, the browser's address (X-Forwarded-For) and whether it uses HTTPS (X-Forwarded-Proto).
    """

    def __init__(self, app: ASGIApp, proxy: WebProxy) -> None:
        self._networks = [ip_network(text) for text in proxy.addresses]
        self._user_header = proxy.user_header
        self._app = app
        self._behind_proxy = ProxyHeadersMiddleware(app, list(proxy.addresses))  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or not self._is_trusted(scope):
            await self._app(scope, receive, send)
            return
        if self._user_header and (name := HTTPConnection(scope).headers.get(self._user_header)):
            scope[PROXY_USER] = name
        await self._behind_proxy(scope, receive, send)  # type: ignore[arg-type]

    def _is_trusted(self, scope: Scope) -> bool:
        try:
            peer = ip_address(scope["client"][0])
        except (ValueError, TypeError):
            return False
        return any(peer in network for network in self._networks)
