"""What a thread of its own yields is what the generator would have yielded."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import islice

import pytest

from stream.ahead import CHUNK, ahead


@pytest.mark.parametrize("count", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK])
def test_every_item_comes_in_its_order(count: int) -> None:
    assert list(ahead(iter(range(count)))) == list(range(count))


@pytest.mark.parametrize("count", [0, 3, CHUNK, 2 * CHUNK + 1])
def test_an_error_comes_after_the_items_before_it(count: int) -> None:
    def broken() -> Iterator[int]:
        yield from range(count)
        raise OSError("the film tore")

    items = ahead(broken())
    assert [next(items) for _ in range(count)] == list(range(count))
    with pytest.raises(OSError, match="the film tore"):
        next(items)


def test_work_is_done_on_one_other_thread_and_not_far_ahead() -> None:
    workers, made = set(), []

    def numbers() -> Iterator[int]:
        for number in range(100):
            workers.add(threading.get_ident())
            made.append(number)
            yield number

    taken = ahead(numbers())
    assert list(islice(taken, CHUNK + 1)) == list(range(CHUNK + 1))
    taken.close()  # type: ignore[attr-defined]
    assert len(made) <= 3 * CHUNK
    assert len(workers) == 1
    assert threading.get_ident() not in workers
