"""Makes changes one after the other, on a thread of its own, for callers that must not wait."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from harstream.wire.errors import HarstreamError

log = logging.getLogger(__name__)

INTERNAL_ERROR = "internal error, see the log"


class ChangeQueue:
    """The MQTT thread and signal handlers put changes here."""

    def __init__(self) -> None:
        self._changes: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._is_closing = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread. Changes that were put in before are made now."""
        self._thread = threading.Thread(target=self._work, name="changes")
        self._thread.start()

    def put(self, change: Callable[[], object], on_refused: Callable[[str], None]) -> None:
        """Return at once; the thread calls `change`. If that raises, it calls `on_refused` with the reason, one line.

        From any thread, or from a signal handler: it takes no lock.
        """

        def make() -> None:
            try:
                change()
            except HarstreamError as error:
                on_refused(str(error))
            except Exception:  # otherwise the thread would end, and nobody would learn why
                log.exception("a change failed")
                on_refused(INTERNAL_ERROR)

        self._changes.put(make)

    def close(self) -> None:
        """Wait for the change in progress. Later changes are dropped."""
        self._is_closing = True
        self._changes.put(None)
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while (change := self._changes.get()) is not None and not self._is_closing:
            change()
