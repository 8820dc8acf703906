"""Publishes over one open connection, until it is lost or the publisher is closed."""

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
"""An event older than this, in seconds, when a connected broker is handed it, is historical."""

OnAcknowledged = Callable[[float | None, float], None]
"""Takes an event's delay before the outbox (None: not measured), and the seconds from there to the acknowledgement."""


class Closing:
    """When the publisher closes, and until when it may still publish."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.deadline = float("inf")
        self.last_state: RetainedState | None = None

    def begin(self, last_state: RetainedState, seconds: float) -> None:
        """`last_state` is published last; all must be over in so many seconds."""
        self.last_state = last_state
        self.deadline = time.monotonic() + seconds
        self.event.set()

    @property
    def is_late(self) -> bool:
        return time.monotonic() > self.deadline


class Session:
    """Used on the publisher's thread."""

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
        """Of retained states."""

    def run(self) -> None:
        """Return when the connection is lost, or when the publisher closes and all is published."""
        while not self._connection.lost.is_set():
            # Asked first: what was handed over before the close is then seen below, whatever comes between.
            is_closing = self._closing.event.is_set()
            self._publish_pending()
            letter = self._outbox.oldest()
            if letter is not None:
                self._publish_letter(letter)
            elif len(self._outbox):
                # The disk does not give back what it holds; ask again, but not in a tight loop.
                self._closing.event.wait(1.0)
            if is_closing and (letter is None or self._closing.is_late):
                break
        if self._closing.last_state is not None:
            self._retain(self._closing.last_state)
            # Stops at the first that is not acknowledged: the time is up, or the connection lost.
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
        # One at a time: an event that has to be sent again could overtake, or be overtaken.
        is_held_back = letter.age > HELD_AFTER
        payload = _as_held_back(letter.payload) if is_held_back else letter.payload
        fetched = time.monotonic()
        if self._wait_for(self._connection.publish(letter.topic, payload, qos=1, retain=False)):
            self._outbox.remove(letter)
            if self._on_acknowledged is not None and not is_held_back:
                self._on_acknowledged(letter.delay, letter.age + time.monotonic() - fetched)

    def _wait_for(self, info: paho.MQTTMessageInfo) -> bool:
        """Is it acknowledged before the connection is lost or the time of a close is over?"""
        while True:
            try:
                info.wait_for_publish(0.2)
            except (RuntimeError, ValueError):
                # paho says so that it was not sent: the connection was gone already.
                return False
            if info.is_published():
                return True
            if self._connection.lost.is_set() or self._closing.is_late:
                return False


def _as_held_back(payload: bytes) -> bytes:
    """The outbox holds bytes alone, so that an outage of a week fits: an event that waited there is read back."""
    return EventMessage.model_validate_json(payload).held_back().encode()
