"""What arrives at a datagram socket as systemd has one."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.models.contract import ModelContract
from harstream.models.transform import BgrPicture
from harstream.stream.recognition.pipeline import Pipeline
from harstream.stream.recognition.smoothing import ExponentialMean
from harstream.stream.recognition.tracker import Tracker
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.stream.service.health import TICK
from harstream.stream.service.protocols import Named
from harstream.stream.service.service import Service
from harstream.stream.sinks.systemd import Systemd
from harstream.stream.sources.clock import Clock
from harstream.wire.errors import SinkError
from harstream.wire.values import CameraChange, CameraState, Frame, Health, HealthState

NOON = 1_700_000_000.0
CONTRACT = ModelContract(name="stuck", version="1", labels=("Idle", "Wave"), frames=2, height=8, width=8, rate=10.0)
SETTINGS = TrackerSettings(
    start_above=0.8, end_below=0.5, hold=1.0, gone=1.0, merge=1.0, update=1.0, max_duration=60.0, overrides={}
)
MakeHealth = Callable[..., Health]


class Ear:
    """systemd's end."""

    def __init__(self, address: str | bytes) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)

    def next(self, seconds: float = 10.0) -> list[str]:
        """The lines of one message. Raises TimeoutError."""
        self._socket.settimeout(seconds)
        return self._socket.recv(4096).decode().splitlines()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[Ear]:
    ear = Ear(str(tmp_path / "notify"))
    yield ear
    ear.close()


@pytest.fixture
def systemd(ear: Ear, tmp_path: Path) -> Systemd:
    return Systemd(str(tmp_path / "notify"))


def test_it_is_ready_at_the_first_look_and_alive_at_each(systemd: Systemd, ear: Ear, make_health: MakeHealth) -> None:
    for second in range(2):
        systemd.report(make_health(time=NOON + second))
    assert ear.next() == ["READY=1", "WATCHDOG=1"]
    assert ear.next() == ["WATCHDOG=1", "STATUS=1 of 1 cameras live"]


def test_a_look_at_four_cameras_is_one_message(systemd: Systemd, ear: Ear, make_health: MakeHealth) -> None:
    for second in range(3):
        for camera, state in (("attic", "live"), ("cellar", "offline"), ("hall", "live"), ("yard", "live")):
            systemd.report(make_health(time=NOON + second, camera=camera, state=HealthState(state)))
    assert ear.next() == ["READY=1", "WATCHDOG=1"]
    assert ear.next() == ["WATCHDOG=1", "STATUS=3 of 4 cameras live, 1 offline"]
    assert ear.next() == ["WATCHDOG=1", "STATUS=3 of 4 cameras live, 1 offline"]
    with pytest.raises(TimeoutError):
        ear.next(0.1)


def test_a_reload_says_when_it_began_and_that_it_is_over(systemd: Systemd, ear: Ear, make_health: MakeHealth) -> None:
    systemd.report(make_health())
    ear.next()
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    systemd.reload()
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    began, moment = ear.next()
    assert (began, moment.split("=")[0]) == ("RELOADING=1", "MONOTONIC_USEC")
    assert before // 1000 <= int(moment.split("=")[1]) <= after // 1000
    systemd.reloaded()
    systemd.stop()
    assert [ear.next(), ear.next()] == [["READY=1"], ["STOPPING=1"]]


def test_a_reload_before_the_service_is_ready_says_nothing(systemd: Systemd, ear: Ear) -> None:
    systemd.reload()
    systemd.reloaded()
    systemd.stop()
    assert ear.next() == ["STOPPING=1"]


def test_an_abstract_address_begins_with_an_at(make_health: MakeHealth, tmp_path: Path) -> None:
    ear = Ear(b"\0" + bytes(tmp_path))
    Systemd(f"@{tmp_path}").report(make_health())
    assert ear.next() == ["READY=1", "WATCHDOG=1"]
    ear.close()


def test_without_an_address_nothing_happens(make_health: MakeHealth) -> None:
    systemd = Systemd("")
    systemd.report(make_health())
    systemd.reload()
    systemd.stop()


def test_nobody_at_the_address_is_a_sink_error_and_ready_is_said_once_somebody_is(
    tmp_path: Path, make_health: MakeHealth
) -> None:
    systemd = Systemd(str(tmp_path / "notify"))
    with pytest.raises(SinkError, match="NOTIFY_SOCKET"):
        systemd.report(make_health())
    systemd.stop()
    ear = Ear(str(tmp_path / "notify"))
    systemd.report(make_health(time=NOON + 1))
    assert ear.next()[:2] == ["READY=1", "WATCHDOG=1"]
    ear.close()


class Hanging:
    """A Recognizer that hangs for as long as it is told to."""

    contract = CONTRACT
    lookback = 0
    row_shape: tuple[int, ...] = (8, 8, 3)
    row_dtype: np.dtype[np.generic] = np.dtype(np.uint8)

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.hangs = threading.Event()

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        return frames

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        if not self.goes_on.is_set():
            self.hangs.set()
            self.goes_on.wait()
        return np.full((len(windows), 2), 0.5, np.float32)


class Lively:
    """A live camera that sends a frame every 20 ms."""

    camera, is_live = "hall", True

    def __init__(self, clock: Clock, stopping: threading.Event) -> None:
        self._clock, self._stopping = clock, stopping

    def frames(self) -> Iterator[Frame | CameraChange]:
        yield CameraChange("hall", self._clock.now(), CameraState.LIVE)
        while not self._stopping.wait(0.02):
            yield Frame("hall", self._clock.now(), BgrPicture(np.zeros((8, 8, 3), np.uint8)))


@pytest.fixture
def recognizer() -> Hanging:
    return Hanging()


@pytest.fixture
def running(systemd: Systemd, recognizer: Hanging) -> Iterator[None]:
    clock = Clock()
    pipeline = Pipeline(recognizer, lambda camera: Tracker(camera, CONTRACT, SETTINGS), lambda: ExponentialMean(0.0))
    service = Service(pipeline, [Named("systemd", systemd)], [], clock)
    service.watch("hall", lambda stopping: Lively(clock, stopping))
    thread = threading.Thread(target=service.run)
    thread.start()
    yield
    recognizer.goes_on.set()
    service.stop()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.usefixtures("running")
def test_recognition_that_hangs_feeds_the_watchdog_no_more(ear: Ear, recognizer: Hanging) -> None:
    assert ear.next() == ["READY=1", "WATCHDOG=1"]
    assert "WATCHDOG=1" in ear.next()
    recognizer.goes_on.clear()
    assert recognizer.hangs.wait(10)
    while _has_more(ear):
        """What was said before it hung."""
    with pytest.raises(TimeoutError):
        ear.next(3 * TICK)
    recognizer.goes_on.set()
    assert "WATCHDOG=1" in ear.next()


def _has_more(ear: Ear) -> bool:
    try:
        ear.next(0.01)
    except TimeoutError:
        return False
    return True
