"""The retained messages of this run: the last payload of each topic, published again after every reconnection."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple


class RetainedState(NamedTuple):
    """One retained message."""

    topic: str
    payload: bytes
    """Empty: the broker forgets what the topic retains."""
    qos: int


class RetainedStates:
    """Remembers what is retained, and which of it the broker does not have yet. One thread at a time uses it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.republish_at: float | None = None
        """When all states are due again, by the clock."""
        self._clock = clock
        self._states: dict[str, RetainedState] = {}
        self._unpublished: dict[str, None] = {}
        self._after_clearing: dict[str, Callable[[], None]] = {}

    def set(self, state: RetainedState) -> None:
        """Several payloads of a topic while nobody is connected: only the last is published."""
        self._states[state.topic] = state
        self._unpublished[state.topic] = None

    def clear(self, topic: str, then: Callable[[], None]) -> None:
        """Publish an empty payload; `then` is called once the broker has acknowledged it."""
        self._after_clearing[topic] = then
        self.set(RetainedState(topic, b"", qos=1))

    def republish(self, delay: float = 0.0) -> None:
        """Publish all states again in so many seconds."""
        self.republish_at = self._clock() + delay

    def take_unpublished(self) -> list[RetainedState]:
        """Return what the broker does not have yet, and all states where they are due."""
        if self.republish_at is not None and self.republish_at <= self._clock():
            self.republish_at = None
            self._unpublished = dict.fromkeys(self._states)
        states = [self._states[topic] for topic in self._unpublished]
        self._unpublished.clear()
        return states

    @property
    def is_waiting(self) -> bool:
        """Does the broker lack a state, or are all due again?"""
        is_due = self.republish_at is not None and self.republish_at <= self._clock()
        return is_due or bool(self._unpublished)

    @property
    def seconds_until_due(self) -> float | None:
        """Until all states are published again; None: that is not planned."""
        return None if self.republish_at is None else max(0.0, self.republish_at - self._clock())

    def take_cleared(self, topic: str) -> Callable[[], None] | None:
        """Forget a topic whose clearing the broker has acknowledged; returns what is to be called then.

        None: the topic has a new payload by now.
        """
        if self._states[topic].payload:
            return None
        del self._states[topic]
        self._unpublished.pop(topic, None)
        return self._after_clearing.pop(topic)
