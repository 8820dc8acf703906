"""Receives commands on the MQTT topics `.../set`. It publishes each refusal on the topic `error`."""

from __future__ import annotations

import logging
import math
import time
from functools import partial

from harstream.mqtt.publisher import Publisher
from harstream.stream.service.change_queue import ChangeQueue
from harstream.stream.service.protocols import Controls
from harstream.wire.errors import ControlError
from harstream.wire.messages.node import ErrorMessage
from harstream.wire.payloads import OFF, ON
from harstream.wire.topics import Topics

log = logging.getLogger(__name__)

AS_CONFIGURED = "default"
"""The payload that restores the threshold of config.yaml."""
LOG_INTERVAL = 60.0
"""Shortest time between two refusals in the log, in seconds."""
LONGEST_COMMAND = 32
"""Longest payload of a command, in bytes."""
LONGEST_TOPIC = 200
"""Longest part of a topic that an answer repeats, in characters. A topic may have 65,000."""


class CameraCommands:
    """Puts each command into the change queue without waiting, and publishes refusals."""

    def __init__(self, publisher: Publisher, topics: Topics, controls: Controls, changes: ChangeQueue) -> None:
        """Subscribes to the command topics, so the publisher must not have started."""
        self._publisher = publisher
        self._topics = topics
        self._controls = controls
        self._changes = changes
        self._refused = 0
        """Refusals since the last logged refusal."""
        self._logged_at = -math.inf
        """Monotonic time of the last logged refusal, in seconds."""
        publisher.subscribe(topics.command("+", "+"), self._handle)

    def _handle(self, topic: str, payload: bytes, is_retained: bool) -> None:
        refuse = partial(self._refuse, topic)
        *_, camera, setting, _ = topic.split("/")
        try:
            if is_retained:
                raise ControlError(
                    "the broker repeats a retained command at every reconnection: send it without retain"
                )
            text = _text(payload)
            if setting == "enabled":
                self._changes.put(partial(self._controls.switch, camera, on=_is_on(text)), refuse)
            elif setting == "threshold":
                self._changes.put(partial(self._controls.set_threshold, camera, _threshold(text)), refuse)
            else:
                raise ControlError(f"expected enabled or threshold in the topic, got {setting[:LONGEST_COMMAND]!r}")
        except ControlError as error:
            refuse(str(error))

    def _refuse(self, topic: str, why: str) -> None:
        self._refused += 1
        if time.monotonic() - self._logged_at >= LOG_INTERVAL:  # otherwise a client in a loop fills the log
            earlier = f"; {self._refused - 1} more since the last such line" if self._refused > 1 else ""
            log.warning("refused the command on %r: %s%s", topic[:LONGEST_TOPIC], why, earlier)
            self._refused, self._logged_at = 0, time.monotonic()
        message = ErrorMessage.of(self._topics.node, topic[:LONGEST_TOPIC], why, time.time())
        self._publisher.publish_now(self._topics.error, message.encode())


def _text(payload: bytes) -> str:
    if len(payload) > LONGEST_COMMAND:
        raise ControlError(f"expected a word or a number, got {len(payload)} bytes")
    return payload.decode(errors="replace").strip()


def _is_on(text: str) -> bool:
    if text.upper() not in (ON, OFF):
        raise ControlError(f"expected {ON} or {OFF}, got {text!r}")
    return text.upper() == ON


def _threshold(text: str) -> float | None:
    if text == AS_CONFIGURED:
        return None
    try:
        return float(text)
    except ValueError:
        raise ControlError(f"expected a number between 0 and 1, or {AS_CONFIGURED}, got {text!r}") from None
