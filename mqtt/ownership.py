"""Which of two services, or of two forecasters, of one node is the newer one. The older one must end.

The newest service retains an owner message with an epoch. At its first connection, a service raises its epoch above
that of the message it finds, so a wrong clock does not matter. Whoever sees a higher epoch later is the older one.

first connection:   finds epoch 100            -> retains max(own start, 100 + 1)
later:              sees its own or a lower one -> goes on
                    sees a higher one           -> ends
"""

from __future__ import annotations

import logging
import secrets
import threading
import time

from pydantic import ValidationError

from harstream.wire.messages.node import OwnerMessage

log = logging.getLogger(__name__)


class Ownership:
    """The claim of one run. `handle` runs on paho's thread; the other methods may run on any thread."""

    def __init__(self, topic: str, node: str, started_at: float | None = None, *, who: str = "service") -> None:
        """`topic`: of the owner message. `started_at`: seconds since the epoch; None is now. `who`: for the log."""
        self.topic = topic
        self.newer: OwnerMessage | None = None
        """The message of a newer service, which this one must make way for."""
        self.answered = threading.Event()
        """Set after each owner message. A check clears it first."""
        self._node = node
        self._who = who
        self._installation = ""
        self._run = secrets.token_hex(8)
        self._started_at = time.time() if started_at is None else started_at
        self._epoch = self._started_at
        self._is_claimed = False

    def begin(self, installation: str) -> None:
        """Set the name of the installation, which is the same after each restart."""
        self._installation = installation

    def claim(self) -> bytes:
        """Return the owner message of this run."""
        return OwnerMessage.of(
            self._node, self._installation, self._run, started_at=self._started_at, epoch=self._epoch
        ).encode()

    def handle(self, payload: bytes) -> bool:
        """Take an owner message. Return whether to retain the claim again, because it was not the highest."""
        try:
            other = OwnerMessage.model_validate_json(payload)
        except ValidationError:
            return False  # an empty payload, or another program's
        must_claim = self._compare(other)
        self.answered.set()
        return must_claim

    def _compare(self, other: OwnerMessage) -> bool:
        if other.run == self._run:
            self._is_claimed = True
            return False
        if not self._is_claimed:
            if other.installation != self._installation:
                log.info("this %s takes over the node %s from %s", self._who, self._node, other.host)
            self._epoch = max(self._epoch, other.epoch + 0.001)
            return True
        if (other.epoch, other.run) > (self._epoch, self._run):
            self.newer = other
        return False
