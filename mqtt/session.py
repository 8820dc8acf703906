"""Publishes over one open connection until it is lost or the publisher closes."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

import paho.mqtt.client as paho

from harstream.mqtt.connection import Connection
from harstream.mqtt.outbox import Letter, Outbox
from harstream.mqtt.pending import Pending
from harstream.mqtt.retained_states import RetainedState
from harstream.wire.messages.event import EventMessage

HELD_AFTER = 5.0
"""An event that is sent more than this many seconds after `put` is historical."""

OnAcknowledged = Callable[[float | None, float], None]
"""Takes an event's delay before the outbox (None if unknown) and the time until its acknowledgement, in seconds."""


class Closing:
    """The publisher's request to close, with the deadline for the remaining messages."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.deadline = float("inf")
        self.last_state: RetainedState | None = None

    def begin(self, last_state: RetainedState, seconds: float) -> None:
        """Request the close. `last_state` is published last; everything must end within `seconds`."""
        self.last_state = last_state
        self.deadline = time.monotonic() + seconds
        self.event.set()

    @property
    def is_late(self) -> bool:
        return time.monotonic() > self.deadline


class Session:
    """Publishes on the publisher's thread."""

    def __init__(
        self,
        connection: Connection,
        pending: Pending,
        outbox: Outbox,
        closing: Closing,
        on_acknowledged: OnAcknowledged | None,
    ) -> None:
        self._connection = connection
        self._pending = pending
        self._outbox = outbox
        self._closing = closing
        self._on_acknowledged = on_acknowledged
        self._unacknowledged: deque[paho.MQTTMessageInfo] = deque(maxlen=1000)
        """Publications of retained states."""

    def run(self) -> None:
        """Publish until the connection is lost, or the publisher closes and everything is published."""
        while not self._connection.lost.is_set():
            # Read this flag first, so that the code below publishes everything that was queued before the close.
            is_closing = self._closing.event.is_set()
            self._publish_pending()
            letter = self._outbox.oldest()
            if letter is not None:
                self._publish_letter(letter)
            elif len(self._outbox):
                # The disk cannot be read. Retry, but not in a tight loop.
                self._closing.event.wait(1.0)
            if is_closing and (letter is None or self._closing.is_late):
                break
        if self._closing.last_state is not None:
            self._retain(self._closing.last_state)
            # `all` stops at the first state without acknowledgement, after the deadline or a lost connection.
            all(self._wait_for(info) for info in self._unacknowledged)

    def _has_reason_to_go_on(self) -> bool:
        return bool(len(self._outbox)) or self._connection.lost.is_set() or self._closing.event.is_set()

    def _publish_pending(self) -> None:
        states, passing = self._pending.take(is_over=self._has_reason_to_go_on)
        for state in states:
            info = self._retain(state)
            if not state.payload and self._wait_for(info):
                self._pending.confirm_cleared(state.topic)
        for message in passing:
            self._connection.publish(message.topic, message.payload, qos=0, retain=False)

    def _retain(self, state: RetainedState) -> paho.MQTTMessageInfo:
        info = self._connection.publish(state.topic, state.payload, qos=state.qos, retain=True)
        self._unacknowledged.append(info)
        return info

    def _publish_letter(self, letter: Letter) -> None:
        # Send one event at a time, because a repeated event could change the order.
        is_held_back = letter.age > HELD_AFTER
        payload = _as_held_back(letter.payload) if is_held_back else letter.payload
        fetched = time.monotonic()
        if self._wait_for(self._connection.publish(letter.topic, payload, qos=1, retain=False)):
            self._outbox.remove(letter)
            if self._on_acknowledged is not None and not is_held_back:
                self._on_acknowledged(letter.delay, letter.age + time.monotonic() - fetched)

    def _wait_for(self, info: paho.MQTTMessageInfo) -> bool:
        """Return whether the broker acknowledges it before the connection is lost or the deadline of a close."""
        while True:
            try:
                info.wait_for_publish(0.2)
            except (RuntimeError, ValueError):
                # paho raises these if it did not send the message, because the connection was lost.
                return False
            if info.is_published():
                return True
            if self._connection.lost.is_set() or self._closing.is_late:
                return False


def _as_held_back(payload: bytes) -> bytes:
    """Return the payload as historical. The outbox stores bytes only, so the event is decoded and encoded again."""
    return EventMessage.model_validate_json(payload).held_back().encode()
