"""The history sink keeps events over restarts, full disks and broken files."""

from __future__ import annotations

import logging
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from pathlib import Path

import pytest

from harstream.stream.history.sink import KILLED, UPKEEP_PERIOD, HistorySink
from harstream.stream.history.store import (
    PastActivity,
    Query,
    activities,
    changes,
    names,
    reading,
    undelivered,
)
from harstream.wire.context import Context
from harstream.wire.errors import SinkError
from harstream.wire.values import (
    CameraChange,
    CameraState,
    EndReason,
    EventType,
)
from tests.support.clock import SettableClock
from tests.support.disk import SmallDisk
from tests.support.values import MakeEvent, MakeNotice

StartSink = Callable[[], HistorySink]

NOON = 1_700_000_000.0
DAY = 86_400.0


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(NOON)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "history.sqlite"


@pytest.fixture
def start_sink(path: Path, context: Context, clock: SettableClock) -> Iterator[StartSink]:
    """`start_sink()` starts another run on the same file."""
    sinks: list[HistorySink] = []

    def start() -> HistorySink:
        sink = HistorySink(path, context, days=30, wall_clock=clock, clock=clock)
        sink.start()
        sinks.append(sink)
        return sink

    yield start
    for sink in sinks:
        sink.close()


def kept(path: Path, **query: object) -> list[PastActivity]:
    with reading(path) as database:
        return list(activities(database, Query(**query)))  # type: ignore[arg-type]


def ids(path: Path, **query: object) -> list[str]:
    return [past.event.id for past in kept(path, **query)]


def changes_in(path: Path, **query: object) -> list[CameraChange]:
    with reading(path) as database:
        return list(changes(database, Query(**query)))  # type: ignore[arg-type]


def test_start_update_and_end_are_one_row(
    path: Path, start_sink: StartSink, make_event: MakeEvent, make_notice: MakeNotice
) -> None:
    sink = start_sink()
    sink.handle(make_notice(make_event()))
    assert [(past.event.type, past.event.ended_at) for past in kept(path)] == [(EventType.START, None)]
    sink.handle(make_notice(make_event(EventType.UPDATE, seq=2, updated_at=NOON + 7)))
    assert [(past.event.type, past.event.updated_at) for past in kept(path)] == [(EventType.UPDATE, NOON + 7)]
    end = make_event(EventType.END, seq=3)
    sink.handle(make_notice(end))
    assert kept(path) == [PastActivity(end, "Hallway", "lrcn", "1.0.0")]


def test_query_returns_matching_activities_newest_first(
    path: Path, start_sink: StartSink, make_event: MakeEvent, make_notice: MakeNotice
) -> None:
    sink = start_sink()
    for number, (camera, activity) in enumerate(
        [("hall", "Jump"), ("yard", "Jump"), ("hall", "Run"), ("hall", "Jump")]
    ):
        event = make_event(id=str(number), camera=camera, activity=activity, started_at=NOON + number)
        sink.handle(make_notice(event))
    assert ids(path) == ["3", "2", "1", "0"]
    assert ids(path, limit=2) == ["3", "2"]
    assert ids(path, camera="hall") == ["3", "2", "0"]
    assert ids(path, camera="hall", activity="Jump") == ["3", "0"]
    assert ids(path, since=NOON + 1, until=NOON + 3) == ["2", "1"]
    with reading(path) as database:
        assert (names(database, "camera"), names(database, "activity")) == (["hall", "yard"], ["Jump", "Run"])


def test_change_of_a_camera_is_kept_once(path: Path, start_sink: StartSink, make_notice: MakeNotice) -> None:
    sink = start_sink()
    reports = [
        (1, CameraState.CONNECTING, ""),
        (2, CameraState.LIVE, ""),
        (3, CameraState.OFFLINE, "unplugged"),
        (4, CameraState.OFFLINE, "unplugged"),
        (5, CameraState.OFFLINE, "no route"),
        (6, CameraState.LIVE, ""),
    ]
    for second, state, reason in reports:
        sink.handle(make_notice(time=NOON + second, state=state, reason=reason))
    assert [(one.time - NOON, one.state.value, one.reason) for one in changes_in(path)] == [
        (6, "live", ""),
        (5, "offline", "no route"),
        (3, "offline", "unplugged"),
        (2, "live", ""),
    ]
    assert changes_in(path, camera="yard") == []


