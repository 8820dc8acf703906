"""One thread for long work, which a process that ends does not wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from queue import SimpleQueue
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Background(Executor):
    """Does one piece of work after another. Learning takes up to a minute, and a stop must not take as long.

    So its thread is a daemon: it may be cut off, because its work changes nothing.
    """

    def __init__(self, name: str) -> None:
        """`name`: of the thread."""
        self._waiting: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do the work on the thread, once it has started."""
        future = Future[T]()
        self._waiting.put(partial(_do, future, partial(work, *args, **kwargs)))
        return future

    def _run(self) -> None:
        while True:
            self._waiting.get()()


def _do(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except Exception as error:  # `result` raises it on the other thread
        future.set_exception(error)
