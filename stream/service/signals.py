"""What signals of the operating system do to a run."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Inside, Ctrl-C and SIGTERM call `stop`. A second Ctrl-C interrupts as usual."""

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
def reloaded_by_signal(reload: Callable[[], object]) -> Iterator[None]:
    """Inside, SIGHUP calls `reload`. It may interrupt any code, so `reload` must only queue the work.

    A terminal that closes sends SIGHUP, too. It then ends the process as usual, or does nothing under nohup. Windows
    has no such signal.
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
