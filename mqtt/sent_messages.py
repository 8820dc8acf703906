"""The messages of a connection that the broker may not have processed yet, to find the one that it disconnects at."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import paho.mqtt.client as paho

from harstream.mqtt.outbox import QueuedMessage

SOON = 5.0
"""Seconds. A message that was sent longer ago did not cause the disconnect."""


class SentMessage(NamedTuple):
    """A message that was handed to paho."""

    topic: str
    size: int
    """Bytes of the packet."""
    qos: int
    info: paho.MQTTMessageInfo
    at: float
    event: QueuedMessage | None


class Suspect(NamedTuple):
    """The message that was probably the reason of a disconnect."""

    topic: str
    size: int
    event: QueuedMessage | None

    def is_same(self, other: Suspect | None) -> bool:
        """Return whether it is the same message again, or the same topic and size."""
        return other is not None and (self.topic, self.size) == (other.topic, other.size)


class SentMessages:
    """Keeps the latest messages in their order. A broker processes them in that order."""

    def __init__(self) -> None:
        self._sent: deque[SentMessage] = deque(maxlen=1000)

    def add(
        self, topic: str, size: int, qos: int, info: paho.MQTTMessageInfo, event: QueuedMessage | None = None
    ) -> None:
        self._sent.append(SentMessage(topic, size, qos, info, time.monotonic(), event))

    def topic_of(self, number: int) -> str:
        """Return the topic of a message by its packet identifier, or "" if it is not known."""
        return next((one.topic for one in reversed(self._sent) if one.qos and one.info.mid == number), "")

    def suspect(self) -> Suspect | None:
        """Return the largest message since the last acknowledged one, if it was sent just before."""
        recent = [one for one in self._unprocessed() if time.monotonic() - one.at < SOON]
        largest = max(recent, key=lambda one: one.size, default=None)
        return largest and Suspect(largest.topic, largest.size, largest.event)

    def _unprocessed(self) -> Iterator[SentMessage]:
        for one in reversed(self._sent):
            # paho reports NO_CONN also for a message that it sent just before the disconnect.
            if one.qos and one.info.rc == paho.MQTT_ERR_SUCCESS and one.info.is_published():
                return
            yield one
