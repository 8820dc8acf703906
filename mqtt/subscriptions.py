"""The topics that a node subscribes to, and who handles their messages."""

from __future__ import annotations

from collections.abc import Callable

import paho.mqtt.client as paho

Handler = Callable[[str, bytes, bool], None]
"""Takes a message's topic and payload, and whether it was retained."""


class Subscriptions:
    """Handlers by topic; a topic may have wildcards."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        """What a handler raised: on paho's thread, which would die of it."""
        self._handlers: dict[str, Handler] = {}

    @property
    def topics(self) -> list[str]:
        return list(self._handlers)

    def add(self, topic: str, handler: Handler) -> None:
        self._handlers[topic] = handler

    def handle(self, topic: str, payload: bytes, is_retained: bool) -> None:
        """Call each handler whose topic fits. Never raises."""
        try:
            for wanted, handler in self._handlers.items():
                if paho.topic_matches_sub(wanted, topic):
                    handler(topic, payload, is_retained)
        except Exception as error:
            self.failure = error
