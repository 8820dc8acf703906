"""Records the annotated pictures as a video that plays in browsers at the original speed."""

from __future__ import annotations

import glob
import logging
import re
import tempfile
from pathlib import Path

from harstream.stream.sinks.annotate import annotate
from harstream.stream.sinks.video_writer import VideoWriter
from harstream.wire.errors import SinkError
from harstream.wire.values import Step

log = logging.getLogger(__name__)


class VideoRecorder:
    """A FrameSink that writes H.264 in MP4: one file, or one per camera with `-<camera>` in front of the suffix.

    Until `close` the files are named `*.part.mp4`, so that no incomplete file has the final name. A file that no player
    can read, because the disk was full or the run was killed, is deleted.
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(path)
        self._videos: dict[str, VideoWriter] = {}

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
            self._videos[camera] = VideoWriter(self._path_of(camera))
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
