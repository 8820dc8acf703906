"""A sink behind a background delivery may hang for any time. What it does not take is counted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from time import monotonic

import pytest

from harstream.resilience import background_delivery
from harstream.resilience.background_delivery import BackgroundDelivery
from tests.support.waiting import Eventually


class Pipe:
    """Takes messages while it is open."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.open = threading.Event()

    def __call__(self, message: int) -> None:
        self.open.wait()
        self.taken.append(message)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.open.set()


def delivery(pipe: Pipe, most_waiting: int = 100) -> BackgroundDelivery[int]:
    made = BackgroundDelivery("pipe", pipe, is_needed=lambda message: message >= 0, most_waiting=most_waiting)
    made.start()
    return made


def close(passing: BackgroundDelivery[int], patience: float = 10.0) -> bool:
    return passing.close(monotonic() + patience)


def test_messages_arrive_in_order_and_needless_ones_are_left_out(pipe: Pipe) -> None:
    pipe.open.set()
    passing = delivery(pipe)
    for message in (1, -1, 2, 3):
        passing(message)
    assert close(passing)
    assert pipe.taken == [1, 2, 3]


def test_a_sink_that_hangs_is_logged_once_and_its_recovery_too(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, eventually: Eventually
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(background_delivery, "HANGS_AFTER", 0.05)
    passing = delivery(pipe)
    for message in range(5):
        passing(message)
    eventually(lambda: passing.is_hanging, "the sink to hang")
    passing.check()
    passing.check()
    pipe.open.set()
    eventually(lambda: pipe.taken == [0, 1, 2, 3, 4], "all messages")
    eventually(lambda: not passing.is_hanging, "the recovery")
    passing.check()
    begins, ends = caplog.messages
    assert begins.startswith("pipe hangs, recognition continues: messages that wait: 5")
    assert ends.startswith("pipe works again")
    assert close(passing)


def test_messages_beyond_the_limit_are_lost_and_counted(
    pipe: Pipe, caplog: pytest.LogCaptureFixture, eventually: Eventually
) -> None:
    caplog.set_level(logging.INFO)
    passing = delivery(pipe, most_waiting=2)
    passing(0)
    eventually(lambda: len(passing._waiting) == 0, "the first message to be in work")
    for message in range(1, 6):
        passing(message)
    pipe.open.set()
    eventually(lambda: pipe.taken == [0, 1, 2], "the messages that waited")
    passing(9)
    assert close(passing)
    assert [text.startswith("pipe: ") for text in caplog.messages] == [True, True]
    assert caplog.messages[-1].endswith("lost: 3")


def test_a_sink_that_is_too_slow_is_logged_once_and_its_losses_at_the_end(
    pipe: Pipe, caplog: pytest.LogCaptureFixture, eventually: Eventually
) -> None:
    """It takes one message, and then two come."""
    caplog.set_level(logging.INFO)
    permits = threading.Semaphore(0)
    taken = list[int]()

    def take(message: int) -> None:
        permits.acquire()
        taken.append(message)

    slow = BackgroundDelivery("recorder", take, is_needed=lambda message: True, most_waiting=4)
    slow.start()
    slow(0)
    eventually(lambda: len(slow._waiting) == 0, "the first message to be in work")
    for message in range(1, 5):
        slow(message)
    for turn in range(20):
        permits.release()
        eventually(lambda: len(slow._waiting) == 3, "room for one message")
        slow(100 + turn)
        slow(200 + turn)
    assert caplog.messages == ["recorder: 4 messages wait, further ones are lost"]
    permits.release(100)
    assert close(slow)
    assert caplog.messages[1:] == ["recorder: messages that were lost: 20"]


def test_the_end_does_not_wait_for_a_sink_that_hangs(pipe: Pipe, caplog: pytest.LogCaptureFixture) -> None:
    passing = delivery(pipe)
    passing(1)
    passing(2)
    assert not close(passing, patience=0.05)
    assert "did not take its last 2 messages" in caplog.text


def test_a_sink_settles_between_messages_and_at_the_end(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.setattr(background_delivery, "SETTLE_PERIOD", 0.01)
    pipe.open.set()
    settled = list[int]()
    passing = BackgroundDelivery(
        "disk", pipe, is_needed=lambda message: True, most_waiting=9, settle=lambda: settled.append(len(pipe.taken))
    )
    passing.start()
    eventually(lambda: len(settled) > 2, "the sink to settle without a message")
    passing(1)
    assert close(passing)
    assert settled[-1] == 1


def test_settling_that_hangs_is_noticed(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, eventually: Eventually
) -> None:
    monkeypatch.setattr(background_delivery, "SETTLE_PERIOD", 0.01)
    monkeypatch.setattr(background_delivery, "HANGS_AFTER", 0.05)
    passing = BackgroundDelivery("disk", pipe, is_needed=lambda message: True, most_waiting=9, settle=lambda: pipe(0))
    passing.start()
    eventually(lambda: passing.is_hanging, "the sink to hang")
    passing.check()
    assert "disk hangs, recognition continues" in caplog.text
    assert not close(passing, patience=0.05)
