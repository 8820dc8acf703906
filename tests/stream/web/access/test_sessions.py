"""Sessions survive a restart. They end with the logout, the user, the password or the time."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from harstream.stream.config.web import WebUser
from harstream.stream.web.access.sessions import FILE, MAX_AGE, Sessions
from harstream.wire.errors import SinkError
from tests.support.accounts import FAST, PASSWORD, PASSWORD_HASH

ANNA = WebUser(name="anna", password_hash=PASSWORD_HASH)


class Hours:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def loaded(folder: Path, *users: WebUser) -> Sessions:
    sessions = Sessions(users or (ANNA,), folder / "state" / FILE)
    sessions.load()
    return sessions


def started(sessions: Sessions) -> dict[str, Any]:
    session: dict[str, Any] = {}
    sessions.start(session, ANNA)
    return session


def test_a_session_survives_a_restart_and_stays_ended_after_a_logout(tmp_path: Path) -> None:
    session, other = started(loaded(tmp_path)), started(loaded(tmp_path))
    loaded(tmp_path).end(dict(session))
    again = loaded(tmp_path)
    assert again.user_of(session) is None
    assert again.user_of(other) == ANNA


def test_a_removed_user_and_a_changed_password_end_the_session(tmp_path: Path) -> None:
    session = started(loaded(tmp_path))
    changed = WebUser(name="anna", password_hash=FAST.hash(PASSWORD))
    assert loaded(tmp_path, changed).user_of(session) is None
    assert loaded(tmp_path, WebUser(name="ben", password_hash=PASSWORD_HASH)).user_of(session) is None
    assert loaded(tmp_path, WebUser(name="anna", password_hash=PASSWORD_HASH, role="operator")).user_of(session)


def test_a_session_ends_after_its_time() -> None:
    clock = Hours()
    sessions = Sessions([ANNA], clock=clock)
    session = started(sessions)
    clock.now += MAX_AGE - 1
    assert sessions.user_of(session) == ANNA
    clock.now += 2
    assert sessions.user_of(session) is None


def test_only_the_service_can_read_the_key(tmp_path: Path) -> None:
    loaded(tmp_path)
    assert stat.S_IMODE((tmp_path / "state" / FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "[]", '{"key": 1}', '{"key": "a", "ended": []}', "\x00\xff"])
def test_a_file_that_cannot_be_read_is_replaced_with_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    session = started(loaded(tmp_path))
    (tmp_path / "state" / FILE).write_text(content, encoding="latin-1")
    loaded(tmp_path).end(session)
    assert len(caplog.records) == 1
    assert FILE in caplog.text
    assert loaded(tmp_path)


def test_a_folder_that_cannot_be_written_is_an_error_of_the_start(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(SinkError):
        loaded(tmp_path)


def test_a_full_disk_does_not_keep_a_user_logged_in(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sessions = loaded(tmp_path)
    session = started(sessions)
    cookie = dict(session)
    shutil.rmtree(tmp_path / "state")
    (tmp_path / "state").write_text("a file where the folder was")
    sessions.end(session)
    assert sessions.user_of(cookie) is None
    assert len(caplog.records) == 1
    assert FILE in caplog.text
