"""Plays the built-in demo as a camera. The project draws the footage itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from harstream.models.picture import Pixels
from harstream.models.transform import BgrPicture
from harstream.scene.film import frames
from harstream.scene.script import routine, script
from harstream.stream.sources.address import Scene
from harstream.stream.sources.playback_clock import PlaybackClock
from harstream.wire.values import CameraChange, CameraState, Frame

SIZE = 320, 240
SIZE_OF_TWO = 426, 240
"""Width and height of a picture with two people: each has about as much room as one alone."""


def drawn(scene: Scene) -> Iterator[tuple[float, Pixels]]:
    """Yield seconds since the start and pictures (H, W, 3) uint8 BGR."""
    write = routine if scene.has_routine else script
    first, *company = (write(scene.seed + number, scene.seconds) for number in range(scene.people))
    return frames(first, scene.seed, size=SIZE_OF_TWO if company else SIZE, company=company)


class SceneSource:
    """A FrameSource over drawn footage."""

    is_live = False

    def __init__(
        self,
        camera: str,
        playback: PlaybackClock,
        stopping: threading.Event,
        *,
        scene: Scene,
    ) -> None:
        """The same seed draws the same pictures."""
        self.camera = camera
        self._playback = playback
        self._stopping = stopping
        self._scene = scene

    def frames(self) -> Iterator[Frame | CameraChange]:
        time = self._playback.begin()
        yield CameraChange(self.camera, time, CameraState.LIVE)
        for offset, picture in drawn(self._scene):
            if not self._playback.wait(offset, self._stopping):
                return
            time = self._playback.start + offset
            yield Frame(self.camera, time, BgrPicture(picture))
        yield CameraChange(self.camera, time, CameraState.OFFLINE, "the scene ended")
