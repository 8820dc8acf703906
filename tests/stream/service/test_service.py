"""Cameras, recognition and sinks at work together: real threads, a model of two lines."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.models.contract import ModelContract
from harstream.models.transform import BgrPicture
from harstream.stream.recognition.pipeline import Pipeline
from harstream.stream.recognition.smoothing import ExponentialMean
from harstream.stream.recognition.tracker import Tracker
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.stream.service.protocols import Named
from harstream.stream.service.service import Service
from harstream.stream.sources.clock import Clock
from harstream.wire.errors import SinkError, SourceError
from harstream.wire.values import Activity, CameraChange, CameraState, Frame, Health, HealthState, Notice, Warming

CONTRACT = ModelContract(name="even", version="1", labels=("Idle", "Wave"), frames=5, height=8, width=8, rate=10.0)
SETTINGS = TrackerSettings(
    start_above=0.8, end_below=0.5, hold=1.0, gone=1.0, merge=1.0, update=1.0, max_duration=60.0, overrides={}
)


CLOCK = Clock()


class Undecided:
    """A Recognizer that gives every label the same score."""

    contract = CONTRACT
    lookback = 0
    row_shape: tuple[int, ...] = (8, 8, 3)
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


class Device:
    """What only one may open at a time, such as a webcam."""

    def __init__(self) -> None:
        self.is_open = False
        self.opened = 0


class Lively:
    """A live camera that sends a frame every 20 ms from a device, each picture of one level."""

    is_live = True

    def __init__(self, camera: str, device: Device, level: int, stopping: threading.Event) -> None:
        self.camera = camera
        self._device, self._level, self._stopping = device, level, stopping

    def frames(self) -> Iterator[Frame | CameraChange]:
        assert not self._device.is_open, "the device is busy"
        self._device.is_open = True
        self._device.opened += 1
        try:
            yield CameraChange(self.camera, CLOCK.now(), CameraState.LIVE)
            while not self._stopping.wait(0.02):
                yield Frame(self.camera, CLOCK.now(), BgrPicture(np.full((8, 8, 3), self._level, np.uint8)))
        finally:
            self._device.is_open = False


class Lingering:
    """A live camera whose device is let go of late: when it is told to."""

    is_live = True

    def __init__(self, camera: str, may_end: threading.Event, stopping: threading.Event) -> None:
        self.camera = camera
        self._may_end = may_end

    def frames(self) -> Iterator[Frame | CameraChange]:
        yield CameraChange(self.camera, CLOCK.now(), CameraState.LIVE)
        self._may_end.wait()


class Torn:
    """A file that gives one frame, and then cannot be read."""

    is_live = False

    def __init__(self, camera: str, stopping: threading.Event) -> None:
        self.camera = camera

    def frames(self) -> Iterator[Frame | CameraChange]:
        yield Frame(self.camera, CLOCK.now(), BgrPicture(np.full((8, 8, 3), 90, np.uint8)))
        raise SourceError(f"camera {self.camera}: the file is torn")


class Listener:
    """An EventSink and HealthSink that remembers, or that is broken."""

    def __init__(self, *, is_broken: bool = False) -> None:
        self.healths: list[Health] = []
        self.notices: list[Notice] = []
        self._is_broken = is_broken

    def handle(self, notice: Notice) -> None:
        self.notices.append(notice)

    def changes(self, camera: str) -> list[str]:
        return [notice.change.state.value for notice in list(self.notices) if notice.camera == camera and notice.change]

    def report(self, health: Health) -> None:
        self.healths.append(health)
        if self._is_broken:
            raise SinkError("the disk is full")

    def close(self) -> None: ...


class Ear:
    """An EventSink that writes down who heard of which camera."""

    def __init__(self, name: str, heard: list[tuple[str, str]]) -> None:
        self._name, self._heard = name, heard

    def handle(self, notice: Notice) -> None:
        self._heard.append((self._name, notice.camera))

    def close(self) -> None: ...


class Running:
    """A service at work on a thread of its own."""

    def __init__(self) -> None:
        self.listener = Listener()
        pipeline = Pipeline(
            Undecided(), lambda camera: Tracker(camera, CONTRACT, SETTINGS), lambda: ExponentialMean(0.0)
        )
        self.service = Service(pipeline, [Named("listener", self.listener)], [], CLOCK)
        self.raised: SourceError | None = None
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        try:
            self.service.run()
        except SourceError as error:
            self.raised = error

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def close(self) -> None:
        self.service.stop()
        self._thread.join(10)
        assert self.is_over


@pytest.fixture
def running() -> Iterator[Running]:
    running = Running()
    yield running
    running.close()


def test_a_camera_is_switched_off_and_on_and_another_notices_nothing(
    running: Running, eventually: Callable[..., None]
) -> None:
    hall, yard = Device(), Device()
    running.service.watch("hall", partial(Lively, "hall", hall, 90))
    running.service.watch("yard", partial(Lively, "yard", yard, 90))
    running.start()
    told = running.listener
    eventually(lambda: any(notice.scores and notice.camera == "hall" for notice in told.notices), "recognition")
    running.service.switch_off("hall")
    eventually(lambda: told.changes("hall")[-1] == "disabled", "the camera to be switched off")
    assert not hall.is_open
    seen = len(told.notices)
    eventually(lambda: len(told.notices) > seen + 10, "the other camera to go on")
    assert {notice.camera for notice in told.notices[seen:]} == {"yard"}
    eventually(lambda: {health.camera: health.state.value for health in told.healths[-2:]}
               == {"hall": "disabled", "yard": "live"}, "its health")  # fmt: skip
    running.service.watch("hall", partial(Lively, "hall", hall, 90))
    eventually(lambda: told.changes("hall")[-1] == "live", "the camera to be switched on")
    assert (hall.opened, yard.opened) == (2, 1)
    assert told.changes("yard") == ["live"]


def test_a_camera_gets_another_source_when_the_first_has_let_go_of_the_device(
    running: Running, eventually: Callable[..., None]
) -> None:
    device = Device()
    running.service.watch("hall", partial(Lively, "hall", device, 90))
    running.start()
    eventually(lambda: running.listener.changes("hall") == ["live"], "the camera")
    for level in (10, 200, 90):
        running.service.watch("hall", partial(Lively, "hall", device, level))
    eventually(lambda: running.listener.changes("hall")[-2:] == ["connecting", "live"], "its last source")
    eventually(lambda: running.listener.notices[-1].lit == 1.0, "pictures of the last source")


def test_a_camera_that_is_removed_is_forgotten_and_may_come_again(
    running: Running, eventually: Callable[..., None]
) -> None:
    device = Device()
    running.service.watch("yard", partial(Lively, "yard", Device(), 90))
    running.service.watch("hall", partial(Lively, "hall", device, 90))
    running.start()
    eventually(lambda: running.listener.changes("hall") == ["live"], "the camera")
    running.service.unwatch("hall")
    eventually(lambda: running.listener.changes("hall")[-1] == "removed", "its last word")
    told = len(running.listener.healths)
    eventually(lambda: len(running.listener.healths) > told + 1, "health of those that are left")
    assert {health.camera for health in running.listener.healths[told + 1 :]} == {"yard"}
    running.service.watch("hall", partial(Lively, "hall", device, 90))
    eventually(lambda: running.listener.changes("hall")[-1] == "live", "the camera again")
    running.service.unwatch("hall")
    running.service.watch("hall", partial(Lively, "hall", device, 90))
    eventually(lambda: running.listener.changes("hall")[-3:] == ["live", "removed", "live"], "both at once")
    eventually(lambda: "hall" in {health.camera for health in running.listener.healths[-2:]}, "its health")


@pytest.mark.parametrize(
    ("away", "told"),
    [
        (Service.unwatch, ["live", "removed", "live"]),
        (Service.switch_off, ["live", "disabled", "connecting", "live"]),
    ],
)
def test_a_camera_that_comes_again_before_it_let_go_of_the_device_is_told_to_have_gone(
    running: Running, eventually: Callable[..., None], away: Callable[[Service, str], None], told: list[str]
) -> None:
    may_end = threading.Event()
    running.service.watch("hall", partial(Lingering, "hall", may_end))
    running.start()
    eventually(lambda: running.listener.changes("hall") == ["live"], "the camera")
    away(running.service, "hall")
    running.service.watch("hall", partial(Lively, "hall", Device(), 90))
    may_end.set()
    eventually(lambda: running.listener.changes("hall")[-1] == "live" and len(running.listener.notices) > 9, "pictures")
    assert running.listener.changes("hall") == told


def test_a_service_goes_on_while_a_camera_is_switched_off(running: Running, eventually: Callable[..., None]) -> None:
    running.service.watch("hall", partial(Lively, "hall", Device(), 90))
    running.start()
    running.service.switch_off("hall")
    eventually(lambda: running.listener.changes("hall")[-1:] == ["disabled"], "the camera to be switched off")
    assert not running.is_over
    running.service.unwatch("hall")
    eventually(lambda: running.is_over, "the end of a service that watches nothing")


def test_a_source_that_cannot_be_made_changes_nothing(running: Running, eventually: Callable[..., None]) -> None:
    device = Device()
    running.service.watch("hall", partial(Lively, "hall", device, 90))
    running.start()
    eventually(lambda: running.listener.changes("hall") == ["live"], "the camera")

    def impossible(_: threading.Event) -> Lively:
        raise SourceError("there is no such file")

    with pytest.raises(SourceError):
        running.service.watch("hall", impossible)
    seen = len(running.listener.notices)
    eventually(lambda: len(running.listener.notices) > seen + 3, "the camera to go on")
    assert device.opened == 1


def test_sinks_are_told_of_a_silent_camera_and_a_broken_one_disturbs_nobody(eventually: Callable[..., None]) -> None:
    broken, well = Listener(is_broken=True), Listener()
    pipeline = Pipeline(Undecided(), lambda camera: Tracker(camera, CONTRACT, SETTINGS), lambda: ExponentialMean(0.0))
    service = Service(pipeline, [Named("broken", broken), Named("well", well)], [], Clock())
    service.watch("hall", Silent)
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


def test_what_an_earlier_run_left_open_is_told_first_and_to_the_history_last(eventually: Callable[..., None]) -> None:
    heard: list[tuple[str, str]] = []
    pipeline = Pipeline(Undecided(), lambda camera: Tracker(camera, CONTRACT, SETTINGS), lambda: ExponentialMean(0.0))
    owed = Notice("yard", 50.0, Activity("unknown", 50.0, 0.0), Warming(0, 5))
    sinks = [Named(name, Ear(name, heard)) for name in ("history", "mqtt")]
    service = Service(pipeline, sinks, [], CLOCK)
    service.watch("hall", Silent)
    running = threading.Thread(target=service.run, kwargs={"owed": [owed]})
    running.start()
    try:
        eventually(lambda: len(heard) >= 4, "the camera's first notice")
    finally:
        service.stop()
        running.join(10)
    assert heard[:4] == [("mqtt", "yard"), ("history", "yard"), ("history", "hall"), ("mqtt", "hall")]


def test_a_file_that_breaks_is_told_when_the_other_cameras_have_ended(
    running: Running, eventually: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    running.service.watch("hall", partial(Torn, "hall"))
    running.service.watch("yard", partial(Lively, "yard", Device(), 90))
    running.start()
    eventually(lambda: "camera hall: the file is torn; the other cameras go on" in caplog.text, "the log")
    seen = len(running.listener.notices)
    eventually(lambda: len(running.listener.notices) > seen + 3, "the other camera to go on")
    assert {notice.camera for notice in running.listener.notices[seen + 1 :]} == {"yard"}
    running.service.unwatch("yard")
    eventually(lambda: running.is_over, "the end")
    assert str(running.raised) == "camera hall: the file is torn"
