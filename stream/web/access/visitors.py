"""Finds out who sends a request: a user with a session, a program with a token, or the user of a trusted proxy."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.authentication import AuthCredentials, AuthenticationBackend, BaseUser, SimpleUser
from starlette.requests import HTTPConnection

from harstream.stream.config.web import WebConfig
from harstream.stream.web.access.proxy import PROXY_USER
from harstream.stream.web.access.sessions import Sessions
from harstream.stream.web.access.tokens import is_token

RIGHTS: Mapping[str, tuple[str, ...]] = {
    "metrics": ("metrics",),
    "viewer": ("metrics", "viewer"),
    "operator": ("metrics", "viewer", "operator"),
}
"""What each role may do: read /metrics, see the cameras, change settings."""


class Visitor(SimpleUser):
    """Someone who may open the page. The name is empty where no login is needed."""

    def __init__(self, username: str, *, has_session: bool = False) -> None:
        super().__init__(username)
        self.has_session = has_session
        """Whether the visitor logged in and can log out."""


class Visitors(AuthenticationBackend):
    """Returns rights and name of each request's sender, or None for an unknown one."""

    def __init__(self, web: WebConfig, sessions: Sessions) -> None:
        self._web = web
        self._sessions = sessions
        self._roles = {user.name: user.role for user in web.users}

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        if not self._web.needs_login:
            return _known("operator", Visitor(""))
        if (user := self._sessions.user_of(conn.session)) is not None:
            return _known(user.role, Visitor(user.name, has_session=True))
        if self._web.proxy is not None and (name := conn.scope.get(PROXY_USER)):
            return _known(self._roles.get(name, self._web.proxy.role), Visitor(name))
        return self._program(conn.headers.get("authorization", ""))

    def is_logged_in(self, conn: HTTPConnection) -> bool:
        """Return whether the session of this request still lasts."""
        return self._sessions.user_of(conn.session) is not None

    def _program(self, authorization: str) -> tuple[AuthCredentials, BaseUser] | None:
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return None
        found = [token for token in self._web.tokens if is_token(given.strip(), token.token)]
        return _known(found[0].role, Visitor(found[0].name)) if found else None


def _known(role: str, visitor: Visitor) -> tuple[AuthCredentials, BaseUser]:
    return AuthCredentials(RIGHTS[role]), visitor
