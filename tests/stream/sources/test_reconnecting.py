from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Iterator
from typing import cast

import pytest

from harstream.models.picture import Picture
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.reconnecting import REFUSED_WAIT, ReconnectingSource
from harstream.wire.errors import SourceError, Trouble
from harstream.wire.values import CameraChange, CameraState, Frame

PICTURE = cast(Picture, object())
"""No test looks at this picture."""


class ScriptedCamera:
    """Each opening gives the next number of `pictures` and then fails."""

    def __init__(self, *pictures: int, trouble: Trouble = Trouble.UNREACHABLE) -> None:
        self._pictures = list(pictures)
        self._trouble = trouble

    def open(self) -> Iterator[tuple[float, Picture]]:
        for number in range(self._pictures.pop(0)):
            yield float(number), PICTURE
        raise SourceError("gone", self._trouble)


class StoppingAfter(threading.Event):
    """Is set after a number of waits. No time passes in a wait."""

    def __init__(self, waits: int) -> None:
        super().__init__()
        self.waits: list[float] = []
        self._most = waits

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        if len(self.waits) == self._most:
            self.set()
        return self.is_set()


def reported(camera: ScriptedCamera, stopping: threading.Event, *, must_open: bool = False) -> list[str]:
    source = ReconnectingSource("hall", camera.open, Clock(), stopping, must_open=must_open)
    return ["frame" if isinstance(each, Frame) else each.state.value for each in source.frames()]


def test_camera_that_fails_is_offline_once_and_live_again_with_its_first_frame(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    assert reported(ScriptedCamera(1, 0, 0, 2), StoppingAfter(4)) == [
        "live", "frame", "offline", "live", "frame", "frame", "offline",
    ]  # fmt: skip
    first, second, third, fourth = caplog.messages
    assert "hall is live" in first
    assert "offline" in second
    assert "gone" in second
    assert "live after 3" in third
    assert "offline" in fourth


def test_a_camera_that_failed_keeps_nothing_of_its_connection() -> None:
    """A decoder has threads and memory for pictures. It would live until the camera fails again."""
    decoders: list[weakref.ref[set[int]]] = []

    def opened() -> Iterator[tuple[float, Picture]]:
        decoder = {1}
        decoders.append(weakref.ref(decoder))
        yield 0.0, PICTURE
        raise SourceError("gone", Trouble.UNREACHABLE)

    source = ReconnectingSource("hall", opened, Clock(), StoppingAfter(3), must_open=False)
    for item in source.frames():
        if isinstance(item, CameraChange) and item.state is CameraState.OFFLINE:
            assert decoders[0]() is None
            return
    pytest.fail("never offline")


def test_first_opening_that_must_succeed_raises() -> None:
    with pytest.raises(SourceError, match="gone"):
        reported(ScriptedCamera(0), StoppingAfter(1), must_open=True)


def test_offline_carries_the_trouble_as_a_code() -> None:
    source = ReconnectingSource("hall", ScriptedCamera(0).open, Clock(), StoppingAfter(1), must_open=False)
    (change,) = source.frames()
    assert isinstance(change, CameraChange)
    assert (change.state, change.reason, change.trouble) == (CameraState.OFFLINE, "gone", Trouble.UNREACHABLE)


def test_a_login_that_is_refused_later_in_an_outage_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    troubles = [Trouble.UNREACHABLE, Trouble.TIMEOUT, Trouble.LOGIN_REFUSED, Trouble.UNREACHABLE, Trouble.LOGIN_REFUSED]

    def open_pictures() -> Iterator[tuple[float, Picture]]:
        raise SourceError("gone", troubles.pop(0))
        yield

    source = ReconnectingSource("hall", open_pictures, Clock(), StoppingAfter(5), must_open=False)
    changes = [each for each in source.frames() if isinstance(each, CameraChange)]
    assert [(each.state, each.trouble) for each in changes] == [
        (CameraState.OFFLINE, Trouble.UNREACHABLE), (CameraState.OFFLINE, Trouble.LOGIN_REFUSED),
    ]  # fmt: skip
    assert len(caplog.messages) == 2


def test_refused_login_is_retried_only_after_minutes() -> None:
    stopping = StoppingAfter(3)
    reported(ScriptedCamera(0, 0, 0, trouble=Trouble.LOGIN_REFUSED), stopping)
    assert min(stopping.waits) >= REFUSED_WAIT


def test_waits_are_short_again_after_the_camera_was_live() -> None:
    stopping = StoppingAfter(9)
    reported(ScriptedCamera(*[0] * 8, 1), stopping)
    assert stopping.waits[-1] <= 0.5
    assert max(stopping.waits) <= 30


def test_a_camera_that_gives_one_picture_and_fails_again_and_again_is_opened_rarely() -> None:
    stopping = StoppingAfter(30)
    reported(ScriptedCamera(*[1] * 30), stopping)
    assert sum(stopping.waits) > 150
    stopping = StoppingAfter(12)
    reported(ScriptedCamera(*[1] * 10, 12, 1), stopping)
    assert stopping.waits[-2] <= 1.0


def test_a_camera_with_an_internal_error_is_offline_and_opened_again() -> None:
    class Broken(ScriptedCamera):
        def open(self) -> Iterator[tuple[float, Picture]]:
            yield from super().open() if self._pictures[0] else iter(())
            self._pictures.pop(0)
            raise ValueError("no such hat")

    source = ReconnectingSource("hall", Broken(0, 0).open, Clock(), StoppingAfter(2), must_open=False)
    (change,) = source.frames()
    assert isinstance(change, CameraChange)
    assert "internal error" in change.reason
    assert "no such hat" in change.reason
