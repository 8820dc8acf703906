"""Announces this node to Home Assistant, and clears announcements of earlier runs that are no longer true."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

from harstream.mqtt.publisher import Publisher
from harstream.mqtt.retained_topics import RetainedTopics
from harstream.wire.home_assistant import BIRTH
from harstream.wire.payloads import ONLINE

LONGEST_DELAY = 5.0
"""Seconds: without a delay, a house full of nodes would answer a restart of Home Assistant all at once."""


class Announcer:
    """A device leaves Home Assistant only when its retained message is cleared."""

    def __init__(self, publisher: Publisher, broker: str, memory: Path) -> None:
        """`memory` is the file that remembers what was announced."""
        self._publisher = publisher
        if_lost = "a camera that leaves the config may stay in Home Assistant"
        self._retained = RetainedTopics(publisher, broker, memory, if_lost=if_lost)
        publisher.subscribe(BIRTH, self._home_assistant_changed)

    def start(self) -> None:
        """Read the memory. Before that, no other process may use the state folder."""
        self._retained.start()

    def announce(self, announcements: Mapping[str, bytes]) -> None:
        """Announce these (topic to payload) and no others; an empty mapping switches discovery off."""
        self._retained.keep(announcements)
        for topic, payload in announcements.items():
            self._publisher.retain(topic, payload)

    def _home_assistant_changed(self, _: str, payload: bytes, __: bool) -> None:
        if payload == ONLINE.encode():
            self._publisher.republish(random.uniform(0, LONGEST_DELAY))
