"""Stops or reloads a program on signals of the operating system."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

log = logging.getLogger(__name__)


@contextmanager
def stop_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` on Ctrl-C and SIGTERM inside the block. A second Ctrl-C interrupts as usual."""

    def handle(number: int, _: object) -> None:
        signal.signal(number, previous[number])
        log.info("stopping")
        stop()

    previous = {int(number): signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def reload_on_signal(reload: Callable[[], object]) -> Iterator[None]:
    """Call `reload` on SIGHUP inside the block. The signal may interrupt any code, so `reload` must only queue work.

    A terminal that closes sends SIGHUP, too. The signal then ends the process, or does nothing under nohup. Windows has
    no SIGHUP.
    """
    if not hasattr(signal, "SIGHUP") or signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        yield
        return
    has_terminal = os.isatty(0)

    def handle(*_: object) -> None:
        if has_terminal and not os.isatty(0):
            signal.raise_signal(signal.SIGTERM)
        else:
            reload()

    previous = signal.signal(signal.SIGHUP, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, previous)


class RunSignals:
    """Owns SIGINT, SIGTERM and SIGHUP while services follow one another in a process. It is a context manager.

    time:               before a service is up   while it runs   while it closes and the next one starts
    SIGINT, SIGTERM:    end the process          stop it         the next one stops at once
    SIGHUP:             it reloads               it reloads      the next one reloads

    If each service had its own handlers, a signal between two services would end the process, and events would be lost.
    """

    def __init__(self) -> None:
        self.is_stopping = False
        """Whether SIGINT or SIGTERM came since the first service was up."""
        self._is_reload_waiting = False
        self._stop: Callable[[], None] | None = None
        self._reload: Callable[[], object] | None = None
        self._handlers = ExitStack()
        self._owns_stop = False

    def __enter__(self) -> RunSignals:
        self._handlers.enter_context(reload_on_signal(self._on_reload))
        return self

    def __exit__(self, *_: object) -> None:
        self._handlers.close()

    @contextmanager
    def reload_with(self, reload: Callable[[], object]) -> Iterator[None]:
        """Call `reload` on SIGHUP inside the block, and at once if SIGHUP came earlier. It must only queue work."""
        self._reload = reload
        if self._is_reload_waiting:
            self._is_reload_waiting = False
            reload()
        try:
            yield
        finally:
            self._reload = None

    @contextmanager
    def stop_with(self, stop: Callable[[], None]) -> Iterator[None]:
        """Call `stop` on SIGINT and SIGTERM inside the block, and at once if one came after an earlier block began."""
        self._stop = stop
        if not self._owns_stop:
            self._owns_stop = True
            self._handlers.enter_context(stop_on_signals(self._on_stop))
        if self.is_stopping:
            stop()
        try:
            yield
        finally:
            self._stop = None

    def _on_stop(self) -> None:
        self.is_stopping = True
        if self._stop is not None:
            self._stop()

    def _on_reload(self) -> None:
        if self._reload is None:
            self._is_reload_waiting = True
        else:
            self._reload()
