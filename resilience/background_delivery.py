"""Passes messages to a sink on a thread of its own, so that a sink that hangs holds nothing else."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

from harstream.resilience.outage import QUIET, Outage

log = logging.getLogger(__name__)
T = TypeVar("T")

HANGS_AFTER = 5.0
"""Seconds for which a sink works on one message before it counts as hanging."""
LAST_CHANCE = 2.0
"""Seconds that all sinks together have at the end for the messages that wait."""
CHANCE_IF_HANGING = 0.5
"""The same for a sink that hangs already."""
SETTLE_PERIOD = 1.0
"""Seconds between two calls of `settle`."""


class BackgroundDelivery(Generic[T]):
    """A queue and a thread in front of one sink. `check` and the call itself belong to one other thread."""

    def __init__(
        self,
        name: str,
        deliver: Callable[[T], None],
        *,
        is_needed: Callable[[T], bool],
        most_waiting: int,
        settle: Callable[[], None] | None = None,
        meanwhile: str = "recognition continues",
    ) -> None:
        """`is_needed`: whether the sink has work with a message. Others are left out.

        `most_waiting`: messages that may wait. Any further one is lost, which the log says. `settle`: called about once
        a second and at the end, on the sink's thread. `meanwhile`: what a hanging sink does not hold, for the log.
        """
        self.name = name
        self._deliver = deliver
        self._is_needed = is_needed
        self._most_waiting = most_waiting
        self._settle = settle
        self._settled_at = monotonic()
        self._waiting: deque[T] = deque()
        self._changed = threading.Condition()
        self._is_closing = False
        self._in_work = 0
        """Number of messages in work."""
        self._working_since: float | None = None
        self._outage = Outage(log, name, begins=f"%s hangs, {meanwhile}: %s", ends="%s works again after %d s")
        self._loss = Outage(log, name, begins="%s: %s", ends="%s: messages that were lost: %d", quiet=QUIET)
        # A write that hangs cannot be interrupted, so the process must be able to end without this thread.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_hanging(self) -> bool:
        """Whether the sink has worked on one message for too long. Any thread may ask."""
        since = self._working_since
        return since is not None and monotonic() - since > HANGS_AFTER

    @property
    def is_full(self) -> bool:
        """Whether the next message would be lost."""
        return len(self._waiting) >= self._most_waiting

    def start(self) -> None:
        self._thread.start()

    def __call__(self, message: T) -> None:
        if not self._is_needed(message):
            return
        with self._changed:
            if self.is_full:
                self._loss.record_failure(f"{self._most_waiting} messages wait, further ones are lost")
                return
            if len(self._waiting) <= self._most_waiting // 2:  # a sink that is only too slow takes one and loses one
                self._loss.record_success()
            self._waiting.append(message)
            self._changed.notify_all()

    def check(self) -> None:
        """Log when the sink hangs and when it works again. Call it about once a second."""
        if self.is_hanging:
            self._outage.record_failure(f"messages that wait: {len(self._waiting) + self._in_work}")
        else:
            self._outage.record_success()

    def request_close(self) -> None:
        """Ask the thread to end after the messages that wait."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()

    def close(self, deadline: float) -> bool:
        """Give the sink a last chance until `deadline` by the monotonic clock, or a shorter one if it hangs already.

        Return whether it has finished. The log says how many messages it did not take.
        """
        self.request_close()
        if self._thread.is_alive():
            longest = CHANCE_IF_HANGING if self.is_hanging else LAST_CHANCE
            self._thread.join(max(0.0, min(longest, deadline - monotonic())))
        self._loss.close()
        is_finished = not (self._thread.is_alive() or self._waiting)
        if not is_finished:
            left = len(self._waiting) + self._in_work
            log.error("%s hangs: it did not take its last %d messages", self.name, left)
        return is_finished

    def _run(self) -> None:
        is_last = False
        while not is_last:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closing, self._seconds_until_settling())
                is_last = self._is_closing and not self._waiting
                message = self._waiting.popleft() if self._waiting else None
                self._in_work, self._working_since = int(message is not None), monotonic()
            if message is not None:
                self._deliver(message)
                self._in_work = 0
            if self._settle is not None and (is_last or not self._seconds_until_settling()):
                self._settle()
                self._settled_at = monotonic()
            self._working_since = None

    def _seconds_until_settling(self) -> float | None:
        return None if self._settle is None else max(0.0, self._settled_at + SETTLE_PERIOD - monotonic())
