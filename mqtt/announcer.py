"""Announces this node to Home Assistant, and clears outdated announcements of earlier runs."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

from harstream.mqtt.publisher import Publisher
from harstream.mqtt.retained_topics import RetainedTopics
from harstream.wire.home_assistant import BIRTH
from harstream.wire.payloads import ONLINE

LONGEST_DELAY = 5.0
"""Longest random delay in seconds, so that many nodes do not answer a restart of Home Assistant at the same time."""


class Announcer:
    """Retains announcements. Home Assistant removes a device only when its retained message is cleared."""

    def __init__(self, publisher: Publisher, broker: str, file: Path) -> None:
        """`file`: stores the topics of the announcements."""
        self._publisher = publisher
        if_lost = "a camera that leaves the config may stay in Home Assistant"
        self._retained = RetainedTopics(publisher, broker, file, if_lost=if_lost)
        publisher.subscribe(BIRTH, self._home_assistant_changed)

    def start(self) -> None:
        """Read the file. Call it after the state folder is locked for this process."""
        self._retained.start()

    def announce(self, announcements: Mapping[str, bytes]) -> None:
        """Publish these announcements, payload by topic, and clear all others. An empty mapping disables discovery."""
        self._retained.keep(announcements)
        for topic, payload in announcements.items():
            self._publisher.retain(topic, payload)

    def _home_assistant_changed(self, _: str, payload: bytes, __: bool) -> None:
        if payload == ONLINE.encode():
            self._publisher.republish(random.uniform(0, LONGEST_DELAY))
