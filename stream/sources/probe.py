"""Probes cameras: reports codec, size and rate of each, or what is wrong and what to do."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import SupportsFloat

import cv2

from harstream.clips.video import VideoError, pictures, stated_format
from harstream.stream.sources.address import NetworkCamera, Scene, Source, VideoFile, Webcam
from harstream.stream.sources.attached_webcams import AttachedWebcam, attached_webcams, index_or_path
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.network.camera_times import Anchor
from harstream.stream.sources.network.http import http_pictures
from harstream.stream.sources.network.rtsp import open_camera, open_rtsp, timed_pictures
from harstream.stream.sources.reconnecting import Pictures
from harstream.stream.sources.webcam import open_webcam, read_pictures
from harstream.wire.errors import Misfit, SourceError
from harstream.wire.masking import masked_address

MEASURING_TIME = 3.0
"""Seconds over which the rate is measured, after the camera's backlog. Only the last two tell the speed of its times,
because many cameras send their first pictures late."""
LOWEST_RATE = 8.0
"""Pictures per second that every shipped model needs at least."""
LARGEST_DRIFT = 0.1
"""Difference of a camera's speed from 1 that is worth a remark. A second of measurement has jitter."""
LARGEST_RATE = 1000
"""The highest plausible rate, in pictures per second."""


@dataclass(frozen=True)
class CameraFormat:
    """Codec, size and rate of a camera's pictures."""

    codec: str
    width: int
    height: int
    stated: float | None
    """Pictures per second that the camera states; None if it states no rate."""
    measured: float | None
    """Measured pictures per second; None for a file, which is read as fast as possible."""
    speed: float | None = None
    """How fast the camera's own times run: 1 is right, 0 means that they stand still. None if it has no times."""

    def __str__(self) -> str:
        stated = f"{self.stated:.4g} frames/s stated" if self.stated else "no rate stated"
        measured = "" if self.measured is None else f", {self.measured:.1f} measured"
        return "; ".join([f"{self.codec} {self.width}x{self.height}, {stated}{measured}", *self.advice()])

    def advice(self) -> list[str]:
        """Return what is wrong with the rate and the times, and what to do."""
        found = []
        if self.measured is not None and self.measured < LOWEST_RATE:
            found.append(f"too few frames for the models, which need {LOWEST_RATE:g} a second: raise its frame rate")
        if self.speed is not None and abs(self.speed - 1) > LARGEST_DRIFT:
            runs = "stand still" if self.speed == 0 else f"run at {self.speed:.2f} times the right speed"
            found.append(f"its time stamps {runs}, so arrival times are used: set a constant frame rate in the camera")
        return found


def probe(source: Source) -> CameraFormat:
    """Read a source for a few seconds at most. Raises SourceError with what to do."""
    match source:
        case Webcam():
            return _webcam(source)
        case NetworkCamera():
            return _network_camera(source)
        case VideoFile(path):
            return _file(path)
        case Scene():
            from harstream.stream.sources.scene import drawn

            (first, picture), (second, _) = islice(drawn(source), 2)
            return CameraFormat("drawn", picture.shape[1], picture.shape[0], 1 / (second - first), None)


@dataclass(frozen=True)
class ProbeResult:
    """The format or the error of one camera."""

    name: str
    source: Source
    result: CameraFormat | SourceError

    def __str__(self) -> str:
        """Return name, source and result as one line. An error names the source itself."""
        words = self.name, describe(self.source) if isinstance(self.result, CameraFormat) else ""
        return f"{' '.join(filter(None, words))}: {self.result}".removeprefix(": ")


def probe_all(named: Sequence[tuple[str, Source]]) -> Iterator[ProbeResult]:
    """Probe the named cameras and then the machine's other webcams. Webcams that give no picture are left out.

    It probes all cameras at the same time, because a silent one takes five seconds.
    """
    sources = {source for _, source in named}
    asked = [*named, *((webcam.name, webcam.source) for webcam in _other_webcams(sources))]
    with ThreadPoolExecutor(max_workers=max(len(asked), 1)) as threads:
        results = threads.map(_probe_or_error, [source for _, source in asked])
        for (name, source), result in zip(asked, results, strict=True):
            if source in sources or isinstance(result, CameraFormat):  # some devices exist only for settings
                yield ProbeResult(name, source, result)


def describe(source: Source) -> str:
    match source:
        case Webcam():
            return str(source)
        case NetworkCamera(url):
            return masked_address(url)
        case VideoFile(path):
            return str(path)
        case Scene():
            return "scene"


def _probe_or_error(source: Source) -> CameraFormat | SourceError:
    try:
        return probe(source)
    except SourceError as error:
        return error


def _other_webcams(sources: Iterable[Source]) -> Iterator[AttachedWebcam]:
    """Yield the webcams of this machine that are not among the sources."""
    devices = {_device(source) for source in sources if isinstance(source, Webcam)}
    return (webcam for webcam in attached_webcams() if webcam.index not in devices)


def _device(webcam: Webcam) -> int | str:
    try:
        return index_or_path(webcam)
    except SourceError:  # its probe reports the error
        return str(webcam)


def _webcam(webcam: Webcam) -> CameraFormat:
    with open_webcam(webcam) as capture:
        W, H, rate = _measure(read_pictures(capture, webcam, Clock()))
        letters = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little", signed=True)
        codec = letters.decode("ascii", "replace").strip("\0 ") if letters.strip(b"\0") else "raw"
        return CameraFormat(codec, W, H, _plausible_rate(capture.get(cv2.CAP_PROP_FPS)), rate)


def _network_camera(camera: NetworkCamera) -> CameraFormat:
    if camera.url.startswith("http"):
        with open_camera(camera.url, {}) as (_, stream):
            codec = stream.codec_context.name
        W, H, rate = _measure(http_pictures(camera.url, Clock(), threading.Event()))
        return CameraFormat(codec, W, H, None, rate)
    anchor = Anchor()
    with open_rtsp(camera) as (container, stream):
        context = stream.codec_context
        stated = _plausible_rate(context.framerate) or _plausible_rate(stream.average_rate)
        W, H, rate = _measure(timed_pictures(container, stream, Clock(), anchor))
        return CameraFormat(context.name, W, H, stated, rate, anchor.speed)


def _file(path: Path) -> CameraFormat:
    try:
        VideoFile(path).check_exists()
        codec, rate = stated_format(path)
        ((_, picture),) = islice(pictures(path), 1)
    except (VideoError, Misfit) as error:
        raise SourceError(str(error)) from error
    return CameraFormat(codec, picture.bgr().shape[1], picture.bgr().shape[0], _plausible_rate(rate), None)


def _measure(seen: Pictures) -> tuple[int, int, float | None]:
    """Return width, height, and pictures per second by their own times. The rate of a single picture is None."""
    times: list[float] = []
    size = (0, 0)
    for time, picture in seen:
        if not times:
            H, W, _ = picture.bgr().shape
            size = (W, H)
        times.append(time)
        if time - times[0] >= MEASURING_TIME:
            break
    if not times:
        raise SourceError("expected pictures, got a stream that ended before the first")
    return *size, (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else None


def _plausible_rate(rate: SupportsFloat | None) -> float | None:
    """Return the rate, or None if it is implausible. Some cameras state 0, and others their time base."""
    return float(rate) if rate and 0 < float(rate) < LARGEST_RATE else None
