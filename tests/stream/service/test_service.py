"""Cameras, recognition and sinks run together: the threads are real, the model has two lines."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from time import monotonic

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.models.contract import ModelContract
from harstream.models.transform import BgrPicture
from harstream.stream.recognition.pipeline import Arrival, Pipeline
from harstream.stream.recognition.smoothing import ExponentialMean
from harstream.stream.recognition.tracker import Tracker
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.stream.service.protocols import NamedSink
from harstream.stream.service.service import Service
from harstream.stream.sources.clock import Clock
from harstream.wire.errors import SinkError, SourceError
from harstream.wire.health import Health, HealthState
from harstream.wire.values import (
    Activity,
    CameraChange,
    CameraState,
    Confidence,
    Event,
    EventType,
    Frame,
    Notice,
    Previous,
    Step,
    Warming,
)
from tests.support.waiting import Eventually

CONTRACT = ModelContract(name="even", version="1", labels=("Idle", "Wave"), frames=5, height=8, width=8, rate=10.0)
SETTINGS = TrackerSettings(
    start_above=0.8, end_below=0.5, hold=1.0, gone=1.0, merge=1.0, update=1.0, max_duration=60.0, overrides={}
)


CLOCK = Clock()
EVENT = Event(
    EventType.START, "01JD", 1, "hall", "Wave", 1, Confidence(0.9, 0.9, 0.9), (), 100.0, 101.0, 101.0,
    previous=Previous("unknown", 1.0),
)  # fmt: skip


class Undecided:
    """A Recognizer that gives every label the same score."""

    contract = CONTRACT
    lookback = 0
    row_shape: tuple[int, ...] = (8, 8, 3)
    row_dtype: np.dtype[np.generic] = np.dtype(np.uint8)
    parts = ()

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        return frames

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        return np.full((len(windows), 2), 0.5, np.float32)


class Silent:
    """A live camera that sends one frame and then nothing until it is stopped."""

    camera, is_live = "hall", True

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping

    def frames(self) -> Iterator[Frame | CameraChange]:
        yield CameraChange("hall", 100.0, CameraState.LIVE)
        yield Frame("hall", 100.0, BgrPicture(np.zeros((8, 8, 3), np.uint8)))
        self._stopping.wait()


class Device:
    """A device that only one source may open at a time, such as a webcam."""

    def __init__(self) -> None:
        self.is_open = False
        self.opened = 0


class SteadyCamera:
    """A live camera that sends a frame every 20 ms from a device. Each picture has one grey level."""

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


class LateRelease:
    """A live camera that releases its device late: when `may_end` is set."""

    is_live = True

    def __init__(self, camera: str, may_end: threading.Event, stopping: threading.Event) -> None:
        self.camera = camera
        self._may_end = may_end

    def frames(self) -> Iterator[Frame | CameraChange]:
        yield CameraChange(self.camera, CLOCK.now(), CameraState.LIVE)
        self._may_end.wait()


class BrokenFile:
    """A file that gives one frame and then cannot be read."""

    is_live = False

    def __init__(self, camera: str, stopping: threading.Event) -> None:
        self.camera = camera

    def frames(self) -> Iterator[Frame | CameraChange]:
        yield Frame(self.camera, CLOCK.now(), BgrPicture(np.full((8, 8, 3), 90, np.uint8)))
        raise SourceError(f"camera {self.camera}: the file is torn")


class RecordingSink:
    """An EventSink and HealthSink that remembers all values, or is broken."""

    def __init__(self, *, error: Exception | None = None) -> None:
        self.healths: list[Health] = []
        self.notices: list[Notice] = []
        self._error = error

    def handle(self, notice: Notice) -> None:
        self.notices.append(notice)

    def changes(self, camera: str) -> list[str]:
        return [notice.change.state.value for notice in list(self.notices) if notice.camera == camera and notice.change]

    def report(self, health: Health) -> None:
        self.healths.append(health)
        if self._error:
            raise self._error

    def close(self) -> None: ...


class OrderSink:
    """An EventSink that adds its name and the camera of each notice to a shared list."""

    def __init__(self, name: str, handled: list[tuple[str, str]]) -> None:
        self._name, self._handled = name, handled

    def handle(self, notice: Notice) -> None:
        self._handled.append((self._name, notice.camera))

    def close(self) -> None: ...


class Running:
    """Runs a service on a thread of its own."""

    def __init__(self) -> None:
        self.sink = RecordingSink()
        pipeline = Pipeline(
            Undecided(), lambda camera: Tracker(camera, CONTRACT, SETTINGS), lambda: ExponentialMean(0.0)
        )
        self.service = Service(pipeline, [NamedSink("listener", self.sink)], [], CLOCK)
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


def test_switching_a_camera_off_and_on_does_not_affect_another(running: Running, eventually: Eventually) -> None:
    hall, yard = Device(), Device()
    running.service.watch("hall", partial(SteadyCamera, "hall", hall, 90))
    running.service.watch("yard", partial(SteadyCamera, "yard", yard, 90))
    running.start()
    sink = running.sink
    eventually(lambda: any(notice.scores and notice.camera == "hall" for notice in sink.notices), "recognition")
    running.service.disable("hall")
    eventually(lambda: sink.changes("hall")[-1] == "disabled", "the camera to be switched off")
    assert not hall.is_open
    seen = len(sink.notices)
    eventually(lambda: len(sink.notices) > seen + 10, "the other camera to continue")
    assert {notice.camera for notice in sink.notices[seen:]} == {"yard"}
    eventually(lambda: {health.camera: health.state.value for health in sink.healths[-2:]}
               == {"hall": "disabled", "yard": "live"}, "its health")  # fmt: skip
    running.service.watch("hall", partial(SteadyCamera, "hall", hall, 90))
    eventually(lambda: sink.changes("hall")[-1] == "live", "the camera to be switched on")
    assert (hall.opened, yard.opened) == (2, 1)
    assert sink.changes("yard") == ["live"]


def test_a_camera_gets_another_source_when_the_first_has_released_the_device(
    running: Running, eventually: Eventually
) -> None:
    device = Device()
    running.service.watch("hall", partial(SteadyCamera, "hall", device, 90))
    running.start()
    eventually(lambda: running.sink.changes("hall") == ["live"], "the camera")
    for level in (10, 200, 90):
        running.service.watch("hall", partial(SteadyCamera, "hall", device, level))
    eventually(lambda: running.sink.changes("hall")[-2:] == ["connecting", "live"], "its last source")
    eventually(lambda: running.sink.notices[-1].lit == 1.0, "pictures of the last source")


def test_a_removed_camera_is_forgotten_and_may_be_added_again(running: Running, eventually: Eventually) -> None:
    device = Device()
    running.service.watch("yard", partial(SteadyCamera, "yard", Device(), 90))
    running.service.watch("hall", partial(SteadyCamera, "hall", device, 90))
    running.start()
    eventually(lambda: running.sink.changes("hall") == ["live"], "the camera")
    running.service.remove("hall")
    eventually(lambda: running.sink.changes("hall")[-1] == "removed", "the removal")
    count = len(running.sink.healths)
    eventually(lambda: len(running.sink.healths) > count + 1, "the health of the remaining camera")
    assert {health.camera for health in running.sink.healths[count + 1 :]} == {"yard"}
    running.service.watch("hall", partial(SteadyCamera, "hall", device, 90))
    eventually(lambda: running.sink.changes("hall")[-1] == "live", "the camera again")
    running.service.remove("hall")
    running.service.watch("hall", partial(SteadyCamera, "hall", device, 90))
    eventually(lambda: running.sink.changes("hall")[-3:] == ["live", "removed", "live"], "both at once")
    eventually(lambda: "hall" in {health.camera for health in running.sink.healths[-2:]}, "its health")


@pytest.mark.parametrize(
    ("away", "expected"),
    [
        (Service.remove, ["live", "removed", "live"]),
        (Service.disable, ["live", "disabled", "connecting", "live"]),
    ],
)
def test_a_camera_that_returns_before_it_released_the_device_is_first_reported_as_gone(
    running: Running, eventually: Eventually, away: Callable[[Service, str], None], expected: list[str]
) -> None:
    may_end = threading.Event()
    running.service.watch("hall", partial(LateRelease, "hall", may_end))
    running.start()
    eventually(lambda: running.sink.changes("hall") == ["live"], "the camera")
    away(running.service, "hall")
    running.service.watch("hall", partial(SteadyCamera, "hall", Device(), 90))
    may_end.set()
    eventually(lambda: running.sink.changes("hall")[-1] == "live" and len(running.sink.notices) > 9, "pictures")
    assert running.sink.changes("hall") == expected


def test_a_service_continues_while_a_camera_is_switched_off(running: Running, eventually: Eventually) -> None:
    running.service.watch("hall", partial(SteadyCamera, "hall", Device(), 90))
    running.start()
    running.service.disable("hall")
    eventually(lambda: running.sink.changes("hall")[-1:] == ["disabled"], "the camera to be switched off")
    assert not running.is_over
    running.service.remove("hall")
    eventually(lambda: running.is_over, "the end of a service that watches nothing")


def test_a_source_that_cannot_be_made_changes_nothing(running: Running, eventually: Eventually) -> None:
    device = Device()
    running.service.watch("hall", partial(SteadyCamera, "hall", device, 90))
    running.start()
    eventually(lambda: running.sink.changes("hall") == ["live"], "the camera")

    def impossible(_: threading.Event) -> SteadyCamera:
        raise SourceError("there is no such file")

    with pytest.raises(SourceError):
        running.service.watch("hall", impossible)
    seen = len(running.sink.notices)
    eventually(lambda: len(running.sink.notices) > seen + 3, "the camera to continue")
    assert device.opened == 1


@pytest.mark.parametrize("error", [SinkError("the disk is full"), ValueError("no such hat")])
def test_a_silent_camera_is_reported_and_a_broken_sink_does_not_affect_the_others(
    eventually: Eventually, error: Exception
) -> None:
    broken, well = RecordingSink(error=error), RecordingSink()
    pipeline = Pipeline(Undecided(), lambda camera: Tracker(camera, CONTRACT, SETTINGS), lambda: ExponentialMean(0.0))
    service = Service(pipeline, [NamedSink("broken", broken), NamedSink("well", well)], [], Clock())
    service.watch("hall", Silent)
    running = threading.Thread(target=service.run)
    running.start()
    try:
        eventually(
            lambda: any(health.state is HealthState.STALLED for health in well.healths), "the silence to be reported"
        )
    finally:
        service.stop()
        running.join(10)
    assert not running.is_alive()
    assert [health.state for health in broken.healths] == [health.state for health in well.healths]
    assert well.healths[0].state is HealthState.WARMING
    assert {health.camera for health in well.healths} == {"hall"}


def test_the_service_stops_for_a_restart_when_the_system_clock_is_set(eventually: Eventually) -> None:
    wall, sink = [1000.0 - monotonic()], RecordingSink()
    clock = Clock(lambda: wall[0] + monotonic())
    pipeline = Pipeline(Undecided(), lambda camera: Tracker(camera, CONTRACT, SETTINGS), lambda: ExponentialMean(0.0))
    service = Service(pipeline, [NamedSink("sink", sink)], [], clock)
    service.watch("hall", partial(SteadyCamera, "hall", Device(), 90))
    running = threading.Thread(target=service.run)
    running.start()
    eventually(lambda: len(sink.healths) > 1, "the health")
    assert not service.is_clock_stale
    wall[0] -= 3600
    running.join(10)
    assert not running.is_alive()
    assert service.is_clock_stale


def test_the_service_waits_for_the_end_of_an_activity_before_it_follows_the_clock() -> None:
    class Busy(Pipeline):
        has_activity = True

    wall = [1000.0 - monotonic()]
    service = Service(
        Busy(Undecided(), lambda camera: Tracker(camera, CONTRACT, SETTINGS), lambda: ExponentialMean(0.0)),
        [], [], Clock(lambda: wall[0] + monotonic()),
    )  # fmt: skip
    service.watch("hall", Silent)
    running = threading.Thread(target=service.run)
    running.start()
    wall[0] += 3600
    running.join(2.5)
    assert running.is_alive()
    service.stop()
    running.join(10)
    assert not service.is_clock_stale


class CountingClock(Clock):
    """A clock that counts how often its step is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    @property
    def step(self) -> float:
        self.asked += 1
        return super().step


