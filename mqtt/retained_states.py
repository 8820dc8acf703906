"""The retained messages of this run, with the last payload of each topic. A reconnection publishes them again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple


class RetainedState(NamedTuple):
    """One retained message."""

    topic: str
    payload: bytes
    """An empty payload clears the topic."""
    qos: int


class RetainedStates:
    """Holds the retained states, and which of them the broker does not have yet. It is not thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.republish_at: float | None = None
        """The time by the clock at which to publish all states again; None if not scheduled."""
        self._clock = clock
        self._states: dict[str, RetainedState] = {}
        self._unpublished: dict[str, None] = {}
        self._after_clearing: dict[str, Callable[[], None]] = {}

    def set(self, state: RetainedState) -> None:
        """Set the state of a topic. Without a connection, only the last state of a topic is published later."""
        self._states[state.topic] = state
        self._unpublished[state.topic] = None

    def clear(self, topic: str, then: Callable[[], None]) -> None:
        """Publish an empty payload. `then` is called after the broker's acknowledgement."""
        self._after_clearing[topic] = then
        self.set(RetainedState(topic, b"", qos=1))

    def republish(self, delay: float = 0.0) -> None:
        """Schedule all states to be published again in `delay` seconds."""
        self.republish_at = self._clock() + delay

    def take_unpublished(self) -> list[RetainedState]:
        """Return the states that the broker does not have yet, or all if they are due. Mark them as published."""
        if self.republish_at is not None and self.republish_at <= self._clock():
            self.republish_at = None
            self._unpublished = dict.fromkeys(self._states)
        states = [self._states[topic] for topic in self._unpublished]
        self._unpublished.clear()
        return states

    @property
    def is_waiting(self) -> bool:
        """Whether a state waits to be published, or all states are due again."""
        is_due = self.republish_at is not None and self.republish_at <= self._clock()
        return is_due or bool(self._unpublished)

    @property
    def seconds_until_due(self) -> float | None:
        """Seconds until all states are due again; None if not scheduled."""
        return None if self.republish_at is None else max(0.0, self.republish_at - self._clock())

    def take_cleared(self, topic: str) -> Callable[[], None] | None:
        """Remove a topic that the broker has cleared, and return the function to call.

        Returns None if the topic has a new payload in the meantime.
        """
        if self._states[topic].payload:
            return None
        del self._states[topic]
        self._unpublished.pop(topic, None)
        return self._after_clearing.pop(topic)
