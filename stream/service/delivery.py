"""Passes messages to one sink, and keeps its failures from the others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

from harstream.resilience.outage import QUIET, Outage
from harstream.stream.service.protocols import EventSink
from harstream.wire.errors import SinkError
from harstream.wire.values import Step

log = logging.getLogger(__name__)
T = TypeVar("T")


def without_pixels(sink: EventSink) -> Callable[[Step], None]:
    """Return a function that passes a step's notice to an EventSink, without the picture."""
    return lambda step: sink.handle(step.notice)


class Delivery(Generic[T]):
    """Passes messages to one sink. Logs when the sink fails and when it recovers. Other sinks are not affected."""

    def __init__(self, name: str, deliver: Callable[[T], None]) -> None:
        self._deliver = deliver
        self._outage = Outage(
            log,
            name,
            begins="%s fails, recognition continues: %s",
            ends="%s works again; messages that it missed: %d",
            quiet=QUIET,
        )
        self._failed_contents: frozenset[str] = frozenset()

    def __call__(self, message: T) -> None:
        try:
            self._deliver(message)
        except Exception as error:
            if not isinstance(error, SinkError):
                log.debug("internal error of a sink", exc_info=error)
            self._outage.record_failure(error if isinstance(error, SinkError) else f"internal error: {error!r}")
            self._failed_contents = _contents(message)
        else:
            # A file that cannot take an event takes any number of steps without one.
            if self._failed_contents <= _contents(message):
                self._outage.record_success()

    def close(self) -> None:
        """Log how many messages the sink has missed, if it still fails."""
        self._outage.close("%s still fails at the end; messages that it missed: %d")


def _contents(message: object) -> frozenset[str]:
    """Return what a step holds that a sink may have to write."""
    if not isinstance(message, Step):
        return frozenset()
    present = {"events": bool(message.notice.events), "frame": message.frame is not None}
    return frozenset(name for name, is_present in present.items() if is_present)