class StuckSink:
    """An EventSink whose disk hangs until `free` is set."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.notices: list[Notice] = []

    def handle(self, notice: Notice) -> None:
        self.free.wait()
        self.notices.append(notice)

    def close(self) -> None: ...


def test_outputs_and_clock_are_checked_once_a_second_whatever_the_number_of_frames(
    eventually: Eventually, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("harstream.resilience.background_delivery.HANGS_AFTER", 0.5)
    clock, sink, stuck = CountingClock(), RecordingSink(), StuckSink()
    pipeline = Pipeline(Undecided(), lambda camera: Tracker(camera, CONTRACT, SETTINGS), lambda: ExponentialMean(0.0))
    service = Service(pipeline, [NamedSink("stuck", stuck, 100), NamedSink("sink", sink)], [], clock)
    service.watch("hall", partial(SteadyCamera, "hall", Device(), 90))
    running = threading.Thread(target=service.run)
    running.start()
    try:
        eventually(lambda: "stuck hangs, recognition continues" in caplog.text, "the report of the sink that hangs")
        assert service.hanging == ("stuck",)
        seen, checks, began = len(sink.notices), clock.asked, monotonic()
        eventually(lambda: len(sink.notices) >= seen + 20, "frames while a sink hangs")
        assert clock.asked - checks <= 2 * (monotonic() - began + 1)
    finally:
        stuck.free.set()
        service.stop()
        running.join(10)
    assert [notice.change.state for notice in stuck.notices if notice.change] == [CameraState.LIVE]


def test_what_waits_for_a_sink_that_hangs_keeps_no_pictures(eventually: Eventually) -> None:
    kept = list[weakref.ref[BgrPicture]]()

    class Watched(SteadyCamera):
        def frames(self) -> Iterator[Frame | CameraChange]:
            for item in super().frames():
                if isinstance(item, Frame):
                    assert isinstance(item.picture, BgrPicture)
                    kept.append(weakref.ref(item.picture))
                yield item

    class Eventful(Pipeline):
        """Reports an event with each frame."""

        def steps(self, batches: Iterable[Sequence[Arrival]]) -> Iterator[Step]:
            for step in super().steps(batches):
                yield Step(replace(step.notice, events=(EVENT,)), step.frame)

    stuck, sink = StuckSink(), RecordingSink()
    pipeline = Eventful(Undecided(), lambda camera: Tracker(camera, CONTRACT, SETTINGS), lambda: ExponentialMean(0.0))
    service = Service(pipeline, [NamedSink("stuck", stuck, 1000), NamedSink("sink", sink)], [], CLOCK)
    service.watch("hall", partial(Watched, "hall", Device(), 90))
    running = threading.Thread(target=service.run)
    running.start()
    try:
        eventually(lambda: len(sink.notices) > 30, "frames while a sink hangs")
        assert sum(picture() is not None for picture in list(kept)) < 10
    finally:
        stuck.free.set()
        service.stop()
        running.join(10)
    assert len(stuck.notices) == len(sink.notices)


def test_open_activities_of_an_earlier_run_are_reported_first_and_to_the_history_last(
    eventually: Eventually,
) -> None:
    handled: list[tuple[str, str]] = []
    pipeline = Pipeline(Undecided(), lambda camera: Tracker(camera, CONTRACT, SETTINGS), lambda: ExponentialMean(0.0))
    undelivered = Notice("yard", 50.0, Activity("unknown", 50.0, 0.0), Warming(0, 5))
    sinks = [NamedSink(name, OrderSink(name, handled)) for name in ("history", "mqtt")]
    service = Service(pipeline, sinks, [], CLOCK)
    service.watch("hall", Silent)
    running = threading.Thread(target=service.run, kwargs={"undelivered": [undelivered]})
    running.start()
    try:
        eventually(lambda: len(handled) >= 4, "the camera's first notice")
    finally:
        service.stop()
        running.join(10)
    assert handled[:4] == [("mqtt", "yard"), ("history", "yard"), ("history", "hall"), ("mqtt", "hall")]


def test_the_error_of_a_broken_file_is_raised_when_the_other_cameras_have_ended(
    running: Running, eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    running.service.watch("hall", partial(BrokenFile, "hall"))
    running.service.watch("yard", partial(SteadyCamera, "yard", Device(), 90))
    running.start()
    eventually(lambda: "camera hall: the file is torn; the other cameras continue" in caplog.text, "the log")
    seen = len(running.sink.notices)
    eventually(lambda: len(running.sink.notices) > seen + 3, "the other camera to continue")
    assert {notice.camera for notice in running.sink.notices[seen + 1 :]} == {"yard"}
    running.service.remove("yard")
    eventually(lambda: running.is_over, "the end")
    assert str(running.raised) == "camera hall: the file is torn"
