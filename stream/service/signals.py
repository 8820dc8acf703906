"""Stops or reloads a run on signals of the operating system."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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
