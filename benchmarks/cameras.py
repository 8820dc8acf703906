"""Measures how many cameras one process can serve: it adds cameras until frames are dropped or late."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from itertools import count
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.drawn_video import RATE, drawn_video
from benchmarks.servers import network_camera
from benchmarks.tables import Table
from harstream.clips.video import pictures
from harstream.stream.app.pipeline_from_config import new_pipeline
from harstream.stream.config.model import Config
from harstream.stream.recognition import onnx_runtime as engine
from harstream.stream.service.protocols import NamedSink
from harstream.stream.service.service import Service
from harstream.stream.sources.address import NetworkCamera
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.network.rtsp import rtsp_pictures
from harstream.stream.sources.playback_clock import PlaybackClock
from harstream.stream.sources.reconnecting import ReconnectingSource
from harstream.wire.values import CameraChange, CameraState, Frame, Step

MODEL = "lrcn"
COUNTS = (1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 120, 140, 160)
OVER_RTSP = 8
"""At most this many cameras send over RTSP, and at most every second one."""
OLDEST = 0.2
"""Highest 95th percentile of the age of a frame at its recognition, in seconds."""
WARM_UP = 4.0
"""Seconds that do not count, while windows fill and all cameras start at once."""


@dataclass(frozen=True)
class Load:
    """The load of a process with so many cameras."""

    cameras: int
    came: float
    """Frames of the model's time grid that were recognized or dropped, as a share of the expected ones."""
    dropped: int
    """Frames of the model's time grid that were never recognized."""
    age_p50: float
    """Seconds from the time of a frame to its recognition."""
    age_p95: float
    cpu: float
    """Cores used."""
    memory: float
    """Peak memory of the process, in bytes."""

    @property
    def is_carried(self) -> bool:
        return self.came > 0.95 and not self.dropped and self.age_p95 < OLDEST


def measure(folder: Path, picture: Path | None, *, short: bool) -> Table:
    lasting = 2.0 if short else 20.0
    # Longer than the measurement: many cameras that open their file again at once would be an unrealistic load.
    file = drawn_video(folder, 320, 240, seconds=WARM_UP + lasting + 4)
    loads: list[Load] = []
    with network_camera(file) as url:
        for cameras in (1, 2) if short else COUNTS:
            loads.append(_in_a_process(file, url, cameras, lasting))
            if not loads[-1].is_carried:
                break
    if picture is not None:
        _draw(loads, picture)
    carried = max((load.cameras for load in loads if load.is_carried), default=0)
    first, last = loads[0], loads[-2 if len(loads) > 1 and not loads[-1].is_carried else -1]
    each = (last.memory - first.memory) / max(last.cameras - first.cameras, 1)
    decoding, recognizing = (last.cameras * RATE * seconds for seconds in _seconds_a_picture(file))
    over_rtsp = (
        f"Half of the cameras, at most {OVER_RTSP}, send over RTSP from a server on the same cores"
        if url
        else "No camera sends over RTSP, because GStreamer is not installed"
    )
    return Table(
        "cameras",
        "Cameras in one process",
        ("cameras", "frames dropped", "age p50, ms", "age p95, ms", "cores used", "memory, MB"),
        [
            [str(load.cameras), str(load.dropped), f"{1000 * load.age_p50:.0f}", f"{1000 * load.age_p95:.0f}",
             f"{load.cpu:.2f}", f"{load.memory / 1e6:.0f}"]
            for load in loads
        ],
        f"`{MODEL}` at 10 Hz, 320x240 H.264 at {RATE} frames per second. {over_rtsp}. The others are replays that "
        f"drop frames like a camera. No viewer, {os.cpu_count()} cores. Age: from the time of a frame to its "
        "recognition (over RTSP, from the earliest time at which it could be decoded here). Without dropped frames and "
        f"with a p95 below {1000 * OLDEST:.0f} ms: {carried} cameras, with about {each / 1e6:.1f} MB per camera. "
        f"{last.cameras} cameras use {last.cpu:.2f} cores: decoding alone takes {decoding:.2f}, recognition alone "
        f"{recognizing:.2f}. The rest goes to {last.cameras} threads, which wake {RATE} times per second and wait for "
        "each other.",
        picture,
    )  # fmt: skip


class LiveReplay:
    """Repeats a video at its own pace; a frame that is not processed in time is lost, like that of a camera."""

    is_live = True

    def __init__(self, camera: str, file: Path, delay: float, stopping: threading.Event) -> None:
        self.camera = camera
        self._file, self._delay, self._stopping = file, delay, stopping

    def frames(self) -> Iterator[Frame | CameraChange]:
        pace = PlaybackClock(Clock())
        start = pace.begin() + self._delay
        yield CameraChange(self.camera, start, CameraState.LIVE)
        shown = self._delay
        for _ in count():
            for _, picture in pictures(self._file):
                if not pace.wait(shown, self._stopping):
                    return
                yield Frame(self.camera, pace.start + shown, picture)
                shown += 1 / RATE