def test_start_deletes_old_activities(
    path: Path,
    start_sink: StartSink,
    clock: SettableClock,
    make_event: MakeEvent,
    make_notice: MakeNotice,
) -> None:
    first = start_sink()
    for day in (0, 1):
        time = NOON + day * DAY
        event = make_event(EventType.END, id=str(day), started_at=time)
        first.handle(make_notice(event, time=time, state=CameraState.LIVE, reason=str(day)))
    first.close()
    clock.now = NOON + 30.5 * DAY
    start_sink()
    assert ids(path) == ["1"]
    assert [change.reason for change in changes_in(path)] == ["1"]


def test_upkeep_deletes_old_activities_and_empties_the_journal(
    path: Path, start_sink: StartSink, clock: SettableClock, make_event: MakeEvent, make_notice: MakeNotice
) -> None:
    def rows_without_journal() -> int:
        with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as database:
            (rows,) = database.execute("SELECT count(*) FROM activities").fetchone()
            return int(rows)

    sink = start_sink()
    sink.handle(make_notice(make_event(EventType.END)))
    assert rows_without_journal() == 0
    clock.now = NOON + UPKEEP_PERIOD
    sink.settle()
    assert rows_without_journal() == 1
    clock.now = NOON + 31 * DAY
    sink.settle()
    assert ids(path) == []


def test_what_a_clock_that_was_not_set_has_dated_is_kept_until_later_entries_are_old(
    path: Path, start_sink: StartSink, clock: SettableClock, make_event: MakeEvent, make_notice: MakeNotice
) -> None:
    clock.now = 300.0  # 1970
    first = start_sink()
    first.handle(
        make_notice(make_event(EventType.END, id="1970", started_at=200.0), time=200.0, state=CameraState.LIVE)
    )
    first.close()
    clock.now = NOON
    second = start_sink()
    second.handle(
        make_notice(make_event(EventType.END, id="now", started_at=NOON), time=NOON, state=CameraState.OFFLINE)
    )
    second.close()
    clock.now = NOON + 29 * DAY
    start_sink().close()
    assert ids(path) == ["now", "1970"]
    assert len(changes_in(path)) == 2
    clock.now = NOON + 31 * DAY
    start_sink()
    assert ids(path) == []
    assert changes_in(path) == []


def test_history_of_a_machine_whose_clock_is_never_set_is_forgotten_by_age(
    path: Path, start_sink: StartSink, clock: SettableClock, make_event: MakeEvent, make_notice: MakeNotice
) -> None:
    clock.now = 300.0
    sink = start_sink()
    sink.handle(make_notice(make_event(EventType.END, started_at=200.0)))
    clock.now += 31 * DAY
    sink.settle()
    assert ids(path) == []


def test_activity_of_a_killed_run_ends_at_its_last_update(
    path: Path, start_sink: StartSink, make_event: MakeEvent, make_notice: MakeNotice
) -> None:
    first = start_sink()
    first.handle(make_notice(make_event(EventType.END, id="whole")))
    still_open = make_event(EventType.UPDATE, id="open", seq=4, updated_at=NOON + 12)
    first.handle(make_notice(still_open))
    first.handle(make_notice())  # a frame
    # A kill leaves this state: the rows are written, and nothing is closed.
    second = start_sink()
    (notice,) = second.undelivered
    assert notice.events == (
        replace(still_open, type=EventType.END, seq=5, ended_at=NOON + 12, end_reason=EndReason.SHUTDOWN,
                historical=True),
    )  # fmt: skip
    assert notice.change == CameraChange("hall", NOON + 12, CameraState.OFFLINE, KILLED)
    assert notice.activity.name == "unknown"
    second.handle(notice)
    second.handle(make_notice())
    with reading(path) as database:
        assert undelivered(database) == []
    assert start_sink().undelivered == []


