"""The outbox keeps its order and its limits, over restarts and disk failures."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harstream.mqtt.outbox import Outbox, is_in_use
from harstream.wire.errors import SinkError
from tests.support.clock import SettableClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


@pytest.fixture
def outbox(path: Path, clock: SettableClock) -> Iterator[Outbox]:
    outbox = Outbox(path, age_limit=100.0, row_limit=3, clock=clock, wall_clock=clock)
    outbox.start()
    yield outbox
    outbox.close()


def take_all(outbox: Outbox) -> list[str]:
    payloads = []
    while (message := outbox.oldest()) is not None:
        payloads.append(message.payload.decode())
        outbox.remove(message)
    return payloads


def put(outbox: Outbox, *payloads: str) -> None:
    for payload in payloads:
        outbox.put("topic", payload.encode())


def test_messages_are_taken_in_order(outbox: Outbox) -> None:
    put(outbox, "a", "b", "c")
    assert len(outbox) == 3
    assert take_all(outbox) == ["a", "b", "c"]
    assert len(outbox) == 0


def test_a_message_stays_until_it_is_removed(outbox: Outbox) -> None:
    put(outbox, "a")
    assert outbox.oldest() == outbox.oldest()


def test_messages_survive_a_restart_and_lose_their_age(path: Path, outbox: Outbox, clock: SettableClock) -> None:
    put(outbox, "a", "b")
    outbox.close()
    second = Outbox(path, wall_clock=clock)
    second.start()
    put(second, "c")
    first = second.oldest()
    assert first is not None
    assert first.age == float("inf")
    assert take_all(second) == ["a", "b", "c"]
    second.close()


def test_a_message_of_this_run_has_its_age(outbox: Outbox, clock: SettableClock) -> None:
    put(outbox, "a")
    clock.now = 6.5
    message = outbox.oldest()
    assert message is not None
    assert message.age == 6.5


def test_the_row_limit_drops_the_oldest_and_counts_it(outbox: Outbox) -> None:
    put(outbox, "a", "b", "c", "d", "e")
    assert outbox.dropped == 2
    assert take_all(outbox) == ["c", "d", "e"]


def test_the_age_limit_drops_within_a_run(outbox: Outbox, clock: SettableClock) -> None:
    put(outbox, "a")
    clock.now = 100.5
    put(outbox, "b")
    assert take_all(outbox) == ["b"]
    assert outbox.dropped == 1


def test_the_age_limit_drops_over_a_restart(path: Path, outbox: Outbox, clock: SettableClock) -> None:
    put(outbox, "a")
    clock.now = 50.0
    put(outbox, "b")
    outbox.close()
    clock.now = 120.0
    second = Outbox(path, age_limit=100.0, wall_clock=clock)
    second.start()
    assert take_all(second) == ["b"]
    assert second.dropped == 1
    second.close()


def test_a_message_that_is_dropped_while_it_is_sent_can_still_be_removed(outbox: Outbox) -> None:
    put(outbox, "a")
    being_sent = outbox.oldest()
    assert being_sent is not None
    put(outbox, "b", "c", "d")
    outbox.remove(being_sent)
    assert take_all(outbox) == ["b", "c", "d"]


@pytest.mark.parametrize("content", ["not a database at all" * 100, "half of a real database"])
def test_a_broken_file_is_moved_aside_with_one_warning(
    path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    if content.startswith("half"):
        database = sqlite3.connect(path)
        database.execute("CREATE TABLE letters (number INTEGER PRIMARY KEY, put REAL, topic TEXT, payload BLOB)")
        database.executemany("INSERT INTO letters VALUES (?, 0, 't', ?)", [(n, b"x" * 500) for n in range(100)])
        database.commit()
        database.close()
        path.write_bytes(path.read_bytes()[:6000] + b"\xff" * 4000)
    else:
        path.write_text(content)
    outbox = Outbox(path)
    with caplog.at_level(logging.INFO):
        outbox.start()
    put(outbox, "a")
    assert take_all(outbox) == ["a"]
    outbox.close()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert len(list(path.parent.glob("outbox.db.broken-*"))) == 1


def test_two_outboxes_cannot_share_a_file(path: Path, outbox: Outbox) -> None:
    with pytest.raises(SinkError, match="is another harstream running with it"):
        Outbox(path).start()


def test_checking_whether_a_file_is_in_use_creates_no_file(path: Path, outbox: Outbox) -> None:
    assert is_in_use(path)
    outbox.close()
    assert not is_in_use(path)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_folder_that_cannot_be_made_gives_a_one_line_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SinkError, match="expected to keep the outbox in"):
        Outbox(tmp_path / "file" / "outbox.db").start()


def test_a_full_disk_keeps_the_order_in_memory_and_warns_once(outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    assert outbox._database is not None
    put(outbox, "a")
    # SQLite treats the database as full: it may use no further page.
    outbox._database.execute("PRAGMA max_page_count = 1")
    put(outbox, "b" * 9000, "c")
    outbox._database.execute("PRAGMA max_page_count = 1000")
    assert [payload[0] for payload in take_all(outbox)] == ["a", "b", "c"]
    assert [record.levelname for record in caplog.records if "memory" in record.message] == ["WARNING"]


def test_what_waited_in_memory_is_saved_with_the_next_message(path: Path, outbox: Outbox, clock: SettableClock) -> None:
    assert outbox._database is not None
    put(outbox, "a")
    outbox._database.execute("PRAGMA max_page_count = 1")
    put(outbox, "b" * 9000)
    outbox._database.execute("PRAGMA max_page_count = 1000")
    put(outbox, "c")
    outbox.close()  # a kill in the meantime loses nothing
    restarted = Outbox(path, wall_clock=clock, clock=clock)
    restarted.start()
    assert [payload[0] for payload in take_all(restarted)] == ["a", "b", "c"]
    restarted.close()


def test_a_message_is_not_sent_twice_if_the_disk_refuses_its_deletion(path: Path, outbox: Outbox) -> None:
    assert outbox._database is not None
    put(outbox, "a", "b")
    outbox._database.execute("PRAGMA query_only = ON")
    assert take_all(outbox) == ["a", "b"]
    assert outbox.oldest() is None


def test_threads_may_put_and_remove_concurrently(path: Path) -> None:
    outbox = Outbox(path)
    outbox.start()
    writers = [threading.Thread(target=put, args=(outbox, *[f"{name}{n}" for n in range(50)])) for name in "abcd"]
    for writer in writers:
        writer.start()
    seen: list[str] = []
    while any(writer.is_alive() for writer in writers) or len(outbox):
        seen += take_all(outbox)
    for writer in writers:
        writer.join()
    outbox.close()
    assert sorted(seen) == sorted(f"{name}{n}" for name in "abcd" for n in range(50))
    assert [s for s in seen if s[0] == "a"] == [f"a{n}" for n in range(50)]


def test_a_file_that_cannot_be_changed_gives_a_one_line_error(path: Path, outbox: Outbox, clock: SettableClock) -> None:
    put(outbox, "a")
    outbox.close()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TRIGGER stay BEFORE DELETE ON letters BEGIN SELECT RAISE(ABORT, 'nothing goes'); END")
    database.close()
    clock.now = 200.0
    late = Outbox(path, age_limit=100.0, wall_clock=clock)
    with pytest.raises(SinkError, match=r"expected to keep the outbox in .*outbox\.db, got: nothing goes"):
        late.start()
    late.close()
