"""Waits for work on a disk that may hang, but not for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable


def finishes_within(seconds: float, work: Callable[[], object]) -> bool:
    """Do the work on another thread, and return whether it has finished within `seconds`. Raises what it raised.

    A write that hangs cannot be interrupted. The thread then stays, and the process can end without it.
    """
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, name="bounded work", daemon=True)
    thread.start()
    thread.join(seconds)
    is_finished = not thread.is_alive()
    if is_finished and failures:
        raise failures[0]
    return is_finished
