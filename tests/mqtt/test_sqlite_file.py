from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from harstream.mqtt.sqlite_file import open_database, open_read_only
from harstream.wire.errors import SinkError


def connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        create(database)
    except BaseException:
        database.close()
        raise
    return database


def create(database: sqlite3.Connection) -> None:
    database.execute("CREATE TABLE IF NOT EXISTS words (word TEXT)")


def opened(path: Path, wall_clock: Callable[[], float] = time.time) -> sqlite3.Connection:
    database, count = open_database(path, connect, create, "the words", count_words, wall_clock)
    assert count == 0
    return database


def count_words(database: sqlite3.Connection) -> int:
    (count,) = database.execute("SELECT count(*) FROM words").fetchone()
    return int(count)


def test_file_and_its_folder_are_created(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "new" / "words.sqlite")) as database:
        assert database.execute("SELECT count(*) FROM words").fetchone() == (0,)


def test_broken_file_is_moved_aside_and_a_new_one_is_created(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "words.sqlite"
    path.write_text("no database at all " * 100)
    with (
        caplog.at_level(logging.WARNING),
        closing(opened(path, lambda: 1234.5)) as database,
    ):
        database.execute("INSERT INTO words VALUES ('new')")
    assert (tmp_path / "words.sqlite.broken-1234").read_text().startswith("no database at all")
    (line,) = caplog.messages
    assert "the words" in line
    assert "broken-1234" in line


def test_locked_file_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "words.sqlite"
    with closing(connect(path)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("INSERT INTO words VALUES ('kept')")
        with pytest.raises(SinkError, match="is another harstream running with it"):
            opened(path)
    assert [file.name for file in tmp_path.iterdir() if "broken" in file.name] == []


def test_folder_that_cannot_be_made_gives_a_one_line_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="expected to keep the words in"):
        opened(tmp_path / "file" / "words.sqlite")


def test_reader_creates_no_file(tmp_path: Path) -> None:
    path = tmp_path / "words.sqlite"
    connect(path).close()
    before = sorted(tmp_path.iterdir())
    with closing(open_read_only(path, timeout=0)) as database:
        assert database.execute("SELECT count(*) FROM words").fetchone() == (0,)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            database.execute("INSERT INTO words VALUES ('no')")
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_that_cannot_be_loaded_is_set_aside_and_an_earlier_one_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "words.sqlite"

    def load(database: sqlite3.Connection) -> int:
        if count_words(database):
            raise ValueError("a word\nis wrong")
        return 0

    for _ in range(2):
        with closing(connect(path)) as database:
            database.execute("INSERT INTO words VALUES ('wrong')")
        open_database(path, connect, create, "the words", load, lambda: 5.0)[0].close()
    assert sorted(file.name for file in tmp_path.glob("*.broken*")) == [
        "words.sqlite.broken-5",
        "words.sqlite.broken-5-2",
    ]


def test_a_damaged_index_is_built_anew_and_no_row_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "words.sqlite"
    with closing(opened(path)) as database:
        database.execute("CREATE INDEX by_word ON words (word)")
        database.executemany("INSERT INTO words VALUES (?)", [(f"word {number:03d}",) for number in range(100)])
        (page,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'by_word'").fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    content = bytearray(path.read_bytes())
    place = content.index(b"word 050", (page - 1) * size)
    content[place : place + 8] = b"word 999"
    path.write_bytes(content)
    database, count = open_database(path, connect, create, "the words", count_words)
    with closing(database):
        assert count == 100
        assert database.execute("SELECT count(*) FROM words WHERE word = 'word 050'").fetchone() == (1,)
        assert database.execute("SELECT count(*) FROM words WHERE word = 'word 999'").fetchone() == (0,)
    assert [file.name for file in tmp_path.iterdir()] == ["words.sqlite"]


def test_tables_that_others_added_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "words.sqlite"
    with closing(opened(path)) as database:
        database.execute("CREATE INDEX by_word ON words (word)")
        database.execute("INSERT INTO words VALUES ('kept')")
        database.execute("ANALYZE")  # SQLite writes tables of its own
        database.execute("CREATE TABLE notes (text TEXT, time REAL)")
    database, count = open_database(path, connect, create, "the words", count_words)
    with closing(database):
        assert count == 1
        assert database.execute("SELECT count(*) FROM notes").fetchone() == (0,)
    assert [file.name for file in tmp_path.iterdir()] == ["words.sqlite"]


def test_a_table_whose_name_is_damaged_is_not_lost_in_silence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "words.sqlite"
    with closing(connect(path)) as database:
        database.execute("INSERT INTO words VALUES ('kept')")
    path.write_bytes(path.read_bytes().replace(b"words", b"worKs"))
    opened(path, lambda: 7.0).close()
    assert (tmp_path / "words.sqlite.broken-7").exists()
    assert "the table worKs has a damaged name" in caplog.text