def test_events_of_the_last_write_of_a_killed_run_are_reported_again(
    path: Path, start_sink: StartSink, make_event: MakeEvent, make_notice: MakeNotice
) -> None:
    first = start_sink()
    first.handle(make_notice(make_event(id="Z")))
    end, start = make_event(EventType.END, id="Z", seq=2), make_event(id="A")
    first.handle(make_notice(end, start))
    second = start_sink()
    (notice,) = second.undelivered
    assert [(event.id, event.seq, event.type, event.historical) for event in notice.events] == [
        ("Z", 2, EventType.END, True), ("A", 1, EventType.START, True), ("A", 2, EventType.END, True),
    ]  # fmt: skip
    second.handle(notice)
    second.handle(make_notice())
    assert start_sink().undelivered == []
    assert [past.event.historical for past in kept(path)] == [False, True]


def test_run_that_closed_owes_no_event(start_sink: StartSink, make_event: MakeEvent, make_notice: MakeNotice) -> None:
    sink = start_sink()
    sink.handle(make_notice(make_event(EventType.END)))
    sink.close()
    assert start_sink().undelivered == []


def test_the_end_after_a_kill_names_the_model_that_recognized_the_activity(
    path: Path, start_sink: StartSink, context: Context, make_event: MakeEvent, make_notice: MakeNotice
) -> None:
    start_sink().handle(make_notice(make_event()))
    later = replace(context, contract=replace(context.contract, version="2.0.0"))
    second = HistorySink(path, later, days=30, wall_clock=lambda: NOON)
    second.start()
    second.handle(second.undelivered[0])
    second.close()
    assert [(past.model_version, past.event.type) for past in kept(path)] == [("1.0.0", EventType.END)]


def test_a_reader_does_not_stop_the_writer(
    path: Path, start_sink: StartSink, make_event: MakeEvent, make_notice: MakeNotice
) -> None:
    sink = start_sink()
    sink.handle(make_notice(make_event(id="A")))
    with reading(path) as database:
        reader = activities(database, Query())
        assert next(reader).event.id == "A"
        sink.handle(make_notice(make_event(id="B")))
        assert list(reader) == []
    assert sorted(ids(path)) == ["A", "B"]


