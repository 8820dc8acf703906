"""No damage to a file of the state folder ends a start: the file is set aside with one line, and the start goes on."""

from __future__ import annotations

import logging
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from harstream.forecast.client.diary import Diary, Loss
from harstream.forecast.learning.episodes import Away, Episode
from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.broker.client_id import CLIENT_ID, load_or_create_client_id
from harstream.mqtt.outbox import Outbox
from harstream.mqtt.retained_topics import RetainedTopics
from harstream.stream.history import store
from harstream.stream.history.sink import HistorySink
from harstream.stream.service.settings_file import SettingsFile
from harstream.stream.sinks.mqtt import new_publisher
from harstream.wire.context import Context
from harstream.wire.errors import SinkError
from harstream.wire.values import CameraChange, CameraControl, CameraState, EventType
from tests.support.damage import DAMAGES, damaged
from tests.support.values import MakeEvent


@pytest.fixture
def history(tmp_path: Path, make_event: MakeEvent) -> bytes:
    """Returns a history with 60 activities, of which some are open and one is in doubt."""
    path = tmp_path / "good.sqlite"
    with closing(store.connect(path)) as database:
        for number in range(60):
            event = replace(make_event(EventType.START, seq=1), id=f"event-{number}", started_at=float(number))
            store.write(
                database,
                [
                    store.PastActivity(event, "Küche", "light", "1"),
                    CameraChange("hall", float(number), CameraState.OFFLINE, "timeout"),
                ],
                received=[f"event-{number - 1}"],
            )
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("PRAGMA journal_mode = DELETE")
    return path.read_bytes()


@pytest.fixture
def outbox(tmp_path: Path) -> bytes:
    path = tmp_path / "good.sqlite"
    box = Outbox(path)
    box.start()
    for number in range(60):
        box.put("har/home/camera/hall/event", b'{"id": %d}' % number)
    box.close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("VACUUM")  # damage to the reserve would change nothing
    return path.read_bytes()


@pytest.fixture
def diary(tmp_path: Path) -> bytes:
    path = tmp_path / "good.sqlite"
    diary = Diary(path)
    diary.start()
    for number in range(60):
        start = 100.0 * number
        diary.add("hall", [(f"event-{number}", Episode("Küche", start, start + 50))])
        diary.add_away("hall", Away(start + 60, start + 70))
        diary.add_losses([Loss("hall", start, "next", "mix", 0.5)], keep_since=0.0)
    diary.set_going_on("hall", "Küche", 6000.0)
    diary.close()
    return path.read_bytes()


def start_history(path: Path, context: Context) -> None:
    sink = HistorySink(path, context, days=1e6)
    sink.start()
    sink.close()
    with store.reading(path) as database:
        list(store.activities(database, store.Query()))
        list(store.changes(database, store.Query()))
        store.names(database, "camera")


def start_diary(path: Path, context: Context) -> None:
    diary = Diary(path)
    diary.start()
    diary.add("hall", [("new", Episode("Küche", 9000.0, 9050.0, is_end_seen=True))])
    for camera in diary.cameras():
        assert all(each.start <= each.end for each in diary.episodes(camera))
        assert all(each.start <= each.end for each in diary.away(camera))
        diary.going_on(camera)
    assert all(each.loss + each.time < float("inf") for each in diary.losses(0.0))
    diary.forget()
    assert diary.cameras() == []
    diary.close()


def start_outbox(path: Path, context: Context) -> None:
    box = Outbox(path)
    box.start()
    box.put("har/home/camera/hall/event", b"new")
    while (message := box.oldest()) is not None:
        assert isinstance(message.payload, bytes)
        assert message.number > 0
        box.remove(message)
    assert len(box) == 0
    box.close()


STARTS: dict[str, Callable[[Path, Context], None]] = {
    "history": start_history,
    "outbox": start_outbox,
    "diary": start_diary,
}


