"""Migrations bring a history of any earlier version up to date and keep its content. A newer one is left alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from harstream.mqtt.sqlite_file import version_of
from harstream.stream.history.migrations import MIGRATIONS, VERSION, migrate
from harstream.stream.history.store import PastActivity, Query, activities, connect, reading, undelivered, write
from harstream.wire.errors import SinkError
from harstream.wire.values import Confidence, EndReason, Event, EventType, LabelScore, Previous

VERSION_1 = """
CREATE TABLE activities (
    id TEXT PRIMARY KEY, seq INTEGER, camera TEXT, area TEXT, activity TEXT, label_id INTEGER,
    mean REAL, peak REAL, last REAL, topk TEXT, started_at REAL, updated_at REAL, detected_at REAL,
    ended_at REAL, end_reason TEXT, previous TEXT, historical INTEGER, model TEXT, model_version TEXT
);
CREATE INDEX activities_by_start ON activities (started_at);
CREATE TABLE changes (time REAL, camera TEXT, state TEXT, reason TEXT, PRIMARY KEY (time, camera));
INSERT INTO activities VALUES ('A', 3, 'hall', 'Hallway', 'Lunges', 2, 0.8123456789012345, 0.93, 0.37,
    '[["Lunges", 0.37], ["Idle", 0.21]]', 1700000001.1200001, 1700000010.0, 1700000002.22, 1700000009.52,
    'low_confidence', '["unknown", 31.0]', 0, 'lrcn', '1.0.0');
INSERT INTO activities VALUES ('B', 1, 'yard', NULL, 'JumpingJack', 1, 0.9, 0.9, 0.9, '[]', 1700000020.0, 1700000021.0,
    1700000021.0, NULL, NULL, NULL, 1, 'lrcn', '1.0.0');
INSERT INTO activities VALUES ('C', 2, 'yard', NULL, 'JumpingJack', 1, 0.9, 0.9, 0.9, '[]', 1700000030.0, 1700000031.0,
    1700000031.0, NULL, NULL, NULL, 0, 'lrcn', '1.0.0');
INSERT INTO changes VALUES (1700000000.0, 'hall', 'offline', 'no route');
PRAGMA user_version = 1;
"""
"""The database that the first release wrote."""
WITH_DOUBT = "CREATE TABLE in_doubt (id TEXT); INSERT INTO in_doubt VALUES ('A');"
ENDED = Event(
    type=EventType.END, id="A", seq=3, camera="hall", activity="Lunges", label_id=2,
    confidence=Confidence(0.8123456789012345, 0.93, 0.37), topk=(LabelScore("Lunges", 0.37), LabelScore("Idle", 0.21)),
    started_at=1700000001.1200001, updated_at=1700000010.0, detected_at=1700000002.22, ended_at=1700000009.52,
    end_reason=EndReason.LOW_CONFIDENCE, previous=Previous("unknown", 31.0),
)  # fmt: skip
"""The event of row A, worked out by hand."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


def run(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(script)


@pytest.mark.parametrize("script", [VERSION_1, VERSION_1 + WITH_DOUBT], ids=["without doubt", "with doubt"])
def test_history_of_version_1_keeps_all_its_activities(path: Path, script: str) -> None:
    run(path, script)
    connect(path).close()
    with reading(path) as database:
        c, b, a = activities(database, Query())
        assert database.execute("SELECT * FROM changes").fetchall() == [(1700000000.0, "hall", "offline", "no route")]
    assert a == PastActivity(ENDED, "Hallway", "lrcn", "1.0.0")
    assert (b.event.type, b.event.historical, b.area, b.event.previous) == (EventType.START, True, None, None)
    assert (c.event.type, c.event.historical, c.event.ended_at) == (EventType.UPDATE, False, None)


def test_events_in_doubt_of_version_1_are_still_owed(path: Path) -> None:
    run(path, VERSION_1 + WITH_DOUBT)
    with closing(connect(path)) as database:
        assert [(event.id, event.type) for event in undelivered(database)] == [
            ("A", EventType.END), ("B", EventType.END), ("C", EventType.END),
        ]  # fmt: skip


def test_updated_history_can_be_written(path: Path) -> None:
    run(path, VERSION_1)
    with closing(connect(path)) as database:
        write(database, [PastActivity(ENDED, None, "lrcn", "2.0.0")])
        assert len(list(activities(database, Query(camera="hall")))) == 1


@pytest.mark.parametrize("version", range(VERSION))
def test_each_migration_leads_to_the_next_version(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path)) as database:
        for number in range(version):
            MIGRATIONS[number](database)
        database.execute(f"PRAGMA user_version = {version}")
        database.commit()
        migrate(database)
        assert version_of(database) == VERSION


def test_migration_that_fails_changes_nothing(path: Path) -> None:
    run(path, VERSION_1 + "UPDATE activities SET topk = 'no json' WHERE id = 'A';")
    before = sorted(sqlite3.connect(path).iterdump())
    with pytest.raises(sqlite3.DatabaseError, match="Expecting value"):
        connect(path)
    with closing(sqlite3.connect(path)) as database:
        assert version_of(database) == 2
        after = sorted(line for line in database.iterdump() if "in_doubt" not in line)
    assert after == before


def test_history_of_a_newer_harstream_is_refused_by_writer_and_reader(path: Path) -> None:
    connect(path).close()
    run(path, f"PRAGMA user_version = {VERSION + 1};")
    before = path.read_bytes()

    def read() -> None:
        with reading(path):
            pass

    for opening in (connect, lambda _: read()):
        with pytest.raises(SinkError) as caught:
            opening(path)
        assert f"got {VERSION + 1}" in str(caught.value)
        assert "newer harstream" in str(caught.value)
        assert "\n" not in str(caught.value)
    assert path.read_bytes() == before


def test_reader_refuses_an_older_history_and_says_what_to_do(path: Path) -> None:
    run(path, VERSION_1)
    with pytest.raises(SinkError, match="the next `harstream run` migrates it"), reading(path):
        pass