def test_reading_after_a_run_leaves_no_files_that_block_the_next_run(
    path: Path, start_sink: StartSink, make_notice: MakeNotice, make_event: MakeEvent
) -> None:
    sink = start_sink()
    sink.handle(make_notice(make_event(EventType.END)))
    sink.close()
    with reading(path) as database:
        assert len(list(activities(database, Query()))) == 1
        assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_full_disk_loses_no_event_that_fits_in_memory(
    path: Path, start_sink: StartSink, clock: SettableClock, make_event: MakeEvent, make_notice: MakeNotice,
    files_no_longer_than: Callable[[int], AbstractContextManager[None]], caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    sink = start_sink()
    sink.handle(make_notice(make_event(id="A")))
    caplog.set_level(logging.INFO)
    with files_no_longer_than(10):  # not even the reserve can be written
        for number in range(300):
            clock.now += 2
            sink.handle(make_notice(make_event(id=f"B{number}")))
        sink.handle(make_notice(make_event(EventType.END, id="A", seq=2)))
        assert [past.event.ended_at for past in kept(path)] == [None]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    clock.now += 2
    sink.handle(make_notice())  # a frame without an event is enough
    sink.handle(make_notice())
    assert len(ids(path)) == 301
    assert [past.event.ended_at for past in kept(path) if past.event.id == "A"] == [NOON + 9.52]
    assert "can be written again" in caplog.messages[-1]


def test_a_full_disk_takes_some_hundred_activities(
    small_disk: SmallDisk, context: Context, make_event: MakeEvent, make_notice: MakeNotice,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    path = small_disk.folder / "history.sqlite"
    sink = HistorySink(path, context, days=36_500)
    sink.start()
    small_disk.fill()
    for number in range(300):
        sink.handle(make_notice(make_event(id=f"{number}")))
        sink.handle(make_notice(make_event(EventType.END, id=f"{number}", seq=2)))
    assert caplog.messages == []
    with reading(path) as database:
        assert sum(past.event.ended_at is not None for past in activities(database, Query())) == 300
    sink.close()


def test_a_start_on_a_full_disk_keeps_entries_in_memory_until_there_is_space(
    small_disk: SmallDisk, context: Context, clock: SettableClock, make_event: MakeEvent, make_notice: MakeNotice,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO)
    path = small_disk.folder / "state" / "history.sqlite"
    small_disk.fill()
    sink = HistorySink(path, context, days=36_500, clock=clock)
    sink.start()
    sink.handle(make_notice(make_event(id="A")))
    sink.settle()
    small_disk.free()
    clock.now += 1
    sink.settle()  # opens the file
    sink.settle()
    assert ids(path) == ["A"]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    sink.close()


def test_what_a_killed_run_left_is_returned_when_the_file_can_be_opened(
    path: Path, start_sink: StartSink, context: Context, clock: SettableClock, make_event: MakeEvent,
    make_notice: MakeNotice, files_no_longer_than: Callable[[int], AbstractContextManager[None]],
) -> None:  # fmt: skip
    start_sink().handle(make_notice(make_event(id="open")))  # the run is killed
    hidden = path.parent.rename(path.parent.with_name("hidden"))
    second = HistorySink(path, context, days=30, wall_clock=clock, clock=clock)
    with files_no_longer_than(10):
        second.start()
        second.handle(make_notice(make_event(EventType.END, id="new")))
    assert second.undelivered == []
    path.parent.rename(path.parent.with_name("empty"))
    hidden.rename(path.parent)
    clock.now += 1
    (late,) = second.settle()
    assert [(event.id, event.type) for event in late.events] == [("open", EventType.START), ("open", EventType.END)]
    second.handle(late)
    second.settle()
    assert {past.event.id: past.event.type for past in kept(path)} == {"open": EventType.END, "new": EventType.END}
    second.close()


def test_failed_disk_is_not_tried_at_every_event(
    path: Path,
    start_sink: StartSink,
    clock: SettableClock,
    make_event: MakeEvent,
    make_notice: MakeNotice,
) -> None:
    sink = start_sink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")  # the sink waits for this lock once, for a tenth of a second
        sink.handle(make_notice(make_event(id="A")))
        other.rollback()
    sink.handle(make_notice(make_event(id="B")))
    assert ids(path) == []
    clock.now += 1
    sink.handle(make_notice())
    assert sorted(ids(path)) == ["A", "B"]


def test_close_writes_the_waiting_events_or_logs_the_loss(
    path: Path, start_sink: StartSink, make_event: MakeEvent, make_notice: MakeNotice,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    for is_over, expected in ((True, ["A"]), (False, [])):
        path.unlink(missing_ok=True)
        sink = start_sink()
        with closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            sink.handle(make_notice(make_event(id="A")))
            if is_over:
                other.rollback()
            sink.close()
        assert ids(path) == expected
    assert "1 entries of the history" in caplog.messages[-1]


def test_a_file_that_is_read_only_does_not_stop_recognition(
    path: Path, start_sink: StartSink, make_event: MakeEvent, make_notice: MakeNotice,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    sink = start_sink()
    assert sink._database is not None
    sink._database.execute("PRAGMA query_only = ON")
    sink.handle(make_notice(make_event(id="A")))
    assert "kept in memory" in caplog.messages[-1]


@pytest.mark.parametrize("is_half", [False, True])
def test_a_broken_file_is_moved_aside_with_one_warning(
    path: Path, start_sink: StartSink, make_event: MakeEvent, make_notice: MakeNotice,
    caplog: pytest.LogCaptureFixture, is_half: bool,
) -> None:  # fmt: skip
    if is_half:
        sink = start_sink()
        shuffled = random.Random(1).sample(range(500), 500)
        for number in shuffled:
            sink.handle(make_notice(make_event(EventType.END, id=f"{number:030}")))
        sink.close()
        path.write_bytes(path.read_bytes()[:30_000] + b"\xff" * 40_000)
    else:
        path.parent.mkdir()
        path.write_text("no database at all " * 100)
    with pytest.raises(SinkError, match="the next `harstream run` moves it aside"):
        ids(path)
    start_sink().handle(make_notice(make_event(id="A")))
    assert ids(path) == ["A"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert len(list(path.parent.glob("history.sqlite.broken-*"))) == 1


def test_a_folder_that_cannot_be_made_gives_a_one_line_error(tmp_path: Path, context: Context) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SinkError, match="expected to keep the history in"):
        HistorySink(tmp_path / "file" / "history.sqlite", context, days=30).start()