@pytest.mark.parametrize("kind", STARTS)
def test_no_damaged_database_ends_a_start(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    good = request.getfixturevalue(kind)
    chance = random.Random(7)
    aside = 0
    for _ in range(DAMAGES):
        folder = tmp_path / "state"
        folder.mkdir()
        path = folder / f"{kind}.sqlite"
        path.write_bytes(damaged(good, chance))
        caplog.clear()
        with suppress(SinkError):  # a version of the schema that looks like a later one
            STARTS[kind](path, context)
        broken = list(folder.glob("*.broken-*"))
        aside += len(broken)
        assert len([line for line in caplog.messages if "is moved to" in line]) == len(broken)
        assert not any("\n" in line for line in caplog.messages)
        shutil.rmtree(folder)
    assert aside > DAMAGES / 4


@pytest.mark.parametrize("kind", STARTS)
def test_no_damaged_table_is_used(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    """SQLite opens a file in which `PRIMARY KEY` lost a letter, and the column is no key any more."""
    good = request.getfixturevalue(kind)
    path = tmp_path / f"{kind}.sqlite"
    with closing(sqlite3.connect(tmp_path / "good.sqlite")) as database:
        texts = [text.encode() for (text,) in database.execute("SELECT sql FROM sqlite_master WHERE type = 'table'")]
    for text in texts:
        first = good.index(text)
        for place in range(first + len("CREATE TABLE "), first + len(text)):
            if good[place : place + 1].isalpha():
                path.write_bytes(good[:place] + b"K" + good[place + 1 :])
                STARTS[kind](path, context)
                path.unlink()
    assert len(list(tmp_path.glob("*.broken-*"))) == len([line for line in caplog.messages if "is moved to" in line])


def test_a_history_of_a_later_harstream_is_refused_and_not_changed(
    tmp_path: Path, history: bytes, context: Context
) -> None:
    assert_refused(tmp_path / "good.sqlite", lambda path: HistorySink(path, context, days=1).start())


def test_an_outbox_of_a_later_harstream_is_refused_and_not_changed(tmp_path: Path, outbox: bytes) -> None:
    assert_refused(tmp_path / "good.sqlite", lambda path: Outbox(path).start())


def assert_refused(path: Path, start: Callable[[Path], None]) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(SinkError, match="of a newer harstream"):
        start(path)
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.broken-*"))


def test_a_row_that_cannot_be_read_hides_no_other(
    tmp_path: Path, history: bytes, context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "good.sqlite"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE activities SET event = '{', ended_at = 3 WHERE id = 'event-3'")
        database.execute("UPDATE activities SET event = x'ff00', ended_at = 3 WHERE id = 'event-4'")
    with caplog.at_level(logging.WARNING):
        start_history(path, context)
        with store.reading(path) as database:
            assert len(list(store.activities(database, store.Query()))) == 58
    assert any("2 rows of the history cannot be read" in line for line in caplog.messages)


def test_no_damaged_text_file_ends_a_start(tmp_path: Path) -> None:
    settings, client_id, topics = tmp_path / "controls.json", tmp_path / "client_id", tmp_path / "announced"
    file = SettingsFile(settings)
    file.put(CameraControl("hall", is_enabled=False, threshold=0.6))
    load_or_create_client_id(client_id)
    publisher = new_publisher(BrokerAddress.parse("mqtt://127.0.0.1"), Outbox(tmp_path / "outbox.sqlite"), "home")
    retained = RetainedTopics(publisher, "mqtt://127.0.0.1", topics, if_lost="nothing happens")
    retained.keep(["har/home/camera/hall/snapshot"])
    chance = random.Random(7)
    goods = {path: path.read_bytes() for path in (settings, client_id, topics)}
    for _ in range(DAMAGES):
        for path, good in goods.items():
            path.write_bytes(damaged(good, chance))
        SettingsFile(settings).start()
        retained.start()
        retained.keep(["har/home/camera/yard/snapshot"])
        assert CLIENT_ID.fullmatch(load_or_create_client_id(client_id))
