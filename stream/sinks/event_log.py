"""Writes events to the log, for a log store. `console` prints them on a terminal."""

from __future__ import annotations

import logging

from harstream.wire.context import Context
from harstream.wire.messages.event import EventMessage
from harstream.wire.values import EventType, Notice

log = logging.getLogger(__name__)


class EventLog:
    """An EventSink. A record's field `event` is the MQTT message. Update events have level DEBUG."""

    def __init__(self, context: Context) -> None:
        self.context = context
        """Any thread may replace it between two notices."""

    def handle(self, notice: Notice) -> None:
        for event in notice.events:
            log.log(
                logging.DEBUG if event.type is EventType.UPDATE else logging.INFO,
                "%s of %s",
                event.type,
                event.activity,
                extra={"camera": event.camera, "event": EventMessage.of(event, self.context).facts()},
            )

    def close(self) -> None:
        """Do nothing: nothing is open."""
