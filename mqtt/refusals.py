"""Events that the broker refuses: they wait and are retried, and are set aside in a file if that does not help."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from harstream.mqtt.no_outbox import NoOutbox
from harstream.mqtt.outbox import Outbox, QueuedMessage
from harstream.wire.timestamps import timestamp

log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Shortest and longest wait before a topic is tried again, in seconds. It doubles with each refusal."""
SET_ASIDE_AFTER = 3600.0
"""Seconds of refusals after which the events of a topic are set aside instead of waiting."""
MOST_DISCONNECTS = 3
"""Disconnects by one event after which it is set aside. Each of them disturbs the other topics."""
WAIT_AFTER_DISCONNECTS = 900.0
"""Seconds until the next event of such a topic is tried. Until then its events wait in the outbox."""
LARGEST_FILE = 20_000_000
"""Bytes after which the file is renamed, and a new one is begun."""


@dataclass
class _Topic:
    """The refusals of a topic since its last accepted event."""

    since: float
    retry_at: float = 0.0
    count: int = 0
    disconnects: int = 0
    has_set_aside: bool = False


class Refusals:
    """Decides per topic when to retry, and stores what is given up. Only the publisher's thread uses it."""

    def __init__(
        self,
        outbox: Outbox | NoOutbox,
        *,
        set_aside_after: float = SET_ASIDE_AFTER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A file beside the outbox receives one line of JSON per event that is set aside. `set_aside_after`: seconds.

        The outbox remembers across restarts when the refusals of a topic began.
        """
        self.count = 0
        """Number of refusals."""
        self.set_aside = 0
        """Number of events that were set aside."""
        self._outbox = outbox
        self._file = outbox.path.with_name(f"{outbox.path.name}.refused.jsonl")
        self._set_aside_after = set_aside_after
        self._clock = clock
        self._topics: dict[str, _Topic] = {}

    @property
    def held(self) -> list[str]:
        """The topics that are not due for another attempt."""
        now = self._clock()
        return [name for name, topic in self._topics.items() if topic.retry_at > now]

    @property
    def seconds_until_retry(self) -> float | None:
        """Seconds until the next topic is due; None if no topic waits."""
        now = self._clock()
        waits = [topic.retry_at - now for topic in self._topics.values() if topic.retry_at > now]
        return min(waits, default=None)

    def record_acceptance(self, topic: str) -> None:
        self._outbox.end_refusal(topic)
        refused = self._topics.pop(topic, None)
        if refused is not None:
            log.info("the broker takes the events of %s again after %d refusals", topic, refused.count)

    def record_refusal(self, message: QueuedMessage, reason: str) -> bool:
        """Count a refusal. Return whether the event is set aside, so that it can leave the outbox."""
        topic = self._count(message.topic, f"refuses the events of {message.topic}: {reason}")
        if self._clock() - topic.since < self._set_aside_after:
            return False
        return self._give_up(message, topic, reason)

    def has_disconnected(self, topic: str) -> bool:
        """Return whether the broker has disconnected at an event of the topic since its last accepted one."""
        return topic in self._topics and self._topics[topic].disconnects > 0

    def record_disconnect(self, message: QueuedMessage) -> bool:
        """Count a disconnect by an event. Return whether the event is set aside, so that it can leave the outbox."""
        reason = "it disconnects at them"
        topic = self._count(message.topic, f"refuses the events of {message.topic}: {reason}")
        topic.disconnects += 1
        if topic.disconnects < MOST_DISCONNECTS:
            return False
        is_aside = self._give_up(message, topic, reason)
        topic.retry_at = self._clock() + WAIT_AFTER_DISCONNECTS
        return is_aside

    def store(self, message: QueuedMessage, reason: str) -> bool:
        """Set an event aside. Return False if the file cannot be written."""
        row = {"refused_at": timestamp(time.time()), "topic": message.topic, "reason": reason,
               "payload": json.loads(message.payload)}  # fmt: skip
        try:
            if self._file.exists() and self._file.stat().st_size > LARGEST_FILE:
                self._file.replace(self._file.with_name(f"{self._file.name}.1"))
            with self._file.open("a", encoding="utf-8") as out:
                out.write(f"{json.dumps(row, ensure_ascii=False)}\n")
        except OSError:
            return False  # the outbox keeps the event, and logs what is wrong with the disk
        self.set_aside += 1
        return True

    def _count(self, name: str, line: str) -> _Topic:
        self.count += 1
        topic = self._topics.get(name)
        if topic is None:
            topic = self._topics[name] = _Topic(since=self._clock() - self._outbox.seconds_refused(name))
            log.warning(
                "the broker %s; they wait and are retried: allow this client to publish there, and check its quotas",
                line,
            )
        topic.retry_at = self._clock() + min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(topic.count, 16))
        topic.count += 1
        return topic

    def _give_up(self, message: QueuedMessage, topic: _Topic, reason: str) -> bool:
        if not self.store(message, reason):
            return False
        topic.retry_at = 0.0
        if not topic.has_set_aside:
            topic.has_set_aside = True
            log.warning("events of %s were refused too often and are set aside in %s", message.topic, self._file)
        return True
