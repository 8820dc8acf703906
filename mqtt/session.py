"""Publishes over one open connection until it is lost or the publisher closes."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

import paho.mqtt.client as paho

from harstream.mqtt.broker.connection import Connection
from harstream.mqtt.delivery import Delivery
from harstream.mqtt.no_outbox import NoOutbox
from harstream.mqtt.outbox import Outbox, QueuedMessage
from harstream.mqtt.packet_limit import packet_size
from harstream.mqtt.publish_queue import PublishQueue
from harstream.mqtt.retained_states import RetainedState
from harstream.mqtt.sent_messages import SentMessages
from harstream.wire.messages.event import EventMessage

HISTORICAL_AFTER = 5.0
"""An event that is sent more than this many seconds after `put` is historical."""

OnAcknowledged = Callable[[float | None, float], None]
"""Takes an event's delay before the outbox (None if unknown) and the time until its acknowledgement, in seconds."""


class CloseRequest:
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
        queue: PublishQueue,
        outbox: Outbox | NoOutbox,
        close_request: CloseRequest,
        delivery: Delivery,
        on_acknowledged: OnAcknowledged | None,
        is_taken_over: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_taken_over` returns whether a newer service runs as this node, so that nothing more may be published."""
        self._is_taken_over = is_taken_over
        self._connection = connection
        self._queue = queue
        self._outbox = outbox
        self._close_request = close_request
        self._delivery = delivery
        self._on_acknowledged = on_acknowledged
        self._sent = SentMessages()
        self._unacknowledged: deque[paho.MQTTMessageInfo] = deque(maxlen=1000)
        """Publications of retained states."""
        delivery.limit.declared = connection.max_packet

    def run(self) -> None:
        """Publish until the connection is lost, or the publisher closes and everything is published."""
        while not self._connection.lost.is_set() and not self._is_taken_over():
            # Read this flag first, so that the code below publishes everything that was queued before the close.
            is_closing = self._close_request.event.is_set()
            self._publish_queued()
            self._note_refused_states()
            held = self._delivery.refusals.held
            message = self._outbox.oldest(except_on=held)
            if message is not None:
                self._publish_event(message)
            elif len(self._outbox) and not held:
                # The disk cannot be read. Retry, but not in a tight loop.
                self._close_request.event.wait(1.0)
            if is_closing and (message is None or self._close_request.is_late):
                break
        if self._is_taken_over():
            return
        if self._connection.lost.is_set() and not self._close_request.event.is_set():
            self._note_suspect()
        if self._close_request.last_state is not None:
            self._retain(self._close_request.last_state)
            # `all` stops at the first state without acknowledgement, after the deadline or a lost connection.
            all(self._wait_for(info) for info in self._unacknowledged)

    def _must_stop_waiting(self) -> bool:
        is_over = self._connection.lost.is_set() or self._close_request.event.is_set()
        return is_over or self._is_taken_over() or bool(self._connection.refused) or self._has_event_to_send()

    def _has_event_to_send(self) -> bool:
        return self._outbox.has_message(except_on=self._delivery.refusals.held)

    def _publish_queued(self) -> None:
        wait = lambda: self._delivery.refusals.seconds_until_retry  # noqa: E731
        states, messages = self._queue.take(self._must_stop_waiting, wait)
        for state in states:
            info = self._retain(state)
            if info is not None and not state.payload and self._wait_for(info):
                self._queue.confirm_cleared(state.topic)
        for message in messages:
            self._publish(message.topic, message.payload, qos=0, retain=False)

    def _retain(self, state: RetainedState) -> paho.MQTTMessageInfo | None:
        info = self._publish(state.topic, state.payload, qos=state.qos, retain=True)
        if info is not None:
            self._unacknowledged.append(info)
        return info

    def _publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool, event: QueuedMessage | None = None
    ) -> paho.MQTTMessageInfo | None:
        """Hand a message to paho. Return None if the broker would disconnect at its size."""
        size = packet_size(topic, payload, qos=qos, version=self._connection.version)
        if self._delivery.limit.is_too_large(size):
            self._delivery.limit.leave_out(topic, size)
            return None
        info = self._connection.publish(topic, payload, qos=qos, retain=retain)
        self._sent.add(topic, size, qos, info, event)
        return info

    def _publish_event(self, message: QueuedMessage) -> None:
        # Send one event at a time, because a repeated event could change the order.
        is_held_back = message.age > HISTORICAL_AFTER
        payload = _as_held_back(message.payload) if is_held_back else message.payload
        fetched = time.monotonic()
        info = self._publish(message.topic, payload, qos=1, retain=False, event=message)
        if info is None:
            self._remove_if(self._delivery.refusals.store(message, "too large for the broker"), message)
        elif self._wait_for(info):
            self._delivery.last_suspect = None
            if (reason := self._connection.refused.pop(info.mid, None)) is not None:
                self._remove_if(self._delivery.refusals.record_refusal(message, reason), message)
                return
            self._delivery.refusals.record_acceptance(message.topic)
            self._outbox.remove(message)
            if self._on_acknowledged is not None and not is_held_back:
                self._on_acknowledged(message.delay, message.age + time.monotonic() - fetched)

    def _remove_if(self, is_kept_elsewhere: bool, message: QueuedMessage) -> None:
        if is_kept_elsewhere:
            self._outbox.remove(message)
        elif message.topic not in self._delivery.refusals.held:
            self._close_request.event.wait(1.0)  # the disk refuses the file; retry, but not in a tight loop

    def _note_refused_states(self) -> None:
        """Report states that the broker refused. They are published again after a reconnection."""
        for number in list(self._connection.refused):
            self._delivery.record_refused_state(self._sent.topic_of(number), self._connection.refused.pop(number))

    def _note_suspect(self) -> None:
        """Find the message at which the broker disconnected. One disconnect alone may have another reason."""
        suspect, last = self._sent.suspect(), self._delivery.last_suspect
        if suspect is None:
            return
        self._delivery.last_suspect = suspect
        is_known = self._delivery.refusals.has_disconnected(suspect.topic)
        if not (is_known or suspect.is_same(last)):
            return
        if suspect.event is None:
            self._delivery.limit.learn(suspect.size)
        elif self._delivery.refusals.record_disconnect(suspect.event):
            self._outbox.remove(suspect.event)

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
            if self._connection.lost.is_set() or self._close_request.is_late:
                return False


def _as_held_back(payload: bytes) -> bytes:
    """Return the payload as historical. The outbox stores bytes only, so the event is decoded and encoded again."""
    return EventMessage.model_validate_json(payload).held_back().encode()
