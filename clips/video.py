"""Decodes a video file into pictures with their times."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError, InvalidDataError
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream
from numpy.typing import NDArray

from harstream.models.box import WHOLE, Box
from harstream.models.picture import Picture, Pixels
from harstream.models.transform import planes_to_model_frame, to_model_frame

SUFFIXES = frozenset(
    {".3gp", ".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ts", ".webm", ".wmv"}
)
LARGEST_REST, LARGEST_REST_SHARE = 2.0, 0.05
"""A file is cut off if more seconds, and a larger share of its length, are missing. Stated lengths are not exact."""
PLANAR = ("yuv420p", "yuvj420p")
"""Pixel formats whose planes become a model frame without a conversion to BGR."""
INTERLEAVED = "nv12"
"""The same with U and V in one plane, as hardware decoders return it."""


class VideoError(Exception):
    """A file does not exist, is not a video, or holds no picture."""


class BrokenVideo(VideoError):
    """A file breaks in the middle. It is raised after the pictures before the break."""


class DecodedPicture:
    """A Picture of a decoded frame, rotated upright."""

    def __init__(self, frame: VideoFrame) -> None:
        self._frame = frame
        self._bgr: Pixels | None = None
        self._converting = threading.Lock()

    @property
    def size(self) -> tuple[int, int]:
        height, width = self._frame.height, self._frame.width
        return (width, height) if self._quarters % 2 else (height, width)

    def bgr(self) -> Pixels:
        with self._converting:
            if self._bgr is None:
                self._bgr = self._turned(np.asarray(self._frame.to_ndarray(format="bgr24"), dtype=np.uint8))
            return self._bgr

    def model_frame(self, height: int, width: int, box: Box = WHOLE) -> Pixels:
        frame = self._frame
        if frame.format.name not in (*PLANAR, INTERLEAVED):
            return to_model_frame(self.bgr(), height, width, box)
        planes = [self._turned(plane) for plane in _planes(frame)]
        is_full = frame.format.name == "yuvj420p" or frame.color_range == ColorRange.JPEG
        to_rgb = TO_RGB[frame.colorspace == Colorspace.ITU709, is_full]
        return planes_to_model_frame(planes, to_rgb, height, width, box)

    @property
    def _quarters(self) -> int:
        """Quarter turns to the left that make the frame upright."""
        return round(self._frame.rotation / 90) % 4

    def _turned(self, pixels: Pixels) -> Pixels:
        return np.ascontiguousarray(np.rot90(pixels, self._quarters)) if self._quarters else pixels


def pictures(path: Path) -> Iterator[tuple[float, Picture]]:
    """Yield (seconds since the first picture, picture); times strictly increase.

    It decodes the whole file, because the container's number of frames is often wrong. Raises VideoError if there is no
    picture, and BrokenVideo after the last picture of a file that breaks in the middle.
    """
    if not path.is_file():
        raise VideoError(f"expected a video file, found nothing at {path}")
    last: float | None = None
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            if (stream := best_video_stream(container)) is not None:
                for last, frame in _timed(container, stream):
                    yield last, DecodedPicture(frame)
    except (FFmpegError, _CutOff) as error:
        if last is not None:
            raise BrokenVideo(
                f"{path} breaks after {last:.1f} seconds: the rest is missing or cannot be decoded"
            ) from error
        if isinstance(error, PermissionError):
            raise VideoError(f"{path} cannot be read: permission denied") from error
        raise VideoError(f"expected a video, found nothing that can be decoded in {path}") from error
    if last is None:
        raise VideoError(f"expected a video, found nothing that can be decoded in {path}")


def best_video_stream(container: InputContainer) -> VideoStream | None:
    """Return the video stream with the most pixels, or None. Cover pictures of a file are no video.

    A stream of an unknown codec has no context.
    """
    videos = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic and getattr(stream, "codec_context", None) is not None
    ]
    return max(videos, key=lambda stream: stream.width * stream.height, default=None)


def stated_seconds(path: Path) -> float:
    """Return the length in seconds that the container states, 0 if it states none. It may be wrong."""
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            return max((container.duration or 0) / av.time_base, 0.0)
    except FFmpegError:
        return 0.0


def stated_format(path: Path) -> tuple[str, float | None]:
    """Return codec and pictures per second that the container states. Raises VideoError if it cannot be read."""
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            stream = best_video_stream(container)
            if stream is None:
                raise VideoError(f"expected a video, found none in {path}")
            return stream.codec_context.name, float(stream.average_rate) if stream.average_rate else None
    except FFmpegError as error:
        raise VideoError(f"expected a video, found nothing that can be decoded in {path}") from error


class _CutOff(Exception):
    """The file ends earlier than its container says."""


def _timed(container: InputContainer, stream: VideoStream) -> Iterator[tuple[float, VideoFrame]]:
    """Yield (seconds since the first frame, frame). Raises FFmpegError, and _CutOff after the last frame."""
    stream.thread_type = "NONE"
    rate = float(stream.average_rate or 0)
    period = 1 / rate if 0 < rate < 1000 else 1 / 25
    first, last = 0.0, -period
    for frame in _frames(container, stream):
        stamp = last + period if frame.time is None else frame.time
        first = stamp if last < 0 else first
        # Some containers have no times, or equal times for several pictures. Then the nominal rate continues.
        time = stamp - first if stamp - first > last else last + period
        yield time, frame
        last = time
    stated = _stated_seconds_of(stream)
    if last >= 0 and stated - last > max(LARGEST_REST, LARGEST_REST_SHARE * stated):
        raise _CutOff


def _frames(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Yield all frames that can be decoded. After a damaged spot, decoding continues. Raises _CutOff after the last."""
    is_cut = False
    for packet in packets(container, stream):
        is_cut = packet.is_corrupt if packet.size else is_cut
        try:
            yield from packet.decode()
        except InvalidDataError:
            continue
    if is_cut:
        raise _CutOff


def packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """Yield the packets of a stream. The last one is empty.

    PyAV 18 raises IndexError for a stream that was not announced at the opening: at its packets, as damaged MPEG-TS
    files have them, and at the end. A packet is already read then, so the next call goes on after it.
    """
    while True:
        try:
            for packet in container.demux(stream):
                yield packet
                if packet.size == 0 and packet.pts is None:
                    return
        except IndexError:
            continue
        return


def _stated_seconds_of(stream: VideoStream) -> float:
    """Return the length in seconds that the container states for this stream, 0 if it states none."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    # Matroska and WebM state the length of a stream as text.
    parts = stream.metadata.get("DURATION", "").split(":")
    try:
        hours, minutes, seconds = map(float, parts)
    except ValueError:
        return 0.0
    return 3600 * hours + 60 * minutes + seconds


def _planes(frame: VideoFrame) -> list[Pixels]:
    """Return Y, U and V of a frame."""
    if frame.format.name != INTERLEAVED:
        return [_pixels(plane) for plane in frame.planes]
    y, uv = frame.planes
    pairs = _rows(uv)[:, : 2 * uv.width].reshape(uv.height, uv.width, 2)
    return [_pixels(y), np.ascontiguousarray(pairs[..., 0]), np.ascontiguousarray(pairs[..., 1])]


def _pixels(plane: VideoPlane) -> NDArray[np.uint8]:
    """Return a view (height, width) of a plane."""
    return _rows(plane)[:, : plane.width]


def _rows(plane: VideoPlane) -> NDArray[np.uint8]:
    """Return a view (height, bytes of a line) of a plane."""
    return np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height]


def _to_rgb(red: float, blue: float, *, is_full: bool) -> NDArray[np.float32]:
    """Return the matrix (3, 4) from (Y, U, V, 1) to RGB, for the weights of red and blue in Y.

    Source: ITU-R BT.601-7 and BT.709-6.
    """
    scale, swing, black = (1.0, 1.0, 0.0) if is_full else (255 / 219, 255 / 224, 16.0)
    green = 1 - red - blue
    to_r, to_b = 2 * (1 - red) * swing, 2 * (1 - blue) * swing
    chroma = np.array([[0, to_r], [-to_b * blue / green, -to_r * red / green], [to_b, 0]])
    constant = -scale * black - 128 * chroma.sum(axis=1)
    return np.column_stack([np.full(3, scale), chroma, constant]).astype(np.float32)


TO_RGB = {
    (is_709, is_full): _to_rgb(*((0.2126, 0.0722) if is_709 else (0.299, 0.114)), is_full=is_full)
    for is_709 in (False, True)
    for is_full in (False, True)
}
"""The matrices by (whether it is BT.709, whether it uses all 256 levels)."""
