from __future__ import annotations

import logging

import pytest

from harstream.resilience.outage import Outage

log = logging.getLogger("test.outage")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def test_outage_logs_its_first_failure_and_its_end_with_the_count(lines: pytest.LogCaptureFixture) -> None:
    outage = Outage(log, "the disk", begins="%s fails: %s", ends="%s works again after %d failures")
    outage.record_success()
    for _ in range(3):
        outage.record_failure("full")
    assert outage.is_ongoing
    assert outage.count == 3
    outage.record_success()
    outage.record_success()
    assert lines.messages == ["the disk fails: full", "the disk works again after 3 failures"]
    assert [record.levelname for record in lines.records] == ["WARNING", "INFO"]
    assert not outage.is_ongoing


def test_second_outage_counts_from_zero(lines: pytest.LogCaptureFixture) -> None:
    outage = Outage(log, "the disk", begins="%s fails: %s", ends="%s works again after %d failures")
    outage.record_failure("full")
    outage.record_failure("full")
    outage.record_success()
    outage.record_failure("full")
    outage.record_success()
    assert lines.messages[-1] == "the disk works again after 1 failures"


def test_outage_can_count_lost_entries_instead_of_failures(lines: pytest.LogCaptureFixture) -> None:
    outage = Outage(log, "the disk", begins="%s fails: %s", ends="%s works again; %d entries were lost")
    outage.record_failure("full", count=0)
    outage.record_failure("full", count=5)
    outage.record_success()
    assert lines.messages == ["the disk fails: full", "the disk works again; 5 entries were lost"]


def test_outage_logs_a_changed_reason_only_if_asked(lines: pytest.LogCaptureFixture) -> None:
    for logs_each_reason in (False, True):
        outage = Outage(log, "the disk", begins=f"{logs_each_reason} %s: %s", logs_each_reason=logs_each_reason)
        for reason in ("refused", "refused", "login", "login"):
            outage.record_failure(reason)
        outage.record_success()
    assert lines.messages == ["False the disk: refused", "True the disk: refused", "True the disk: login"]


def test_percent_sign_in_a_reason_is_plain_text(lines: pytest.LogCaptureFixture) -> None:
    Outage(log, "the disk", begins="%s fails: %s").record_failure("100 %d full")
    assert lines.messages == ["the disk fails: 100 %d full"]


def test_each_record_carries_the_extra_fields(lines: pytest.LogCaptureFixture) -> None:
    outage = Outage(log, "the disk", begins="%s fails: %s", ends="%s after %d", extra={"camera": "hall"})
    outage.record_failure("full")
    outage.record_success()
    assert [record.__dict__["camera"] for record in lines.records] == ["hall", "hall"]
