"""The outbox keeps its order and its limits, over restarts and disk failures."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from harstream.mqtt.outbox import HANGS_AFTER, Outbox
from harstream.mqtt.outbox_file import is_in_use
from harstream.wire.errors import SinkError
from tests.support.clock import SettableClock
from tests.support.disk import SmallDisk


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


def test_a_full_disk_keeps_the_order_in_memory_and_warns_once(
    outbox: Outbox, files_no_longer_than: Callable[[int], AbstractContextManager[None]],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    put(outbox, "a")
    with files_no_longer_than(10):
        put(outbox, "b", "c")
    assert take_all(outbox) == ["a", "b", "c"]
    assert [record.levelname for record in caplog.records if "memory" in record.message] == ["WARNING"]


@pytest.mark.parametrize("how", ["with the next message", "within a second"])
def test_what_waited_in_memory_is_saved(
    path: Path, outbox: Outbox, clock: SettableClock, how: str,
    files_no_longer_than: Callable[[int], AbstractContextManager[None]],
) -> None:  # fmt: skip
    put(outbox, "a")
    with files_no_longer_than(10):
        put(outbox, "b")
    if how == "within a second":
        outbox.save()
    else:
        put(outbox, "c")
    outbox.close()  # a kill in the meantime loses nothing
    restarted = Outbox(path, wall_clock=clock, clock=clock)
    restarted.start()
    assert take_all(restarted) == ["a", "b", "c"][: 2 if how == "within a second" else 3]
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


def test_a_full_disk_takes_some_hundred_events_that_survive_a_kill(
    small_disk: SmallDisk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = small_disk.folder / "outbox.sqlite"
    outbox = Outbox(path)
    outbox.start()
    small_disk.fill()
    for number in range(800):
        outbox.put("topic", b"%0900d" % number)
    assert caplog.messages == []
    for file in small_disk.folder.glob(f"{path.name}*"):
        shutil.copy(file, tmp_path)  # what a kill leaves
    killed = Outbox(tmp_path / path.name)
    killed.start()
    assert [int(payload) for payload in take_all(killed)] == list(range(800))
    killed.close()
    outbox.close()


def test_an_outbox_that_was_killed_opens_on_the_full_disk(
    small_disk: SmallDisk, caplog: pytest.LogCaptureFixture
) -> None:
    path = small_disk.folder / "outbox.sqlite"
    program = "\n".join([
        "import os, sys",
        "from pathlib import Path",
        "from harstream.mqtt.outbox import Outbox",
        "from tests.support.disk import SmallDisk",
        "outbox = Outbox(Path(sys.argv[1]))",
        "outbox.start()",
        "SmallDisk(outbox.path.parent).fill()",
        "outbox.put('topic', b'a')",
        "os.kill(os.getpid(), 9)",
    ])  # fmt: skip
    assert subprocess.run([sys.executable, "-c", program, str(path)]).returncode == -9
    outbox = Outbox(path)
    outbox.start()
    put(outbox, "b")
    assert take_all(outbox) == ["a", "b"]
    assert caplog.messages == []
    outbox.close()


def test_the_reserve_is_filled_up_again_while_there_is_space(small_disk: SmallDisk) -> None:
    outbox = Outbox(small_disk.folder / "outbox.sqlite")
    outbox.start()
    for number in range(1500):
        outbox.put("topic", b"%0900d" % number)
    outbox.save()
    small_disk.fill()
    for number in range(800):
        outbox.put("topic", b"%0900d" % number)
    assert not outbox._in_memory
    outbox.close()


def test_a_start_on_a_failing_disk_keeps_events_in_memory_until_it_works(
    tmp_path: Path, clock: SettableClock, files_no_longer_than: Callable[[int], AbstractContextManager[None]],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO)
    clock.now = 1_700_000_000.0
    path = tmp_path / "outbox.sqlite"
    outbox = Outbox(path, clock=clock, wall_clock=clock)
    with files_no_longer_than(10):
        outbox.start()
        put(outbox, "a", "b")
        sent = outbox.oldest()
        assert sent is not None
        outbox.remove(sent)
        outbox.save()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    outbox.save()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    put(outbox, "c")
    outbox.close()
    second = Outbox(path, clock=clock, wall_clock=clock)
    second.start()
    assert take_all(second) == ["b", "c"]
    second.close()


def test_messages_of_an_earlier_run_come_first_if_the_disk_failed_at_the_start(
    path: Path,
    outbox: Outbox,
    clock: SettableClock,
    files_no_longer_than: Callable[[int], AbstractContextManager[None]],
) -> None:
    put(outbox, "a")
    outbox.close()
    clock.now = 50.0
    second = Outbox(path, clock=clock, wall_clock=clock)
    hidden = path.rename(path.with_name("hidden"))  # a disk that cannot be read is hard to make
    with files_no_longer_than(10):
        second.start()
        put(second, "b")
    hidden.replace(path)
    second.save()
    assert take_all(second) == ["a", "b"]
    second.close()


def test_the_length_and_the_topics_do_not_wait_for_a_disk_that_hangs(outbox: Outbox) -> None:
    put(outbox, "a")
    with outbox._work():
        assert len(outbox) == 1
        assert outbox.has_message(except_on=["other"])
        assert not outbox.has_message(except_on=["topic"])
        time.sleep(HANGS_AFTER + 0.1)
        assert outbox.hangs


def test_the_beginning_of_a_refusal_survives_a_restart(path: Path, outbox: Outbox, clock: SettableClock) -> None:
    clock.now = 1000.0
    assert outbox.seconds_refused("topic") == 0
    assert outbox.seconds_refused("other") == 0
    outbox.end_refusal("other")
    outbox.close()
    clock.now = 4000.0
    second = Outbox(path, wall_clock=clock)
    second.start()
    assert second.seconds_refused("topic") == 3000
    assert second.seconds_refused("other") == 0
    second.close()
