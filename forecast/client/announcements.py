"""Announces the places that have a forecast, and clears what is retained for others."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Executor
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path

from harstream.mqtt.announcer import Announcer
from harstream.mqtt.publisher import Publisher
from harstream.mqtt.retained_topics import RetainedTopics
from harstream.wire.home_assistant_forecasts import components_of, discovery_topics, forecast_announcements
from harstream.wire.messages.forecast import ForecastMessage
from harstream.wire.topics import Topics

SETTLED = 5.0
"""Seconds without a new camera before the places are announced. An earlier announcement would clear the others'."""

PATIENCE = 0.5
"""Seconds for which a forecast waits for the list of topics on disk. It is then published before it is listed."""

_Found = tuple[tuple[str | None, ...], tuple[str, ...]]
"""Places and activities."""


class ForecastAnnouncements:
    """Retains the forecasts, and announces them to Home Assistant. Not thread-safe but for the publisher's calls."""

    def __init__(
        self,
        publisher: Publisher,
        broker: str,
        state: Path,
        node: str,
        discovery: str | None,
        writing: Executor,
    ) -> None:
        """`broker`: its URL. `state`: the folder for the lists of retained topics, which `writing` writes.

        `discovery`: Home Assistant's discovery prefix. None announces nothing.
        """
        self._publisher, self._node, self._discovery, self._writing = publisher, node, discovery, writing
        self._topics = Topics(node)
        self._announcer = Announcer(publisher, broker, state / "announced")
        if_lost = "a forecast of a camera that has left may stay at the broker"
        self._retained = RetainedTopics(publisher, broker, state / "retained", if_lost=if_lost)
        self._published: set[str] = set()
        self._found: _Found | None = None
        self._found_at = 0.0
        self._announced: _Found | None = None
        self._earlier: dict[str, dict[str, str]] = {}
        """The components that the broker retains, by topic. paho's thread fills it."""
        for topic in discovery_topics(discovery, node) if discovery else ():
            publisher.subscribe(topic, self._receive, qos=0)

    def start(self) -> None:
        """Read the lists."""
        self._announcer.start()
        self._retained.start()

    def retain(self, message: ForecastMessage) -> None:
        """Retain a forecast."""
        topic = self._topic_of(message.camera)
        if topic not in self._published:
            self._published.add(topic)
            self._write(partial(self._retained.add, topic))
        self._publisher.retain(topic, message.encode(), qos=0)

    def announce(self, places: Sequence[str | None], activities: tuple[str, ...]) -> None:
        """Announce these places once no more are found, and clear the forecasts of those that left. None is the home.

        Call it about once a second.
        """
        found = tuple(places), activities
        if found != self._found:
            self._found, self._found_at = found, time.monotonic()
        if found == self._announced or time.monotonic() - self._found_at < SETTLED:
            return
        self._announced = found
        announcements = (
            forecast_announcements(self._discovery, self._node, places, activities, version("harstream"), self._earlier)
            if self._discovery
            else {}
        )
        self._write(partial(self._announcer.announce, announcements))
        self._published = {self._topic_of(place) for place in places}
        self._write(partial(self._retained.keep, frozenset(self._published)))

    def clear_forecasts(self) -> None:
        """Clear all forecasts at a clean end. It waits for the disk."""
        self._retained.keep(())

    def has_read(self, topic: str) -> bool:
        """Return whether an announcement on this topic was received from the broker."""
        return topic in self._earlier

    def _write(self, work: Callable[[], None]) -> None:
        """Do the work in turn, and wait for it, but not for a disk that hangs."""
        with suppress(TimeoutError, CancelledError):
            self._writing.submit(work).result(PATIENCE)

    def _topic_of(self, place: str | None) -> str:
        return self._topics.home_forecast if place is None else self._topics.forecast(place)

    def _receive(self, topic: str, payload: bytes, _: bool) -> None:
        """Note what was announced. It runs on paho's thread."""
        if components := components_of(payload):
            self._earlier[topic] = self._earlier.get(topic, {}) | components
