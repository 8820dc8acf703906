"""The sessions of users who logged in.

A session is a signed cookie. The key and the ids of sessions that were logged out are in a file, so that sessions
survive a restart and logged-out ones stay ended.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Callable, MutableMapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from starlette.middleware.sessions import SessionMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from harstream.resilience.failing_disk import is_failing_disk
from harstream.resilience.whole_file import write_whole
from harstream.stream.config.web import WebUser
from harstream.wire.errors import FailingDisk, SinkError

FILE = "web-sessions.json"
COOKIE = "harstream_"
"""The begin of the cookie's name. Services on one machine share their cookies, so that each needs a name of its own."""
MAX_AGE = 30 * 86400
"""Seconds from the login to the end of a session."""
SESSION_BYTES = 24
"""Random bytes of a session's id and of the key."""

log = logging.getLogger(__name__)
Session = MutableMapping[str, Any]


class Sessions:
    """Starts, checks and ends sessions. It runs on the server's event loop."""

    def __init__(
        self, users: Sequence[WebUser], file: Path | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        """`file` keeps the key; None: all sessions end with the process. `clock` returns seconds since the epoch."""
        self._users = {user.name: user for user in users}
        self._file = file
        self._clock = clock
        self._key = secrets.token_urlsafe(SESSION_BYTES)
        self._ended: dict[str, float] = {}

    def load(self) -> None:
        """Read the key and the ended sessions, or write a new key. Raises SinkError if the file may not be written."""
        if self._file is None:
            return
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            self._key, self._ended = str(kept["key"]), {str(id): float(at) for id, at in kept["ended"].items()}
            return
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s cannot be read (%s), so all users must log in again", self._file, type(error).__name__)
        try:
            self._save()
        except FailingDisk as error:
            log.warning("%s: after a restart, all users must log in again", error)

    def middleware(self, app: ASGIApp) -> ASGIApp:
        """Return an application that reads and writes the cookie."""
        return _CookieByScheme(app, self._key)

    def start(self, session: Session, user: WebUser) -> None:
        session.clear()
        session.update(
            id=secrets.token_urlsafe(SESSION_BYTES), user=user.name, at=self._clock(), password=_fingerprint(user)
        )

    def user_of(self, session: Session) -> WebUser | None:
        """Return the session's user. None if it ended, or if the user or the password was changed since."""
        user = self._users.get(session.get("user", ""))
        if user is None or session["id"] in self._ended or self._clock() > session["at"] + MAX_AGE:
            return None
        return user if secrets.compare_digest(session["password"], _fingerprint(user)) else None

    def end(self, session: Session) -> None:
        """Log out. The cookie is no longer valid, wherever it is kept."""
        if "id" in session:
            now = self._clock()
            self._ended = {id: until for id, until in self._ended.items() if until > now}
            self._ended[session["id"]] = session["at"] + MAX_AGE
            session.clear()
            try:
                self._save()
            except SinkError as error:
                log.warning("%s: after a restart, the session that has just ended is valid again", error)

    def _save(self) -> None:
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._file, json.dumps({"key": self._key, "ended": self._ended}), mode=0o600)
        except OSError as error:
            kind = FailingDisk if is_failing_disk(error) else SinkError
            raise kind(f"cannot write the sessions of the page to {self._file}: {error.strerror}") from error


class _CookieByScheme:
    """Marks the cookie as Secure where the browser uses HTTPS."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        name = COOKIE + _digest(key)[:8]
        self._plain = SessionMiddleware(app, key, name, MAX_AGE, same_site="strict")
        self._secure = SessionMiddleware(app, key, name, MAX_AGE, same_site="strict", https_only=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_secure = scope.get("scheme") in ("https", "wss")
        await (self._secure if is_secure else self._plain)(scope, receive, send)


def _fingerprint(user: WebUser) -> str:
    """Return a text that changes with the password. It does not reveal the password's hash."""
    return _digest(user.password_hash)[:16]


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
