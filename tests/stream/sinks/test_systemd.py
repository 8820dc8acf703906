"""The messages that systemd receives on its datagram socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
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
from harstream.stream.service.protocols import NamedSink
from harstream.stream.service.service import Service
from harstream.stream.sinks.systemd import Systemd
from harstream.stream.sources.clock import Clock
from harstream.wire.errors import SinkError
from harstream.wire.health import HealthState
from harstream.wire.values import CameraChange, CameraState, Frame
from tests.support.values import MakeHealth

NOON = 1_700_000_000.0
CONTRACT = ModelContract(name="stuck", version="1", labels=("Idle", "Wave"), frames=2, height=8, width=8, rate=10.0)
SETTINGS = TrackerSettings(
    start_above=0.8, end_below=0.5, hold=1.0, gone=1.0, merge=1.0, update=1.0, max_duration=60.0, overrides={}
)


class NotifySocket:
    """Receives notifications as systemd does."""

    def __init__(self, address: str | bytes) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)

    def next(self, seconds: float = 10.0) -> list[str]:
        """Returns the lines of one message. Raises TimeoutError."""
        self._socket.settimeout(seconds)
        return self._socket.recv(4096).decode().splitlines()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def notify_socket(tmp_path: Path) -> Iterator[NotifySocket]:
    notify_socket = NotifySocket(str(tmp_path / "notify"))
    yield notify_socket
    notify_socket.close()


@pytest.fixture
def systemd(notify_socket: NotifySocket, tmp_path: Path) -> Systemd:
    return Systemd(str(tmp_path / "notify"))


def test_the_first_health_reports_ready_and_each_one_feeds_the_watchdog(
    systemd: Systemd, notify_socket: NotifySocket, make_health: MakeHealth
) -> None:
    for second in range(2):
        systemd.report(make_health(time=NOON + second))
    assert notify_socket.next() == ["READY=1", "WATCHDOG=1"]
    assert notify_socket.next() == ["WATCHDOG=1", "STATUS=1 of 1 cameras live"]


def test_the_health_of_four_cameras_is_one_message(
    systemd: Systemd, notify_socket: NotifySocket, make_health: MakeHealth
) -> None:
    for second in range(3):
        for camera, state in (("attic", "live"), ("cellar", "offline"), ("hall", "live"), ("yard", "live")):
            systemd.report(make_health(time=NOON + second, camera=camera, state=HealthState(state)))
    assert notify_socket.next() == ["READY=1", "WATCHDOG=1"]
    assert notify_socket.next() == ["WATCHDOG=1", "STATUS=3 of 4 cameras live, 1 offline"]
    assert notify_socket.next() == ["WATCHDOG=1", "STATUS=3 of 4 cameras live, 1 offline"]
    with pytest.raises(TimeoutError):
        notify_socket.next(0.1)


def test_a_reload_reports_its_begin_and_its_end(
    systemd: Systemd, notify_socket: NotifySocket, make_health: MakeHealth
) -> None:
    systemd.report(make_health())
    notify_socket.next()
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    systemd.report_reloading()
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    began, moment = notify_socket.next()
    assert (began, moment.split("=")[0]) == ("RELOADING=1", "MONOTONIC_USEC")
    assert before // 1000 <= int(moment.split("=")[1]) <= after // 1000
    systemd.report_reloaded()
    systemd.report_stopping()
    assert [notify_socket.next(), notify_socket.next()] == [["READY=1"], ["STOPPING=1"]]


def test_a_reload_before_the_service_is_ready_reports_nothing(systemd: Systemd, notify_socket: NotifySocket) -> None:
    systemd.report_reloading()
    systemd.report_reloaded()
    systemd.report_stopping()
    assert notify_socket.next() == ["STOPPING=1"]


def test_an_abstract_address_begins_with_an_at_sign(make_health: MakeHealth, tmp_path: Path) -> None:
    notify_socket = NotifySocket(b"\0" + bytes(tmp_path))
    Systemd(f"@{tmp_path}").report(make_health())
    assert notify_socket.next() == ["READY=1", "WATCHDOG=1"]
    notify_socket.close()


def test_sink_without_an_address_does_nothing(make_health: MakeHealth) -> None:
    systemd = Systemd("")
    systemd.report(make_health())
    systemd.report_reloading()
    systemd.report_stopping()


def test_a_missing_socket_is_a_sink_error_and_ready_is_sent_once_it_exists(
    tmp_path: Path, make_health: MakeHealth
) -> None:
    systemd = Systemd(str(tmp_path / "notify"))
    with pytest.raises(SinkError, match="NOTIFY_SOCKET"):
        systemd.report(make_health())
    systemd.report_stopping()
    notify_socket = NotifySocket(str(tmp_path / "notify"))
    systemd.report(make_health(time=NOON + 1))
    assert notify_socket.next()[:2] == ["READY=1", "WATCHDOG=1"]
    notify_socket.close()


class HangingRecognizer:
    """A Recognizer that hangs while `goes_on` is not set."""

    contract = CONTRACT
    lookback = 0
    row_shape: tuple[int, ...] = (8, 8, 3)
    row_dtype: np.dtype[np.generic] = np.dtype(np.uint8)
    parts = ()

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


class SteadyCamera:
    """A live camera that sends a frame every 20 ms."""

    camera, is_live = "hall", True

    def __init__(self, clock: Clock, stopping: threading.Event) -> None:
        self._clock, self._stopping = clock, stopping

    def frames(self) -> Iterator[Frame | CameraChange]:
        yield CameraChange("hall", self._clock.now(), CameraState.LIVE)
        while not self._stopping.wait(0.02):
            yield Frame("hall", self._clock.now(), BgrPicture(np.zeros((8, 8, 3), np.uint8)))


@pytest.fixture
def recognizer() -> HangingRecognizer:
    return HangingRecognizer()


@pytest.fixture
def running(systemd: Systemd, recognizer: HangingRecognizer) -> Iterator[None]:
    clock = Clock()
    pipeline = Pipeline(recognizer, lambda camera: Tracker(camera, CONTRACT, SETTINGS), lambda: ExponentialMean(0.0))
    service = Service(pipeline, [NamedSink("systemd", systemd)], [], clock)
    service.watch("hall", lambda stopping: SteadyCamera(clock, stopping))
    thread = threading.Thread(target=service.run)
    thread.start()
    yield
    recognizer.goes_on.set()
    service.stop()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.usefixtures("running")
def test_recognition_that_hangs_no_longer_feeds_the_watchdog(
    notify_socket: NotifySocket, recognizer: HangingRecognizer
) -> None:
    assert notify_socket.next() == ["READY=1", "WATCHDOG=1"]
    assert "WATCHDOG=1" in notify_socket.next()
    recognizer.goes_on.clear()
    assert recognizer.hangs.wait(10)
    while _has_more(notify_socket):
        pass  # these messages were sent before it hung
    with pytest.raises(TimeoutError):
        notify_socket.next(3 * TICK)
    recognizer.goes_on.set()
    assert "WATCHDOG=1" in notify_socket.next()


def _has_more(notify_socket: NotifySocket) -> bool:
    try:
        notify_socket.next(0.01)
    except TimeoutError:
        return False
    return True
