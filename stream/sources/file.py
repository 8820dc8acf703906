"""Plays every frame of a video file as a camera, at the file's own pace or as fast as possible."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

from harstream.clips.video import VideoError, pictures
from harstream.stream.sources.playback_clock import PlaybackClock
from harstream.wire.errors import SourceError, Trouble
from harstream.wire.values import CameraChange, CameraState, Frame


class FileSource:
    """A FrameSource over a video file."""

    is_live = False

    def __init__(self, camera: str, path: Path, playback: PlaybackClock, stopping: threading.Event) -> None:
        self.camera = camera
        self._path = path
        self._playback = playback
        self._stopping = stopping

    def frames(self) -> Iterator[Frame | CameraChange]:
        """Yield every frame and the changes of the camera.

        Raises SourceError if the file cannot be played, and after its
        last frame if it breaks in the middle."""
        time = self._playback.begin()
        is_first = True
        try:
            for offset, picture in pictures(self._path):
                if not self._playback.wait(offset, self._stopping):
                    return
                time = self._playback.start + offset
                if is_first:
                    yield CameraChange(self.camera, time, CameraState.LIVE)
                    is_first = False
                yield Frame(self.camera, time, picture)
        except VideoError as error:
            yield CameraChange(self.camera, time, CameraState.OFFLINE, str(error), Trouble.UNDECODABLE)
            raise SourceError(f"camera {self.camera}: {error}", Trouble.UNDECODABLE) from error
        yield CameraChange(self.camera, time, CameraState.OFFLINE, "the file ended")
