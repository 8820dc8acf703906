"""What a publisher knows about messages that its broker does not take. It outlives a connection."""

from __future__ import annotations

import logging

from harstream.mqtt.packet_limit import PacketLimit
from harstream.mqtt.refusals import Refusals
from harstream.mqtt.sent_messages import Suspect

log = logging.getLogger(__name__)


class Delivery:
    """The refused topics and the largest packet. Only the publisher's thread changes it."""

    def __init__(self, refusals: Refusals) -> None:
        self.refusals = refusals
        self.limit = PacketLimit()
        self.last_suspect: Suspect | None = None
        """The message at which the broker probably disconnected last. An acknowledged event resets it."""
        self.refused_states = 0
        """Number of refused messages that are not events."""

    def record_refused_state(self, topic: str, reason: str) -> None:
        """Count a refused state. Only the first one is logged, because all states often have the same reason."""
        self.refused_states += 1
        if self.refused_states == 1:
            log.warning(
                "the broker refuses %s: %s; allow this client to publish on all its topics (more are only counted)",
                topic or "a state",
                reason,
            )
