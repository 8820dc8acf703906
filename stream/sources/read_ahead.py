"""Runs a generator on a thread of its own, a little ahead of its consumer."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TypeVar

Item = TypeVar("Item")

CHUNK = 0.01
"""Seconds of work per chunk: about fifty small pictures or two large ones. Passing a single picture between threads
costs half as much as decoding a small one."""


def read_ahead(items: Iterator[Item], seconds: float = CHUNK) -> Iterator[Item]:
    """Yield the same items, up to twice `seconds` of work ahead. An error is raised after the items before it."""

    def take() -> tuple[list[Item], bool, Exception | None]:
        """Return the next items, whether they are the last ones, and the error that ended them."""
        taken: list[Item] = []
        enough = monotonic() + seconds
        try:
            for item in items:
                taken.append(item)
                if monotonic() >= enough:
                    return taken, False, None
        except Exception as error:  # raised again below
            return taken, True, error
        return taken, True, None

    with ThreadPoolExecutor(1) as worker:
        is_last = False
        coming = worker.submit(take)
        while not is_last:
            taken, is_last, error = coming.result()
            if not is_last:
                coming = worker.submit(take)
            yield from taken
            if error is not None:
                raise error
