"""Maps a camera's parsed `source` to the class that reads it. A new kind of source is added here."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial

from harstream.stream.sources.address import NetworkCamera, Scene, Source, VideoFile, Webcam
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.file import FileSource
from harstream.stream.sources.playback_clock import PlaybackClock
from harstream.stream.sources.reader import NewSource
from harstream.stream.sources.reconnecting import Pictures, ReconnectingSource
from harstream.wire.errors import Misfit, SourceError

log = logging.getLogger(__name__)


def new_source(camera: str, source: Source, clock: Clock, *, must_open: bool) -> NewSource:
    """Return a factory for the source of a camera. A file and the scene play at their own pace.

    `must_open`: the source raises SourceError if a live camera does not open at the first attempt.
    Raises SourceError for a file that does not exist.
    """
    match source:
        case Webcam() as webcam:
            from harstream.stream.sources.webcam import webcam_pictures

            return _live(camera, clock, must_open, lambda _: webcam_pictures(webcam, clock))
        case NetworkCamera(url) if url.startswith("http"):
            from harstream.stream.sources.network.http import http_pictures

            return _live(camera, clock, must_open, partial(http_pictures, url, clock))
        case NetworkCamera() as network_camera:
            from harstream.stream.sources.network.rtsp import rtsp_pictures

            device = _hardware_decoder(camera) if network_camera.decoder == "hardware" else None
            return _live(camera, clock, must_open, lambda _: rtsp_pictures(network_camera, clock, device))
        case Scene() as scene:
            from harstream.stream.sources.scene import SceneSource

            return partial(SceneSource, camera, PlaybackClock(clock), scene=scene)
        case VideoFile(path) as file:
            try:
                file.check_exists()
            except Misfit as error:
                raise SourceError(f"camera {camera}: {error}") from error
            return partial(FileSource, camera, path, PlaybackClock(clock))


def _hardware_decoder(camera: str) -> str | None:
    """Return the kind of a hardware decoder, or None without one. The log says which."""
    from harstream.stream.sources.network.hardware_decoder import hardware_decoder

    device = hardware_decoder()
    if device is None:
        log.warning("%s: no hardware decoder was found, so the processor decodes", camera)
    else:
        log.info("%s: hardware decodes (%s)", camera, device)
    return device


def _live(
    camera: str, clock: Clock, must_open: bool, open_pictures: Callable[[threading.Event], Pictures]
) -> NewSource:
    """`open_pictures` opens the camera once. Its pictures end soon after the given event is set."""
    return lambda stopping: ReconnectingSource(
        camera, lambda: open_pictures(stopping), clock, stopping, must_open=must_open
    )
