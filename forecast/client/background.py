"""Work on a thread of its own, for which neither the ticks nor a process that ends wait."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from time import monotonic
from typing import NamedTuple, ParamSpec, TypeVar

from harstream.resilience.background_delivery import LAST_CHANCE, BackgroundDelivery

P = ParamSpec("P")
T = TypeVar("T")

MOST_WAITING = 20_000
"""Pieces of work that wait at most for a disk that hangs."""


class Background(Executor):
    """Does one piece of work after another. It is cancelled if too much waits. One thread uses all methods.

    Learning takes up to a minute, and a disk may hang for ever, but a stop must not take as long. So the thread is a
    daemon.
    """

    def __init__(self, name: str, *, settle: Callable[[], None] | None = None) -> None:
        """`name`: of the thread, for the log. `settle`: called about once a second and at the end, on the thread."""
        self._delivery = BackgroundDelivery[Callable[[], None]](
            name,
            lambda do: do(),
            is_needed=lambda _: True,
            most_waiting=MOST_WAITING,
            settle=settle,
            meanwhile="forecasts go on",
        )

    def start(self) -> None:
        self._delivery.start()

    def submit(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do the work on the thread, once it has started."""
        future = Future[T]()
        if self._delivery.is_full:
            future.cancel()
        self._delivery(partial(_do, future, partial(work, *args, **kwargs)))
        return future

    def check(self) -> None:
        """Log when the work hangs and when it goes on again. Call it about once a second."""
        self._delivery.check()

    def close(self) -> bool:
        """Do the work that waits, and return whether it is done. It gives up after some seconds."""
        return self._delivery.close(monotonic() + LAST_CHANCE)


class Workers(NamedTuple):
    """What a forecaster does not do itself, because it may take long."""

    learning: Executor
    looking: Executor
    """For looking ahead. Learning reads the diary, so that it may hang."""
    writing: Executor
    """For the diary."""


def _do(future: Future[T], work: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(work())
    except Exception as error:  # `result` raises it on the other thread
        future.set_exception(error)
