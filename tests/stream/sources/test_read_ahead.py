"""Reading ahead on another thread yields the items of the generator."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import islice

import pytest

from harstream.stream.sources.read_ahead import read_ahead

CHUNKS = pytest.mark.parametrize("seconds", [0.0, 0.001, 60.0])
"""Items are read ahead singly, a few at a time, or all at once."""


@CHUNKS
@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_every_item_comes_in_its_order(count: int, seconds: float) -> None:
    assert list(read_ahead(iter(range(count)), seconds)) == list(range(count))


@CHUNKS
@pytest.mark.parametrize("count", [0, 3, 100])
def test_an_error_comes_after_the_items_before_it(count: int, seconds: float) -> None:
    def broken() -> Iterator[int]:
        yield from range(count)
        raise OSError("the film tore")

    items = read_ahead(broken(), seconds)
    assert [next(items) for _ in range(count)] == list(range(count))
    with pytest.raises(OSError, match="the film tore"):
        next(items)


def test_items_are_made_on_one_other_thread_and_not_far_ahead() -> None:
    workers, made = set(), []

    def numbers() -> Iterator[int]:
        for number in range(100):
            workers.add(threading.get_ident())
            made.append(number)
            yield number

    taken = read_ahead(numbers(), 0.0)
    assert list(islice(taken, 3)) == [0, 1, 2]
    time.sleep(0.05)
    assert len(made) == 4  # 3 waits until 2 has been looked at
    taken.close()  # type: ignore[attr-defined]
    assert len(made) == 4
    assert len(workers) == 1
    assert threading.get_ident() not in workers
