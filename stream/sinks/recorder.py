"""Records what was seen and recognized as an annotated video that plays at the speed at which it happened."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from harstream.models.contract import ModelContract
from harstream.stream.sinks.annotate import annotate
from harstream.wire.errors import SinkError
from harstream.wire.values import Step

RATE = 25
"""Pictures a second in the file."""
LONGEST_STILL = 5.0
"""Seconds a picture stands for at most; a longer gap (a lost camera, a clock that jumped) becomes a cut."""


class VideoRecorder:
    """A FrameSink that writes mp4: one file, or one for each camera with `-<camera>` before the suffix.

    Until `close` the files are called `*.part.mp4`, so that nothing half-written carries the final name.
    """

    def __init__(self, path: Path, contract: ModelContract) -> None:
        self._path = Path(path)
        self._contract = contract
        self._films: dict[str, _Film] = {}

    def start(self) -> None:
        """Raises SinkError when nothing could be recorded there."""
        if self._path.suffix != ".mp4":
            raise SinkError(f"a recording is an .mp4 file, got {self._path}: choose a name that ends in .mp4")
        if self._path.is_dir():
            raise SinkError(f"cannot record to {self._path}: it is a folder")
        try:
            with tempfile.TemporaryFile(dir=self._path.parent):
                pass
        except OSError as error:
            raise SinkError(
                f"cannot record to {self._path}: the folder {self._path.parent} must exist and be writable "
                f"({error.strerror})"
            ) from error

    def show(self, step: Step) -> None:
        """Draws and encodes on the calling thread: some milliseconds. Raises SinkError when no file can be opened."""
        if step.frame is None:
            return
        camera = step.notice.camera
        if camera not in self._films:
            self._films[camera] = _Film(self._named(camera))
        self._films[camera].add(annotate(step, self._contract), step.frame.time)

    def close(self) -> None:
        """Finishes the files and gives them their names. Raises SinkError when one did not become a video."""
        films, self._films = list(self._films.values()), {}
        failures = []
        for film in films:
            try:
                film.finish()
                film.path.replace(film.final if len(films) > 1 else self._path)
            except SinkError as error:
                failures.append(error)
            except OSError as error:
                failures.append(SinkError(f"the recording stays in {film.path}: {error.strerror}"))
        if failures:
            raise failures[0]

    def _named(self, camera: str) -> Path:
        word = re.sub(r"[^A-Za-z0-9_]+", "_", camera)
        while (path := self._path.with_stem(f"{self._path.stem}-{word}")) in {f.final for f in self._films.values()}:
            word += "_"
        return path


class _Film:
    """Pictures with times, put onto an even grid: a picture is repeated until the next one's time, or dropped.

    picture's time:     0.00  0.10             0.22  0.23
    written at 25/s:     0  0  0(.08)  1  1  1  3        2 came and went between two grid times
    """

    def __init__(self, final: Path) -> None:
        self.final = final
        self.path = final.with_suffix(".part.mp4")
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._held: tuple[NDArray[np.uint8], float] | None = None
        self._start = 0.0
        self._written = 0

    def add(self, picture: NDArray[np.uint8], time: float) -> None:
        if self._writer is None:
            self._open(picture)
        if self._held is None:
            self._start = time
        else:
            gap = time - self._held[1]
            if not 0 <= gap <= LONGEST_STILL:
                self._start += gap - 1 / RATE
            self._write_until(round((time - self._start) * RATE))
        self._held = fitted(picture, self._size), time

    def finish(self) -> None:
        if self._writer is None:
            return
        self._write_until(self._written + 1)
        self._writer.release()
        # VideoWriter tells of no error, not even of a full disk: whether it is a video, only reading it shows.
        reading = cv2.VideoCapture(str(self.path))
        is_whole = reading.isOpened() and reading.get(cv2.CAP_PROP_FRAME_COUNT) >= self._written
        reading.release()
        if not is_whole:
            raise SinkError(f"{self.path} did not become a whole video: is the disk full?")

    def _open(self, picture: NDArray[np.uint8]) -> None:
        H, W, _ = picture.shape
        self._size = (W - W % 2, H - H % 2)  # the codec stores colour for blocks of 2 x 2 pixels
        self._writer = cv2.VideoWriter(str(self.path), cv2.VideoWriter.fourcc(*"mp4v"), RATE, self._size)
        if not self._writer.isOpened():
            self._writer = None
            raise SinkError(f"{self.path} cannot be opened for a video of {W} x {H} pixels")

    def _write_until(self, count: int) -> None:
        assert self._writer is not None
        while self._held is not None and self._written < count:
            self._writer.write(self._held[0])
            self._written += 1


def fitted(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Into (width, height) pixels whole and undistorted, on black."""
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
