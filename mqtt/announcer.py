"""Announces this node to Home Assistant, and takes back what an earlier run announced and this one does not."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

from harstream.mqtt.publisher import Publisher
from harstream.mqtt.retained_topics import RetainedTopics
from harstream.wire.home_assistant import BIRTH
from harstream.wire.payloads import ONLINE

LONGEST_DELAY = 5.0
"""Seconds: after a restart of Home Assistant a house full of nodes would otherwise answer all at once."""


class Announcer:
    """A device leaves Home Assistant only if its retained message does."""

    def __init__(self, publisher: Publisher, broker: str, memory: Path) -> None:
        """`memory`: the file in which to remember what was announced."""
        self._publisher = publisher
        if_lost = "a camera that leaves the config may stay in Home Assistant"
        self._retained = RetainedTopics(publisher, broker, memory, if_lost=if_lost)
        publisher.subscribe(BIRTH, self._home_assistant_changed)

    def start(self) -> None:
        """Once the state folder is ours alone."""
        self._retained.start()

    def announce(self, announcements: Mapping[str, bytes]) -> None:
        """These (topic to payload) and no others; without any, discovery is off."""
        self._retained.keep(announcements)
        for topic, payload in announcements.items():
            self._publisher.retain(topic, payload)

    def _home_assistant_changed(self, _: str, payload: bytes, __: bool) -> None:
        if payload == ONLINE.encode():
            self._publisher.republish(random.uniform(0, LONGEST_DELAY))
