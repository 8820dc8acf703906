"""Publishes a picture of each activity's start, if config.yaml enables it."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

import cv2

from harstream.mqtt.publisher import Publisher
from harstream.mqtt.retained_topics import RetainedTopics
from harstream.stream.sinks.jpeg import jpeg
from harstream.wire.errors import SinkError
from harstream.wire.topics import Topics
from harstream.wire.values import CameraControl, EventType, Step

LONGER_SIDE = 640
"""The longer side of a published picture, in pixels."""


class Snapshots:
    """A FrameSink that publishes through the publisher of the MqttSink, which itself receives no pixels.

    The broker retains the last picture of each camera until the next one or until it is cleared.
    """

    def __init__(self, publisher: Publisher, topics: Topics, broker: str, file: Path) -> None:
        """`broker`: the broker's URL. `file`: stores the topics on which pictures are retained."""
        self._publisher = publisher
        self._topics = topics
        if_lost = "the last picture of a camera that leaves the config may stay at the broker"
        self._retained = RetainedTopics(publisher, broker, file, if_lost=if_lost)
        # The lock prevents a picture from being published after another thread has cleared the camera's last one.
        self._changing = threading.Lock()
        self._cameras: frozenset[str] = frozenset()

    def start(self) -> None:
        """Read the file. Call it after the state folder is locked for this process."""
        self._retained.start()

    def set_cameras(self, cameras: Iterable[str]) -> None:
        """Publish pictures of these cameras from now on. Clear the pictures of all others, also of earlier runs."""
        with self._changing:
            self._set_cameras(frozenset(cameras))

    def on_setting(self, setting: CameraControl) -> None:
        """Add an enabled camera, and clear the picture of a disabled one. Callable from any thread."""
        with self._changing:
            self._set_cameras(
                self._cameras | {setting.camera} if setting.is_enabled else self._cameras - {setting.camera}
            )

    def show(self, step: Step) -> None:
        frame = step.frame
        if frame is None or frame.camera not in self._cameras:
            return
        if not any(event.type is EventType.START for event in step.notice.events):
            return
        try:
            picture = jpeg(frame.picture.bgr(), LONGER_SIDE)
        except cv2.error as error:
            raise SinkError(f"expected a picture of camera {frame.camera}, got none: {error.err}") from error
        with self._changing:
            if frame.camera in self._cameras:
                self._publisher.retain(self._topics.snapshot(frame.camera), picture, qos=0)

    def is_watching(self, camera: str) -> bool:
        return False

    def close(self) -> None: ...

    def _set_cameras(self, cameras: frozenset[str]) -> None:
        self._cameras = cameras
        self._retained.keep([self._topics.snapshot(camera) for camera in cameras])
