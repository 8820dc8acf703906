"""Refuses every request whose sender lacks the right for it. What is not listed here needs a login."""

from __future__ import annotations

from starlette.authentication import has_required_scope
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

OPEN = frozenset({"/login", "/healthz", "/readyz", "/live.css", "/login.css", "/icon.svg"})
"""Paths without a login. The two health endpoints show strangers no details."""
PAGES = frozenset({"/", "/teach"})
"""Paths for which a stranger's browser gets the login page."""


class Gate:
    """ASGI middleware in front of all routes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None if scope["type"] == "lifespan" else _refusal(HTTPConnection(scope))
        await (refusal or self._app)(scope, receive, send)


def _refusal(conn: HTTPConnection) -> Response | None:
    """Return the answer to a request that is not allowed, or None if it is."""
    is_http, path = conn.scope["type"] == "http", conn.scope["path"]
    right = _right(conn.scope.get("method", "GET"), path)
    if (is_http and path in OPEN) or has_required_scope(conn, [right]):
        return None
    if conn.user.is_authenticated:
        return JSONResponse({"detail": f"{conn.user.display_name} lacks the right {right!r}: see web.users"}, 403)
    if is_http and path in PAGES:
        return RedirectResponse("login", 303)
    detail = "log in on the page, or send a token: Authorization: Bearer ..."
    return JSONResponse({"detail": detail}, 401, {"WWW-Authenticate": "Bearer"})


def _right(method: str, path: str) -> str:
    if path == "/metrics":
        return "metrics"
    return "viewer" if method in ("GET", "HEAD") or path == "/logout" else "operator"
