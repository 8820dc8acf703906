"""Work on a disk that may hang is waited for, but not for ever."""

from __future__ import annotations

import threading
import time

import pytest

from harstream.resilience.bounded_work import finishes_within


def test_work_that_ends_in_time_is_done() -> None:
    done: list[int] = []
    assert finishes_within(10, lambda: done.append(1))
    assert done == [1]


def test_work_that_hangs_is_left_alone() -> None:
    going_on = threading.Event()
    began = time.monotonic()
    assert not finishes_within(0.1, going_on.wait)
    assert time.monotonic() - began < 30
    going_on.set()


def test_the_error_of_the_work_is_raised_here() -> None:
    def fail() -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        finishes_within(10, fail)
