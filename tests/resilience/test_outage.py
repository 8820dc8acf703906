from __future__ import annotations

import logging

import pytest

from harstream.resilience import outage as outages
from harstream.resilience.outage import QUIET, Outage
from tests.support.clock import SettableClock

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


@pytest.fixture
def quiet(clock: SettableClock, monkeypatch: pytest.MonkeyPatch) -> Outage:
    monkeypatch.setattr(outages, "monotonic", clock)
    return Outage(log, "the disk", begins="%s fails: %s", ends="%s works again after %d failures", quiet=QUIET)


def test_what_fails_and_works_in_turn_is_logged_once_a_minute_with_every_failure(
    quiet: Outage, clock: SettableClock, lines: pytest.LogCaptureFixture
) -> None:
    for second in range(125):
        clock.now = float(second)
        quiet.record_failure("full")
        quiet.record_success()
    quiet.close()
    ends = [f"the disk works again after {count} failures" for count in (1, 60, 60, 4)]
    assert [line for line in lines.messages if "works" in line] == ends
    assert lines.messages.count("the disk fails: full") == 3


def test_an_outage_that_begins_soon_after_another_is_logged_when_it_lasts(
    quiet: Outage, clock: SettableClock, lines: pytest.LogCaptureFixture
) -> None:
    quiet.record_failure("full")
    quiet.record_success()
    clock.now = 10.0
    quiet.record_failure("gone")
    assert len(lines.messages) == 2
    clock.now = QUIET
    quiet.record_failure("gone")
    assert lines.messages[2:] == ["the disk fails: gone"]
    quiet.close("%s still fails; %d failures")
    assert lines.messages[3:] == ["the disk still fails; 2 failures"]


def test_percent_sign_in_a_reason_is_plain_text(lines: pytest.LogCaptureFixture) -> None:
    Outage(log, "the disk", begins="%s fails: %s").record_failure("100 %d full")
    assert lines.messages == ["the disk fails: 100 %d full"]


def test_each_record_carries_the_extra_fields(lines: pytest.LogCaptureFixture) -> None:
    outage = Outage(log, "the disk", begins="%s fails: %s", ends="%s after %d", extra={"camera": "hall"})
    outage.record_failure("full")
    outage.record_success()
    assert [record.__dict__["camera"] for record in lines.records] == ["hall", "hall"]
