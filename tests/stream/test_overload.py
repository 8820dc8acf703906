"""A machine that cannot keep up says so once, with what would help."""

from __future__ import annotations

import logging
from collections import Counter

import pytest

from stream.overload import PERIOD, Overload


class Camera:
    """Frames of four cameras, some of which are dropped, and a clock that goes when it is told to."""

    def __init__(self) -> None:
        self.arrived: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.time = 0.0
        self.overload = Overload(self.arrived, self.dropped, lambda: self.time)

    def a_period(self, **dropped: int) -> None:
        """A hundred frames of each camera, so many of them dropped."""
        for camera in ("attic", "cellar", "hall", "yard"):
            self.arrived[camera] += 100
            self.dropped[camera] += dropped.get(camera, 0)
        for _ in range(10):
            self.time += PERIOD / 10
            self.overload.look()


@pytest.fixture
def camera(caplog: pytest.LogCaptureFixture) -> Camera:
    caplog.set_level(logging.INFO)
    return Camera()


def test_a_frame_now_and_then_is_not_worth_a_word(camera: Camera, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        camera.a_period(hall=2)
    assert caplog.messages == []


def test_overload_is_told_once_and_its_end_too(camera: Camera, caplog: pytest.LogCaptureFixture) -> None:
    camera.a_period()
    for _ in range(3):
        camera.a_period(hall=40, attic=10)
    camera.a_period(hall=1)
    camera.a_period()
    begins, ends = caplog.messages
    assert begins.startswith("this machine cannot keep up: 40 % of the frames of attic, hall are dropped")
    assert "--model lrcn" in begins
    assert ends == "this machine keeps up again; 151 frames were dropped so far"
    camera.a_period(hall=40)
    assert len(caplog.messages) == 3


def test_many_cameras_are_counted(camera: Camera, caplog: pytest.LogCaptureFixture) -> None:
    camera.a_period(attic=9, cellar=9, hall=9, yard=9)
    assert "of attic, cellar, hall and 1 more cameras are dropped" in caplog.messages[0]
