from __future__ import annotations

import random
import threading
import time

import pytest

from harstream.resilience.backoff import Backoff


class RecordingEvent(threading.Event):
    """An event that is never set. No time passes in its waits."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waits.append(timeout)
        return False


def test_bound_of_the_wait_doubles_up_to_the_longest_and_returns_on_reset() -> None:
    event = RecordingEvent()
    backoff = Backoff(event, first=1.0, longest=4.0, chance=lambda: 1.0)
    for _ in range(4):
        assert backoff.wait()
    assert backoff.attempts == 4
    backoff.reset()
    backoff.wait()
    assert event.waits == [1.0, 2.0, 4.0, 4.0, 1.0]


def test_waits_are_spread_over_the_whole_range() -> None:
    event = RecordingEvent()
    backoff = Backoff(event, first=10.0, longest=10.0, chance=random.Random(3).random)
    for _ in range(1000):
        backoff.wait()
    assert min(event.waits) < 1.0
    assert max(event.waits) > 9.0
    assert sum(event.waits) / 1000 == pytest.approx(5.0, abs=0.5)


def test_least_wait_is_added_to_the_random_one() -> None:
    event = RecordingEvent()
    backoff = Backoff(event, first=1.0, longest=4.0, chance=lambda: 0.5)
    backoff.wait(at_least=120.0)
    assert event.waits == [120.5]


def test_wait_stays_finite_after_a_year_of_attempts() -> None:
    event = RecordingEvent()
    backoff = Backoff(event, first=0.5, longest=30.0, chance=lambda: 1.0)
    backoff.attempts = 1_000_000
    backoff.wait()
    assert event.waits == [30.0]


def test_stopping_interrupts_a_wait() -> None:
    stopping = threading.Event()
    backoff = Backoff(stopping, first=60.0, longest=60.0, chance=lambda: 1.0)
    threading.Timer(0.05, stopping.set).start()
    began = time.monotonic()
    assert not backoff.wait()
    assert time.monotonic() - began < 30
