"""Writes pictures as a video that plays in browsers, with each picture at its own time."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from harstream.wire.errors import SinkError

RATE = 25
"""The rate that the encoder expects, in hertz. The file has the pictures' own times."""
TICKS = 90_000
"""Ticks per second of the MPEG clock. In it, the period of each common frame rate is a whole number."""
LONGEST_STILL = 5.0
"""Longest time that a picture stays, in seconds. A longer gap (lost camera, jump of the clock) becomes a cut."""
CUT = 1 / RATE
"""Seconds for which the last picture before a cut stays."""
H264 = {"preset": "veryfast", "crf": "23", "g": str(2 * RATE)}
"""Encoder options. A key frame at least every 50 pictures lets a player jump.

At 720p, ultrafast takes 11 ms of CPU per picture; superfast and veryfast take 20. veryfast gives the smallest file.
"""


class VideoWriter:
    """The video of one camera. Until `keep` its file has another name, so that no incomplete file has the final one.

    picture's time:     10.0   10.1   10.35   3600.0   3600.1
    time in the video:   0.0    0.1    0.35    0.39       0.49      a gap longer than LONGEST_STILL is cut
    """

    def __init__(self, final: Path) -> None:
        self.final = final
        self.path = final.with_suffix(".part.mp4")
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._failure: SinkError | None = None
        self._size = (0, 0)
        self._shift = 0.0
        """Seconds from a picture's time to its time in the video."""
        self._last_time = 0.0
        self._last_tick = -1

    def add(self, picture: NDArray[np.uint8], time: float) -> None:
        """Encode one BGR picture at `time`, in seconds. Raises SinkError, and raises it again after a failure."""
        if self._failure is not None:
            raise self._failure
        try:
            self._add(picture, time)
        except (OSError, av.FFmpegError) as error:
            raise self._failed(error) from error

    def finish(self) -> None:
        """Flush the encoder and close the file. Raises SinkError if the video is not complete."""
        if self._failure is not None:
            raise self._failure
        if self._container is None or self._stream is None:
            return
        try:
            self._container.mux(self._stream.encode())
            self._container.close()
        except (OSError, av.FFmpegError) as error:
            raise self._failed(error) from error

    def keep(self) -> None:
        """Finish the file and give it its final name. Raises SinkError and OSError."""
        self.finish()
        self.path.replace(self.final)

    def discard(self) -> None:
        """Delete what was written."""
        if self._container is not None:
            with suppress(OSError, av.FFmpegError):
                self._container.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _failed(self, error: OSError | av.FFmpegError) -> SinkError:
        """Give up: release the space of a file whose end cannot be written. Return the failure, which stays."""
        self._failure = SinkError(
            f"cannot record to {self.path}: {_text_of(error)}; the recording is deleted, because it cannot be played"
        )
        self.discard()
        return self._failure

    def _add(self, picture: NDArray[np.uint8], time: float) -> None:
        if self._stream is None or self._container is None:
            self._container, self._stream = self._open(picture)
            self._shift = -time
        elif not 0 <= time - self._last_time <= LONGEST_STILL:
            self._shift += self._last_time + CUT - time
        self._last_time = time
        tick = round((time + self._shift) * TICKS)
        if tick <= self._last_tick:
            return  # a second picture of the same tick
        self._last_tick = tick
        # OpenCV converts colours twice as fast as FFmpeg.
        planes = np.asarray(cv2.cvtColor(letterboxed(picture, self._size), cv2.COLOR_BGR2YUV_I420), np.uint8)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = tick, Fraction(1, TICKS)
        self._container.mux(self._stream.encode(frame))

    def _open(self, picture: NDArray[np.uint8]) -> tuple[OutputContainer, VideoStream]:
        H, W, _ = picture.shape
        self._size = (W - W % 2, H - H % 2)  # yuv420p stores colour for blocks of 2 x 2 pixels
        container = av.open(str(self.path), "w")
        stream = container.add_stream("libx264", rate=RATE, options=H264)
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"  # the only format that all browsers play
        stream.codec_context.time_base = Fraction(1, TICKS)
        container.start_encoding()  # opens the file now, because the first packet may come seconds later
        return container, stream


def _text_of(error: OSError | av.FFmpegError) -> str:
    return (error.strerror or str(error)).lower()


def letterboxed(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Scale a picture into `size`, (width, height) in pixels, without distortion, on black."""
    W, H = size
    h, w, _ = picture.shape
    if (w - w % 2, h - h % 2) == size:
        return np.ascontiguousarray(picture[:H, :W])
    scale = min(W / w, H / h)
    inner = cv2.resize(picture, (max(1, round(w * scale)), max(1, round(h * scale))), interpolation=cv2.INTER_AREA)
    h, w, _ = inner.shape
    canvas = np.zeros((H, W, 3), np.uint8)
    top, left = (H - h) // 2, (W - w) // 2
    canvas[top : top + h, left : left + w] = inner
    return canvas
