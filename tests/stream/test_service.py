"""Cameras, recognition and sinks at work together: real threads, a model of two lines."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from models.contract import ModelContract
from models.transform import BgrPicture
from stream.errors import SinkError
from stream.messages import CameraChange, CameraState, Frame, Health, HealthState, Notice
from stream.pipeline import Pipeline
from stream.service import Service
from stream.smoothing import ExponentialMean
from stream.tracker import Tracker, TrackerSettings

CONTRACT = ModelContract(name="even", version="1", labels=("Idle", "Wave"), frames=5, height=8, width=8, rate=10.0)
SETTINGS = TrackerSettings(
    start_above=0.8, end_below=0.5, hold=1.0, gone=1.0, merge=1.0, update=1.0, max_duration=60.0, overrides={}
)


class Undecided:
    """A Recognizer that gives every label the same score."""

    contract = CONTRACT
    lookback = 0
    row_shape = (8, 8, 3)
    row_dtype: np.dtype[np.generic] = np.dtype(np.uint8)

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        return frames

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        return np.full((len(windows), 2), 0.5, np.float32)


class Silent:
    """A live camera that sends one frame, and then nothing until it is stopped."""

    camera, is_live = "hall", True

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping

    def frames(self) -> Iterator[Frame | CameraChange]:
        yield CameraChange("hall", 100.0, CameraState.LIVE)
        yield Frame("hall", 100.0, BgrPicture(np.zeros((8, 8, 3), np.uint8)))
        self._stopping.wait()


class Listener:
    """An EventSink and HealthSink that remembers, or that is broken."""

    def __init__(self, *, is_broken: bool = False) -> None:
        self.healths: list[Health] = []
        self._is_broken = is_broken

    def handle(self, notice: Notice) -> None: ...

    def tell(self, health: Health) -> None:
        self.healths.append(health)
        if self._is_broken:
            raise SinkError("the disk is full")

    def close(self) -> None: ...


def test_sinks_are_told_of_a_silent_camera_and_a_broken_one_disturbs_nobody(eventually: Callable[..., None]) -> None:
    stopping, broken, well = threading.Event(), Listener(is_broken=True), Listener()
    pipeline = Pipeline(Undecided(), lambda camera: Tracker(camera, CONTRACT, SETTINGS), lambda: ExponentialMean(0.0))
    service = Service([Silent(stopping)], pipeline, {"broken": broken, "well": well}, {}, stopping)
    running = threading.Thread(target=service.run)
    running.start()
    try:
        eventually(
            lambda: any(health.state is HealthState.STALLED for health in well.healths), "the silence to be told"
        )
    finally:
        service.stop()
        running.join(10)
    assert not running.is_alive()
    assert [health.state for health in broken.healths] == [health.state for health in well.healths]
    assert well.healths[0].state is HealthState.WARMING
    assert {health.camera for health in well.healths} == {"hall"}
