"""A picture of each activity's start, over MQTT, for those who asked for it in their config."""

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
from harstream.wire.values import EventType, Step

LONGEST = 640
"""Pixels of a picture's longer side."""


class Snapshots:
    """A FrameSink beside the MqttSink, which sees no pixels; they share the publisher.

    The last picture of each camera stays at the broker until another takes its place, or it is taken back.
    """

    def __init__(self, publisher: Publisher, topics: Topics, broker: str, memory: Path) -> None:
        """`memory`: the file in which to remember where pictures were left."""
        self._publisher = publisher
        self._topics = topics
        if_lost = "the last picture of a camera that leaves the config may stay at the broker"
        self._retained = RetainedTopics(publisher, broker, memory, if_lost=if_lost)
        # So that no picture is sent of a camera after its last one was taken back, on another thread.
        self._changing = threading.Lock()
        self._cameras: frozenset[str] = frozenset()

    def start(self) -> None:
        """Once the state folder is ours alone."""
        self._retained.start()

    def take(self, cameras: Iterable[str]) -> None:
        """Of these from now on, and of no others: their pictures are taken back, those of earlier runs too."""
        with self._changing:
            self._cameras = frozenset(cameras)
            self._retained.keep([self._topics.snapshot(camera) for camera in self._cameras])

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
