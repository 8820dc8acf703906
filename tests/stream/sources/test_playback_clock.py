"""The playback clock determines when a recorded frame is due."""

from __future__ import annotations

import threading
import time

from harstream.stream.sources.clock import Clock
from harstream.stream.sources.playback_clock import PlaybackClock


def test_clock_gives_wall_time_and_never_goes_back() -> None:
    clock = Clock()
    times = [clock.now() for _ in range(100)]
    assert abs(times[0] - time.time()) < 1
    assert times == sorted(times)


def test_without_a_clock_every_frame_is_due_at_once() -> None:
    playback, stopping = PlaybackClock(start=1000.0), threading.Event()
    assert playback.begin() == 1000.0
    before = time.monotonic()
    assert playback.wait(3600.0, stopping)
    assert time.monotonic() - before < 1


def test_with_a_clock_a_frame_is_due_after_its_offset() -> None:
    clock, stopping = Clock(), threading.Event()
    playback = PlaybackClock(clock)
    start = playback.begin()
    assert playback.wait(0.05, stopping)
    assert clock.now() >= start + 0.05


def test_a_stop_ends_the_wait() -> None:
    stopping = threading.Event()
    stopping.set()
    playback = PlaybackClock(Clock())
    playback.begin()
    assert not playback.wait(3600.0, stopping)
    assert not PlaybackClock().wait(0.0, stopping)
