"""A generator at work on a thread of its own, a little ahead of whoever takes what it yields."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")

CHUNK = 8
"""Items handed over at once: a hand-over costs as much as decoding half a small picture."""


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items; what `items` raises comes after those before it. At most 2 * CHUNK of them wait."""

    def take() -> tuple[list[Item], Exception | None]:
        taken: list[Item] = []
        try:
            for item in islice(items, CHUNK):
                taken.append(item)  # noqa: PERF402 (what came before an error is kept)
        except Exception as error:  # raised again below
            return taken, error
        return taken, None

    with ThreadPoolExecutor(1) as worker:
        coming = worker.submit(take)
        while True:
            taken, error = coming.result()
            is_last = error is not None or len(taken) < CHUNK
            if not is_last:
                coming = worker.submit(take)
            yield from taken
            if error is not None:
                raise error
            if is_last:
                return
