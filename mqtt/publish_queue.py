"""The messages that wait to be published, except events: retained states, and messages of QoS 0."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from harstream.mqtt.retained_states import RetainedState, RetainedStates

MAX_MESSAGES = 1000


class Message(NamedTuple):
    """A message that is not retained."""

    topic: str
    payload: bytes


class PublishQueue:
    """A thread-safe queue that the publisher's thread empties.

    It never calls paho with its lock held, because paho holds its own locks during callbacks.
    """

    def __init__(self) -> None:
        self.is_connected = False
        self.dropped = 0
        """Number of messages of QoS 0 that were dropped without a connection or because too many waited."""
        self._changed = threading.Condition()
        self._states = RetainedStates()
        self._messages: deque[Message] = deque()

    def retain(self, state: RetainedState) -> None:
        with self._changed:
            self._states.set(state)
            self._changed.notify()

    def clear(self, topic: str, then: Callable[[], None]) -> None:
        with self._changed:
            self._states.clear(topic, then)
            self._changed.notify()

    def republish(self, delay: float) -> None:
        with self._changed:
            self._states.republish(delay)
            self._changed.notify()

    @property
    def is_republishing(self) -> bool:
        """Whether all states are scheduled to be published again."""
        return self._states.republish_at is not None

    def publish_now(self, message: Message) -> None:
        """Queue a message of QoS 0, or drop it without a connection."""
        with self._changed:
            if not self.is_connected or len(self._messages) >= MAX_MESSAGES:
                self.dropped += 1
            else:
                self._messages.append(message)
                self._changed.notify()

    def connect(self) -> None:
        """Record a new connection, and publish all states again, because the broker may have lost them."""
        with self._changed:
            self.is_connected = True
            self._states.republish()

    def disconnect(self) -> None:
        with self._changed:
            self.is_connected = False
            self.dropped += len(self._messages)
            self._messages.clear()

    def wake(self) -> None:
        """Make `take` check its condition again."""
        with self._changed:
            self._changed.notify()

    def take(
        self, must_stop: Callable[[], bool], seconds_until_stop: Callable[[], float | None] = lambda: None
    ) -> tuple[list[RetainedState], list[Message]]:
        """Wait for something to publish or until `must_stop`, and return the waiting states and messages.

        `seconds_until_stop` returns after how many seconds `must_stop` may change by itself; None if it does not.
        """
        with self._changed:
            while not (self._states.is_waiting or self._messages or must_stop()):
                waits = (self._states.seconds_until_due, seconds_until_stop())
                self._changed.wait(min((wait for wait in waits if wait is not None), default=None))
            messages = list(self._messages)
            self._messages.clear()
            return self._states.take_unpublished(), messages

    def confirm_cleared(self, topic: str) -> None:
        """Record that the broker has acknowledged an empty payload, and call the function given to `clear`."""
        with self._changed:
            then = self._states.take_cleared(topic)
        if then is not None:
            then()
