"""Stores events on the disk of the folder `state` and publishes them. It is the only sink that waits for that disk."""

from __future__ import annotations

from harstream.stream.history.sink import HistorySink
from harstream.stream.sinks.mqtt import MqttSink
from harstream.wire.values import Notice


class StoredEvents:
    """An EventSink and a SettlingSink: events and changes go to the history, then events go to the outbox of MQTT.

    The history is first. Otherwise a run that is killed after MQTT has published an update could leave an end event
    with the same `seq` as that update.
    """

    def __init__(self, history: HistorySink | None, mqtt: MqttSink) -> None:
        self._history = history
        self._mqtt = mqtt

    def handle(self, notice: Notice) -> None:
        try:
            if self._history is not None:
                self._history.handle(notice)
        finally:  # an internal error of the history must not hold back an event
            self._mqtt.publish_events(notice)

    def settle(self) -> None:
        """Store what a failing disk refused. Call it about once a second."""
        if self._history is not None:
            for notice in self._history.settle():
                self.handle(notice)
        self._mqtt.publisher.save_events()

    def close(self) -> None:
        """Do nothing: history and MQTT are closed on their own."""
