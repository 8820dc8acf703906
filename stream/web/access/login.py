"""The login page: a plain HTML form that needs no JavaScript."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from html import escape
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from harstream.stream.config.web import WebConfig, WebUser
from harstream.stream.web.access.login_limit import LoginLimit
from harstream.stream.web.access.passwords import is_password
from harstream.stream.web.access.sessions import Sessions
from harstream.stream.web.http_errors import MAX_BODY
from harstream.stream.web.page_files import login_html

MESSAGE = "<!-- message -->"
"""The place in the page for one line to the user."""
AGAIN = '<!doctype html><meta http-equiv="refresh" content="0; url=./"><title>harstream</title>'
"""A page that opens the first page. A browser leaves a SameSite=Strict cookie out when it follows another site's link,
but sends it when this page opens the first one."""

WRONG = "Wrong user name or password."
TOO_MANY = "Too many attempts. Please wait a minute and try again."
NOT_KEPT = "This browser does not keep the login here. Open the page in its own tab instead of inside another page."

log = logging.getLogger(__name__)


def login_routes(web: WebConfig, sessions: Sessions, limit: LoginLimit) -> Sequence[Route]:
    endpoints = _Endpoints(web, sessions, limit)
    return (
        Route("/login", endpoints.show),
        Route("/login", endpoints.log_in, methods=["POST"], max_body_size=MAX_BODY),
        Route("/logout", endpoints.log_out, methods=["POST"], max_body_size=MAX_BODY),
    )


class _Endpoints:
    def __init__(self, web: WebConfig, sessions: Sessions, limit: LoginLimit) -> None:
        self._users = web.users
        self._sessions = sessions
        self._limit = limit
        self._checking = asyncio.Lock()

    def show(self, request: Request) -> Response:
        if request.user.is_authenticated:
            return RedirectResponse("./", 303)
        if "done" in request.query_params:
            return _page(NOT_KEPT)
        if request.headers.get("sec-fetch-site") == "cross-site":
            return HTMLResponse(AGAIN)
        return _page()

    async def log_in(self, request: Request) -> Response:
        address = request.client.host if request.client else "an unknown address"
        if not self._limit.allows(address):
            return _page(TOO_MANY, 429, {"Retry-After": "60"})
        name, password = await _form(request)
        async with self._checking:  # one at a time: each check takes memory and a core
            user = await run_in_threadpool(_user, self._users, name, password)
        if user is None:
            log.warning("login from %s refused: wrong user name or password", address)
            return _page(WRONG, 401)
        self._sessions.start(request.session, user)
        log.info("%s logged in from %s", user.name, address)
        return RedirectResponse("login?done", 303)

    async def log_out(self, request: Request) -> Response:
        self._sessions.end(request.session)
        return RedirectResponse("login", 303)


def _user(users: Sequence[WebUser], name: str, password: str) -> WebUser | None:
    """Return the user with this name and password. An unknown name takes as long as a wrong password."""
    found = next((user for user in users if user.name == name), None)
    checked = found or (users[0] if users else None)
    is_right = checked is not None and is_password(password, checked.password_hash)
    return found if is_right else None


async def _form(request: Request) -> tuple[str, str]:
    """Return the form's name and password. Raises HTTPException."""
    try:
        fields = parse_qs((await request.body()).decode(), strict_parsing=True, max_num_fields=4)
        return fields["name"][0], fields["password"][0]
    except ClientDisconnect as error:
        raise HTTPException(400, "the client disconnected") from error
    except (ValueError, KeyError):  # an empty field is left out
        return "", ""


def _page(message: str = "", code: int = 200, headers: dict[str, str] | None = None) -> Response:
    line = f'<p class="message" id="message" role="alert">{escape(message)}</p>' if message else ""
    return HTMLResponse(login_html().replace(MESSAGE, line), code, headers)
