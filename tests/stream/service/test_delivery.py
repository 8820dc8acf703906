"""What the log says of a sink that fails while the service runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from harstream.stream.service.delivery import Delivery, without_pixels
from harstream.stream.sinks.jsonl import JsonLines
from harstream.wire.context import Context
from harstream.wire.errors import SinkError
from harstream.wire.values import EventType, Step
from tests.support.values import MakeEvent, MakeNotice


@pytest.fixture
def deliver(tmp_path: Path, context: Context) -> Iterator[Delivery[Step]]:
    """Passes steps to an events file."""
    sink = JsonLines(tmp_path / "events.jsonl", context)
    sink.start()
    yield Delivery("events file", without_pixels(sink))
    sink.close()


@pytest.fixture
def make_step(make_notice: MakeNotice) -> Callable[..., Step]:
    return lambda *events: Step(make_notice(*events), None)


def test_a_full_disk_is_logged_once_until_an_event_is_written_again(
    deliver: Delivery[Step], make_step: Callable[..., Step], make_event: MakeEvent,
    files_no_longer_than: Callable[[int], AbstractContextManager[None]], caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level("INFO")
    with files_no_longer_than(10):
        for _ in range(3):
            deliver(make_step(make_event()))
            deliver(make_step())  # a step without an event needs no disk
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    deliver(make_step(make_event(EventType.END)))
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "works again" in caplog.messages[-1]
    assert caplog.messages[-1].endswith(": 3")


def test_a_sink_that_fails_with_every_second_step_does_not_fill_the_log(
    make_step: Callable[..., Step], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    steps = list[Step]()

    def fail_with_every_second_step(step: Step) -> None:
        steps.append(step)
        if len(steps) % 2:
            raise SinkError("its file is full")

    deliver = Delivery("recorder", fail_with_every_second_step)
    for _ in range(100):
        deliver(make_step())
    deliver.close()
    begins, ends, total = caplog.messages
    assert begins == "recorder fails, recognition continues: its file is full"
    assert ends == "recorder works again; messages that it missed: 1"
    assert total == "recorder works again; messages that it missed: 49"


def test_a_sink_that_still_fails_at_the_end_says_what_it_missed(
    deliver: Delivery[Step], make_step: Callable[..., Step], make_event: MakeEvent,
    files_no_longer_than: Callable[[int], AbstractContextManager[None]], caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    with files_no_longer_than(10):
        for _ in range(3):
            deliver(make_step(make_event()))
    deliver.close()
    _, last = caplog.messages
    assert "events file still fails" in last
    assert last.endswith(": 3")
