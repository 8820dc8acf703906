"""Applies changes in order on its own thread, for callers that must not wait."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from harstream.wire.errors import HarstreamError

log = logging.getLogger(__name__)

INTERNAL_ERROR = "internal error, see the log"


class ChangeQueue:
    """Holds the changes of the MQTT thread and of signal handlers."""

    def __init__(self) -> None:
        self._changes: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._is_closing = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread. It first makes the changes that already wait."""
        self._thread = threading.Thread(target=self._work, name="changes")
        self._thread.start()

    def put(self, change: Callable[[], object], on_refused: Callable[[str], None]) -> None:
        """Queue a change and return at once. If `change` raises, the thread calls `on_refused` with a one-line reason.

        Callable from any thread and from a signal handler: it takes no lock.
        """

        def make() -> None:
            try:
                change()
            except HarstreamError as error:
                on_refused(str(error))
            except Exception:  # otherwise the thread would end silently
                log.exception("a change failed")
                on_refused(INTERNAL_ERROR)

        self._changes.put(make)

    def close(self) -> None:
        """Wait for the change in progress and drop later changes."""
        self._is_closing = True
        self._changes.put(None)
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while (change := self._changes.get()) is not None and not self._is_closing:
            change()
