"""Tries cameras: reports what each gives (codec, size, rate), or what is wrong and what to do."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import SupportsFloat

import cv2

from harstream.clips.video import VideoError, pictures, stated_format
from harstream.stream.sources.address import NetworkCamera, Scene, Source, VideoFile, Webcam, without_password
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.reconnecting import Pictures
from harstream.stream.sources.rtsp import opened_camera, timed_pictures
from harstream.stream.sources.webcam import captured, opened_webcam
from harstream.wire.errors import SourceError

MEASURED = 1.5
"""Seconds of pictures over which a rate is measured, after the camera's backlog."""
WEBCAMS_TRIED = 4
"""Indices that are tried where the system has no list of devices."""
LARGEST_RATE = 1000
"""Pictures per second."""


@dataclass(frozen=True)
class Seen:
    """What a camera gives."""

    codec: str
    width: int
    height: int
    stated: float | None
    """Pictures per second that the camera states; None where it states none."""
    measured: float | None
    """Pictures per second that came; None for a file, which is read as fast as it goes."""

    def __str__(self) -> str:
        stated = f"{self.stated:.4g} frames/s stated" if self.stated else "no rate stated"
        measured = "" if self.measured is None else f", {self.measured:.1f} measured"
        return f"{self.codec} {self.width}x{self.height}, {stated}{measured}"


def seen_by(source: Source) -> Seen:
    """Watch a source for some seconds at most. Raises SourceError with what to do."""
    match source:
        case Webcam(index):
            return _webcam(index)
        case NetworkCamera(url):
            return _network_camera(url)
        case VideoFile(path):
            return _file(path)
        case Scene(seed):
            from harstream.scene.film import frames
            from harstream.scene.script import script

            (first, picture), (second, _) = islice(frames(script(seed, 1.0), seed), 2)
            return Seen("drawn", picture.shape[1], picture.shape[0], 1 / (second - first), None)


@dataclass(frozen=True)
class Tried:
    name: str
    source: Source
    result: Seen | SourceError

    def __str__(self) -> str:
        """The name and the result; an error names the source itself."""
        words = self.name, shown(self.source) if isinstance(self.result, Seen) else ""
        return f"{' '.join(filter(None, words))}: {self.result}".removeprefix(": ")


def tried(named: Sequence[tuple[str, Source]]) -> Iterator[Tried]:
    """Try the named cameras, and then the other webcams of this machine; yield no webcam that gives nothing.

    All are tried at the same time, because a silent one takes five seconds.
    """
    sources = {source for _, source in named}
    asked = [*named, *(("", webcam) for webcam in _attached() if webcam not in sources)]
    with ThreadPoolExecutor(max_workers=max(len(asked), 1)) as threads:
        results = threads.map(_seen_or_error, [source for _, source in asked])
        for (name, source), result in zip(asked, results, strict=True):
            if source in sources or isinstance(result, Seen):  # some devices exist for settings only
                yield Tried(name, source, result)


def shown(source: Source) -> str:
    match source:
        case Webcam(index):
            return f"webcam {index}"
        case NetworkCamera(url):
            return without_password(url)
        case VideoFile(path):
            return str(path)
        case Scene():
            return "scene"


def _seen_or_error(source: Source) -> Seen | SourceError:
    try:
        return seen_by(source)
    except SourceError as error:
        return error


def _attached() -> list[Webcam]:
    if sys.platform != "linux":
        return [Webcam(index) for index in range(WEBCAMS_TRIED)]
    numbers = (device.name.removeprefix("video") for device in Path("/dev").glob("video*"))
    return [Webcam(index) for index in sorted(int(number) for number in numbers if number.isdecimal())]


def _webcam(index: int) -> Seen:
    with opened_webcam(index) as capture:
        W, H, rate = _watched(captured(capture, index, Clock()))
        letters = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little", signed=True)
        codec = letters.decode("ascii", "replace").strip("\0 ") if letters.strip(b"\0") else "raw"
        return Seen(codec, W, H, _sound(capture.get(cv2.CAP_PROP_FPS)), rate)


def _network_camera(url: str) -> Seen:
    with opened_camera(url) as (container, stream):
        W, H, rate = _watched(timed_pictures(container, stream, Clock()))
        context = stream.codec_context
        return Seen(context.name, W, H, _sound(context.framerate) or _sound(stream.average_rate), rate)


def _file(path: Path) -> Seen:
    try:
        codec, rate = stated_format(path)
        ((_, picture),) = islice(pictures(path), 1)
    except VideoError as error:
        raise SourceError(str(error)) from error
    return Seen(codec, picture.bgr().shape[1], picture.bgr().shape[0], _sound(rate), None)


def _watched(seen: Pictures) -> tuple[int, int, float | None]:
    """Width, height, and pictures per second by their own times; no rate where only one came."""
    times: list[float] = []
    size = (0, 0)
    for time, picture in seen:
        if not times:
            H, W, _ = picture.bgr().shape
            size = (W, H)
        times.append(time)
        if time - times[0] >= MEASURED:
            break
    if not times:
        raise SourceError("expected pictures, got a stream that ended before the first")
    return *size, (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else None


def _sound(rate: SupportsFloat | None) -> float | None:
    """The rate, or None for what is none: some cameras state 0, and some their time base."""
    return float(rate) if rate and 0 < float(rate) < LARGEST_RATE else None
