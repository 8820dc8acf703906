"""A clock that a test sets, and the time zone of Berlin."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest


class SettableClock:
    """Gives `now`, in seconds, until the test sets another value."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def berlin_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sets the time zone of the process: UTC+1 in winter, UTC+2 in summer."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
