from __future__ import annotations

import logging

import pytest

from harstream.stream.sinks.event_log import EventLog
from harstream.wire.context import Context
from harstream.wire.messages.event import EventMessage
from harstream.wire.values import EventType
from tests.support.values import MakeEvent, MakeNotice


def test_event_is_a_record_with_its_message(
    make_event: MakeEvent, make_notice: MakeNotice, context: Context,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    start, update = make_event(), make_event(EventType.UPDATE, seq=2)
    EventLog(context).handle(make_notice(start, update))
    first, second = caplog.records
    assert (first.levelname, first.getMessage()) == ("INFO", "start of JumpingJack")
    assert (second.levelname, second.getMessage()) == ("DEBUG", "update of JumpingJack")
    assert first.__dict__["camera"] == "hall"
    assert first.__dict__["event"] == EventMessage.of(start, context).facts()