class Ages:
    """A FrameSink that collects the ages of frames, in seconds."""

    def __init__(self, clock: Clock) -> None:
        self.seconds: list[float] = []
        self._clock = clock

    def show(self, step: Step) -> None:
        if step.frame is not None:
            self.seconds.append(self._clock.now() - step.frame.time)

    def is_watching(self, camera: str) -> bool:
        return False

    def close(self) -> None: ...


def _over_rtsp(camera: str, url: str, clock: Clock, stopping: threading.Event) -> ReconnectingSource:
    return ReconnectingSource(
        camera, partial(rtsp_pictures, NetworkCamera(url), clock), clock, stopping, must_open=True
    )


def watch(file: Path, url: str | None, cameras: int, seconds: float) -> Load:
    """Run a service with so many cameras; `url` is that of a network camera that shows the same video."""
    clock, recognizer = Clock(), engine.load_engine(MODEL, "cpu")
    ages = Ages(clock)
    service = Service(new_pipeline(Config(model=MODEL), recognizer), [], [NamedSink("ages", ages)], clock)
    over_rtsp = min(OVER_RTSP, cameras // 2) if url else 0
    for number in range(cameras):
        name = f"camera{number}"
        service.watch(
            name,
            partial(_over_rtsp, name, url or "", clock)
            if number < over_rtsp
            else partial(LiveReplay, name, file, number / cameras / RATE),
        )
    before: list[float] = []

    def begin() -> None:
        ages.seconds.clear()
        before.extend([perf_counter(), _cpu_seconds(), float(service.dropped)])

    timers = [threading.Timer(WARM_UP, begin), threading.Timer(WARM_UP + seconds, service.stop)]
    for timer in timers:
        timer.start()
    service.run()
    wall, cpu, dropped = perf_counter() - before[0], _cpu_seconds() - before[1], service.dropped - int(before[2])
    p50, p95 = (float(share) for share in np.percentile(ages.seconds, (50, 95)))
    came = (len(ages.seconds) + dropped) / (cameras * seconds * recognizer.contract.live_rate)
    return Load(cameras, came, dropped, p50, p95, cpu / wall, _peak_memory())


def _seconds_a_picture(file: Path) -> tuple[float, float]:
    """Return the seconds for decoding a picture and for recognition in it, each alone on one thread."""
    recognizer = engine.load_engine(MODEL, "cpu")
    began = perf_counter()
    frames = [Frame("camera", time, picture) for time, picture in pictures(file)]
    decoded = perf_counter()
    for _ in new_pipeline(Config(model=MODEL), recognizer).steps([frame] for frame in frames):
        pass
    return (decoded - began) / len(frames), (perf_counter() - decoded) / len(frames)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak_memory() -> float:
    """Return the peak memory of this process in bytes. On Linux, getrusage includes the process that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * float(status.read_text().partition("VmHWM:")[2].split()[0])
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)  # in bytes on macOS


def _in_a_process(file: Path, url: str | None, cameras: int, seconds: float) -> Load:
    """Measure in a separate process, to measure its memory."""
    command = [sys.executable, "-m", "benchmarks.cameras", str(file), url or "", str(cameras), str(seconds)]
    return Load(**json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


def _draw(loads: list[Load], picture: Path) -> None:
    from matplotlib.figure import Figure  # imported here to stay out of the memory of measured processes

    figure = Figure(figsize=(7, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    cameras = [load.cameras for load in loads]
    left.plot(cameras, [load.cpu for load in loads], marker="o", color="#2563eb")
    left.set(xlabel="cameras", ylabel="cores used", ylim=(0, None), xlim=(0, None))
    right.plot(cameras, [1000 * load.age_p95 for load in loads], marker="o", color="#2563eb", label="p95")
    right.plot(cameras, [1000 * load.age_p50 for load in loads], marker="o", color="#93c5fd", label="p50")
    right.axhline(1000 * OLDEST, color="#dc2626", linestyle="--", linewidth=1)
    right.set(xlabel="cameras", ylabel="age of a frame, ms", yscale="log", xlim=(0, None))
    right.legend(frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3)
    figure.savefig(picture)


if __name__ == "__main__":
    film_file, camera_url, how_many, how_long = sys.argv[1:]
    print(json.dumps(asdict(watch(Path(film_file), camera_url or None, int(how_many), float(how_long)))))
