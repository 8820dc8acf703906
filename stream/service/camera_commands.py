"""Control over MQTT: what is asked for on `.../set` topics, and what is so on `.../state`, retained."""

from __future__ import annotations

import logging
import math
import time
from functools import partial

from harstream.mqtt.publisher import Publisher
from harstream.stream.service.protocols import Controls
from harstream.wire.errors import ControlError
from harstream.wire.messages.node import ErrorMessage
from harstream.wire.payloads import OFF, ON
from harstream.wire.topics import Topics
from harstream.wire.values import CameraControl

log = logging.getLogger(__name__)

AS_CONFIGURED = "default"
"""A threshold: no other than config.yaml's."""
QUIET = 60.0
"""Seconds between two refusals in the log."""
LONGEST = 32
"""Bytes of what is asked for."""
LONGEST_TOPIC = 200
"""Letters of a topic that are repeated to who asked there; the name of a camera or setting may be 65,000 long."""


class CameraCommands:
    """Nothing here waits: a change is made on the control's own thread, and a refusal is published."""

    def __init__(self, publisher: Publisher, topics: Topics, controls: Controls) -> None:
        """Before the publisher starts."""
        self._publisher = publisher
        self._topics = topics
        self._controls = controls
        self._refused = 0
        """Since the last one in the log, which was told at that time of the monotonic clock."""
        self._told_at = -math.inf
        publisher.subscribe(topics.asked("+", "+"), self._asked)

    def show(self, control: CameraControl) -> None:
        """How a camera is set. From any thread."""
        states = {"enabled": ON if control.is_enabled else OFF, "threshold": f"{control.threshold or 0.0:g}"}
        for setting, state in states.items():
            self._publisher.retain(self._topics.setting(control.camera, setting), state.encode())

    def _asked(self, topic: str, payload: bytes, is_retained: bool) -> None:
        refuse = partial(self._refuse, topic)
        *_, camera, setting, _ = topic.split("/")
        try:
            if is_retained:
                raise ControlError(
                    "a retained wish would come true again at every reconnection: send it without retain"
                )
            text = _text(payload)
            if setting == "enabled":
                self._controls.ask(partial(self._controls.switch, camera, on=_is_on(text)), refuse)
            elif setting == "threshold":
                self._controls.ask(partial(self._controls.set_threshold, camera, _threshold(text)), refuse)
            else:
                raise ControlError(f"expected enabled or threshold in the topic, got {setting[:LONGEST]!r}")
        except ControlError as error:
            refuse(str(error))

    def _refuse(self, topic: str, why: str) -> None:
        self._refused += 1
        if time.monotonic() - self._told_at >= QUIET:  # a client that asks again and again would fill the log
            before = f"; {self._refused - 1} more before it" if self._refused > 1 else ""
            log.warning("asked for at %r and refused: %s%s", topic[:LONGEST_TOPIC], why, before)
            self._refused, self._told_at = 0, time.monotonic()
        message = ErrorMessage.of(self._topics.node, topic[:LONGEST_TOPIC], why, time.time())
        self._publisher.publish_now(self._topics.error, message.encode())


def _text(payload: bytes) -> str:
    if len(payload) > LONGEST:
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
