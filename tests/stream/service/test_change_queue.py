"""Another thread makes the changes in their order and reports each refusal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from harstream.stream.service.change_queue import INTERNAL_ERROR, ChangeQueue
from harstream.wire.errors import ControlError
from tests.support.waiting import Eventually


@pytest.fixture
def queue() -> Iterator[ChangeQueue]:
    queue = ChangeQueue()
    yield queue
    queue.close()


def refuse(why: str) -> Callable[[], None]:
    def change() -> None:
        raise ControlError(why)

    return change


def test_changes_from_before_the_start_are_made_in_their_order(queue: ChangeQueue, eventually: Eventually) -> None:
    made: list[int] = []
    for number in range(3):
        queue.put(lambda number=number: made.append(number), make_error)  # type: ignore[misc]
    assert made == []
    queue.start()
    eventually(lambda: made == [0, 1, 2], "the changes")


def make_error(why: str) -> None:
    raise AssertionError(why)


def test_a_refused_change_is_raised_for_its_caller_and_the_next_one_is_made(
    queue: ChangeQueue, eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    refused: list[str] = []
    made = threading.Event()
    queue.start()
    queue.put(refuse("no such camera"), refused.append)
    queue.put(lambda: 1 / 0, refused.append)
    queue.put(made.set, refused.append)
    eventually(made.is_set, "the last change")
    assert refused == ["no such camera", INTERNAL_ERROR]
    assert "ZeroDivisionError" in caplog.text


def test_a_change_after_the_close_is_dropped(queue: ChangeQueue) -> None:
    made: list[int] = []
    queue.start()
    queue.close()
    queue.put(lambda: made.append(1), make_error)
    assert made == []
