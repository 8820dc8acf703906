"""What waits to be published, other than the events: retained states, and messages that pass."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from harstream.mqtt.retained_states import RetainedState, RetainedStates

MOST_PASSING = 1000


class Message(NamedTuple):
    """A message that nobody retains."""

    topic: str
    payload: bytes


class Pending:
    """Handed over from any thread, taken by the publisher's. The lock is never held while paho is called.

    paho calls back with its own locks held.
    """

    def __init__(self) -> None:
        self.is_connected = False
        self.dropped = 0
        """Messages of QoS 0 that were not sent because nobody was connected."""
        self._changed = threading.Condition()
        self._states = RetainedStates()
        self._passing: deque[Message] = deque()

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
        """Will all states be published again?"""
        return self._states.republish_at is not None

    def pass_on(self, message: Message) -> None:
        """Publish a message now or never."""
        with self._changed:
            if not self.is_connected or len(self._passing) >= MOST_PASSING:
                self.dropped += 1
            else:
                self._passing.append(message)
                self._changed.notify()

    def connect(self) -> None:
        """The broker may have lost all states."""
        with self._changed:
            self.is_connected = True
            self._states.republish()

    def disconnect(self) -> None:
        with self._changed:
            self.is_connected = False
            self.dropped += len(self._passing)
            self._passing.clear()

    def wake(self) -> None:
        """Let `take` look at its condition again."""
        with self._changed:
            self._changed.notify()

    def take(self, is_over: Callable[[], bool]) -> tuple[list[RetainedState], list[Message]]:
        """Wait for something to publish, or until `is_over`; returns what is to be published."""
        with self._changed:
            while not (self._states.is_waiting or self._passing or is_over()):
                self._changed.wait(self._states.seconds_until_due)
            passing = list(self._passing)
            self._passing.clear()
            return self._states.take_unpublished(), passing

    def confirm_cleared(self, topic: str) -> None:
        """The broker has acknowledged an empty payload. Calls what `clear` was given, without the lock."""
        with self._changed:
            then = self._states.take_cleared(topic)
        if then is not None:
            then()
