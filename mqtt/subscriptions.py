"""The topics that a node subscribes to, with their handlers."""

from __future__ import annotations

from collections.abc import Callable

import paho.mqtt.client as paho

Handler = Callable[[str, bytes, bool], None]
"""Takes a message's topic and payload, and whether it was retained."""


class Subscriptions:
    """Handlers by topic. A topic may have wildcards."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        """The error of a handler. Raising it would end paho's thread."""
        self._handlers: dict[str, Handler] = {}

    @property
    def topics(self) -> list[str]:
        return list(self._handlers)

    def add(self, topic: str, handler: Handler) -> None:
        self._handlers[topic] = handler

    def handle(self, topic: str, payload: bytes, is_retained: bool) -> None:
        """Call each handler whose topic matches. It never raises."""
        try:
            for wanted, handler in self._handlers.items():
                if paho.topic_matches_sub(wanted, topic):
                    handler(topic, payload, is_retained)
        except Exception as error:
            self.failure = error
