"""What the log says of a sink that fails while the service runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from harstream.stream.service.service import _Delivery, without_pixels
from harstream.stream.sinks.jsonl import JsonLines
from harstream.wire.context import Context
from harstream.wire.values import Event, EventType, Notice, Step
from tests.support.values import MakeEvent, MakeNotice


def test_a_full_disk_is_logged_once_until_an_event_is_written_again(
    tmp_path: Path,
    context: Context,
    make_event: MakeEvent,
    make_notice: MakeNotice,
    files_no_longer_than: Callable[[int], AbstractContextManager[None]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    sink = JsonLines(tmp_path / "events.jsonl", context)
    sink.start()
    deliver: _Delivery[Step] = _Delivery("events file", without_pixels(sink))

    def step(*events: Event) -> Step:
        notice: Notice = make_notice(*events)
        return Step(notice, None)

    caplog.set_level("INFO")
    with files_no_longer_than(10):
        for _ in range(3):
            deliver(step(make_event()))
            deliver(step())  # a step without an event needs no disk
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    deliver(step(make_event(EventType.END)))
    sink.close()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "works again" in caplog.messages[-1]
    assert caplog.messages[-1].endswith(": 3")


def test_a_sink_that_still_fails_at_the_end_says_what_it_missed(
    tmp_path: Path,
    context: Context,
    make_event: MakeEvent,
    make_notice: MakeNotice,
    files_no_longer_than: Callable[[int], AbstractContextManager[None]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    sink = JsonLines(tmp_path / "events.jsonl", context)
    sink.start()
    deliver: _Delivery[Step] = _Delivery("events file", without_pixels(sink))
    with files_no_longer_than(10):
        for _ in range(3):
            deliver(Step(make_notice(make_event()), None))
    deliver.close()
    sink.close()
    _, last = caplog.messages
    assert "events file still fails" in last
    assert last.endswith(": 3")
