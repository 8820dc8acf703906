"""The largest message that the broker takes, which it declares or which disconnects show."""

from __future__ import annotations

import logging

log = logging.getLogger(__name__)


class PacketLimit:
    """Leaves out messages that would disconnect the client. Only the publisher's thread uses it."""

    def __init__(self) -> None:
        self.left_out = 0
        """Number of messages that were too large."""
        self.declared: int | None = None
        """Maximum Packet Size of the connection, in bytes; None if the broker declares none."""
        self._learned: int | None = None
        """Bytes of the smallest message at which the broker disconnected twice."""
        self._warned: set[str] = set()

    def is_too_large(self, size: int) -> bool:
        """Return whether the broker would disconnect. `size`: bytes of the whole packet."""
        over_declared = self.declared is not None and size > self.declared
        return over_declared or (self._learned is not None and size >= self._learned)

    def leave_out(self, topic: str, size: int) -> None:
        """Count a message that is too large. The first one of a topic is logged."""
        self.left_out += 1
        if topic in self._warned:
            return
        self._warned.add(topic)
        if self.declared is not None and size > self.declared:
            why = f"the broker takes {self.declared:,} bytes at most"
        else:
            why = "the broker disconnects at it"
        log.warning("a message of %s bytes on %s is left out: %s (max_packet_size)", f"{size:,}", topic, why)

    def learn(self, size: int) -> None:
        """Record that the broker disconnects at messages of this size."""
        self._learned = size if self._learned is None else min(size, self._learned)


def packet_size(topic: str, payload: bytes, *, qos: int, version: str) -> int:
    """Return the bytes of a PUBLISH packet without properties. Source: MQTT 5.0, section 3.3."""
    rest = 2 + len(topic.encode()) + (2 if qos else 0) + (1 if version == "5" else 0) + len(payload)
    length = 1 + (rest > 127) + (rest > 16_383) + (rest > 2_097_151)
    return 1 + length + rest
