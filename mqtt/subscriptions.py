"""The topics that a node subscribes to, with their handlers."""

from __future__ import annotations

from collections.abc import Callable

import paho.mqtt.client as paho

Handler = Callable[[str, bytes, bool], None]
"""Takes a message's topic and payload, and whether it was retained."""
Receiver = Callable[[str, bytes, Callable[[], None]], None]
"""Takes a message's topic and payload, and what it must call, on any thread, when the message is worked off."""

MOST_TOPICS = 10_000
"""Topics whose handlers are remembered."""


class Subscriptions:
    """Handlers by topic. A topic may have wildcards."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        """The error of a handler. Raising it would end paho's thread."""
        self._handlers: dict[str, Handler] = {}
        self._receivers: dict[str, Receiver] = {}
        self._qos: dict[str, int] = {}
        self._found: dict[str, tuple[list[Handler], list[Receiver]]] = {}
        """What matches a topic. Only paho's thread uses it."""

    @property
    def topics(self) -> dict[int, list[str]]:
        """The topics by QoS, in the order in which they were added."""
        by_qos: dict[int, list[str]] = {}
        for topic, qos in self._qos.items():
            by_qos.setdefault(qos, []).append(topic)
        return by_qos

    def add(self, topic: str, handler: Handler, qos: int = 1) -> None:
        self._handlers[topic], self._qos[topic] = handler, qos

    def add_receiver(self, topic: str, receiver: Receiver) -> None:
        """The broker delivers a message again after a loss, until the receiver has said that it is worked off."""
        self._receivers[topic], self._qos[topic] = receiver, 1

    def handle(self, topic: str, payload: bytes, is_retained: bool) -> None:
        """Call each handler whose topic matches. It never raises."""
        self.deliver(topic, payload, is_retained, lambda: None)

    def deliver(self, topic: str, payload: bytes, is_retained: bool, acknowledge: Callable[[], None]) -> None:
        """Call each handler whose topic matches, and acknowledge, unless a receiver will. It never raises."""
        is_taken = False
        try:
            handlers, receivers = self._matching(topic)
            for handler in handlers:
                handler(topic, payload, is_retained)
            for receiver in receivers:
                is_taken = True
                receiver(topic, payload, acknowledge)
        except Exception as error:
            self.failure = error
        if not is_taken:
            acknowledge()

    def _matching(self, topic: str) -> tuple[list[Handler], list[Receiver]]:
        """Return what matches a topic. The first search takes paho longer than all the rest of a message."""
        if topic not in self._found:
            if len(self._found) >= MOST_TOPICS:
                self._found.clear()
            self._found[topic] = (
                [each for wanted, each in self._handlers.items() if paho.topic_matches_sub(wanted, topic)],
                [each for wanted, each in self._receivers.items() if paho.topic_matches_sub(wanted, topic)],
            )
        return self._found[topic]
