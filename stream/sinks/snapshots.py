"""Publishes a picture of each activity's start, for operators who ask for it in config.yaml."""

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

LONGEST = 640
"""Pixels of a picture's longer side."""


class Snapshots:
    """A FrameSink. It uses the MqttSink's publisher; that sink itself sees no pixels.

    The broker retains the last picture of each camera until the next one, or until it is cleared.
    """

    def __init__(self, publisher: Publisher, topics: Topics, broker: str, memory: Path) -> None:
        """`broker` is its URL. `memory` is the file that remembers where pictures are retained."""
        self._publisher = publisher
        self._topics = topics
        if_lost = "the last picture of a camera that leaves the config may stay at the broker"
        self._retained = RetainedTopics(publisher, broker, memory, if_lost=if_lost)
        # Guards the cameras: no picture may follow when another thread has cleared a camera's last one.
        self._changing = threading.Lock()
        self._cameras: frozenset[str] = frozenset()

    def start(self) -> None:
        """Read the memory. Call it once no other process uses the state folder."""
        self._retained.start()

    def take_cameras(self, cameras: Iterable[str]) -> None:
        """Publish pictures of these cameras from now on. Clear the pictures of all others, of earlier runs too."""
        with self._changing:
            self._keep(frozenset(cameras))

    def show_setting(self, setting: CameraControl) -> None:
        """Add a camera that is switched on, and clear the picture of one that is switched off. From any thread."""
        with self._changing:
            self._keep(self._cameras | {setting.camera} if setting.is_enabled else self._cameras - {setting.camera})

    def show(self, step: Step) -> None:
        frame = step.frame
        if frame is None or frame.camera not in self._cameras:
            return
        if not any(event.type is EventType.START for event in step.notice.events):
            return
        try:
            picture = jpeg(frame.picture.bgr(), LONGEST)
        except cv2.error as error:
            raise SinkError(f"expected a picture of camera {frame.camera}, got none: {error.err}") from error
        with self._changing:
            if frame.camera in self._cameras:
                self._publisher.retain(self._topics.snapshot(frame.camera), picture, qos=0)

    def close(self) -> None: ...

    def _keep(self, cameras: frozenset[str]) -> None:
        self._cameras = cameras
        self._retained.keep([self._topics.snapshot(camera) for camera in cameras])
