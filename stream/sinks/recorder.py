"""Records the annotated pictures as a video that plays in browsers at the original speed."""

from __future__ import annotations

import glob
import logging
import re
import tempfile
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from harstream.stream.sinks.annotate import annotate
from harstream.wire.errors import SinkError
from harstream.wire.values import Step

log = logging.getLogger(__name__)

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


class VideoRecorder:
    """A FrameSink that writes H.264 in MP4: one file, or one per camera with `-<camera>` in front of the suffix.

    Until `close` the files are named `*.part.mp4`, so that no incomplete file has the final name. A file that no player
    can read, because the disk was full or the run was killed, is deleted.
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(path)
        self._videos: dict[str, _CameraVideo] = {}

    def start(self) -> None:
        """Check the path. Raises SinkError if the recorder cannot write to it."""
        if self._path.suffix != ".mp4":
            raise SinkError(f"a recording is an .mp4 file, got {self._path}: choose a name that ends in .mp4")
        if self._path.is_dir():
            raise SinkError(f"cannot record to {self._path}: it is a folder")
        try:
            with tempfile.TemporaryFile(dir=self._path.parent):
                pass
            self._delete_parts_of_killed_runs()
        except OSError as error:
            raise SinkError(
                f"cannot record to {self._path}: the folder {self._path.parent} must exist and be writable "
                f"({error.strerror})"
            ) from error

    def show(self, step: Step) -> None:
        """Annotate and encode a picture, which takes some milliseconds. Raises SinkError, e.g. on a full disk."""
        if step.frame is None:
            return
        camera = step.notice.camera
        if camera not in self._videos:
            self._videos[camera] = _CameraVideo(self._path_of(camera))
        self._videos[camera].add(annotate(step), step.frame.time)

    def is_watching(self, camera: str) -> bool:
        return True

    def close(self) -> None:
        """Finish the files and rename them. Raises SinkError if one of them is not a complete video."""
        videos, self._videos = list(self._videos.values()), {}
        failures = []
        for video in videos:
            try:
                video.finish()
                video.path.replace(video.final if len(videos) > 1 else self._path)
            except SinkError as error:
                failures.append(error)
            except OSError as error:
                failures.append(SinkError(f"the recording stays in {video.path}: {error.strerror}"))
        if failures:
            raise failures[0]

    def _delete_parts_of_killed_runs(self) -> None:
        """Delete unfinished files of this recording. Without their end, which has the index, no player reads them."""
        stem = glob.escape(self._path.stem)
        for part in (*self._path.parent.glob(f"{stem}.part.mp4"), *self._path.parent.glob(f"{stem}-*.part.mp4")):
            log.warning("%s is deleted: the run that recorded it was killed, and no player can read it", part)
            part.unlink()

    def _path_of(self, camera: str) -> Path:
        word = re.sub(r"[^A-Za-z0-9_]+", "_", camera)
        while (path := self._path.with_stem(f"{self._path.stem}-{word}")) in {
            video.final for video in self._videos.values()
        }:
            word += "_"
        return path


class _CameraVideo:
    """The video of one camera, with each picture at its own time.

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

    def _failed(self, error: OSError | av.FFmpegError) -> SinkError:
        """Give up: release the space of a file whose end cannot be written. Return the failure, which stays."""
        self._failure = SinkError(
            f"cannot record to {self.path}: {_text_of(error)}; the recording is deleted, because it cannot be played"
        )
        if self._container is not None:
            with suppress(OSError, av.FFmpegError):
                self._container.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
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
