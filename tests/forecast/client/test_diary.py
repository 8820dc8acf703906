"""The diary keeps what was seen, once, and forgets on request."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from harstream.forecast.client.diary import FILE, MOST_EPISODES, Diary, Loss
from harstream.forecast.learning.episodes import Away, Episode
from tests.support.disk import SmallDisk


def test_an_episode_is_kept_once(diary: Diary) -> None:
    assert diary.add("hall", [("a", Episode("Eat", 10, 20)), ("b", Episode("Sleep", 30, 40, is_end_seen=False))]) == 2
    assert diary.add("hall", [("a", Episode("Eat", 10, 25))]) == 0
    assert diary.episodes("hall") == [Episode("Eat", 10, 20), Episode("Sleep", 30, 40, is_end_seen=False)]
    assert diary.cameras() == ["hall"]
    assert (diary.count("Eat"), diary.count("Work")) == (1, 0)


def test_everything_is_there_after_a_restart(diary: Diary) -> None:
    diary.add("hall", [("a", Episode("Eat", 10, 20))])
    diary.add_away("hall", Away(50, 60))
    diary.add_losses([Loss("hall", 20, "next", "hmm", 0.5)], keep_since=0)
    diary.close()
    diary.start()

    assert diary.episodes("hall") == [Episode("Eat", 10, 20)]
    assert diary.away("hall") == [Away(50, 60)]
    assert diary.losses(0) == [Loss("hall", 20, "next", "hmm", 0.5)]


def test_only_the_owner_can_read_it(diary: Diary) -> None:
    diary.add("hall", [("a", Episode("Eat", 10, 20))])

    for file in diary.path.parent.glob(f"{FILE}*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_it_forgets_a_camera_or_what_is_old(diary: Diary) -> None:
    for camera in ("hall", "yard"):
        diary.add(camera, [(f"{camera}1", Episode("Eat", 10, 20)), (f"{camera}2", Episode("Eat", 30, 40))])

    assert diary.forget(camera="hall", before=25) == 1
    assert diary.episodes("hall") == [Episode("Eat", 30, 40)]
    assert diary.forget(camera="hall") == 1
    assert diary.cameras() == ["yard"]
    assert diary.forget() == 2


def test_what_is_forgotten_is_not_in_the_file(diary: Diary) -> None:
    diary.add("hall", [("a", Episode("SecretActivity", 10, 20))])
    diary.forget()
    diary.close()

    assert b"SecretActivity" not in diary.path.read_bytes()


def test_old_losses_are_deleted_but_the_last_ones(diary: Diary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harstream.forecast.client.diary.KEPT_LOSSES", 2)
    diary.add_losses([Loss("hall", 10, "next", "hmm", 0.5)], keep_since=0)
    diary.add_losses([Loss("hall", 20, "next", "hmm", 0.5)], keep_since=0)
    diary.add_losses([Loss("hall", 90, "next", "hmm", 0.7)], keep_since=50)

    assert [loss.time for loss in diary.losses(0)] == [20, 90]


def test_the_oldest_episodes_beyond_the_limit_are_deleted(diary: Diary) -> None:
    diary.add("hall", [(str(number), Episode("Eat", number, number + 1)) for number in range(MOST_EPISODES + 3)])

    diary.trim()

    kept = diary.episodes("hall")
    assert (len(kept), kept[0].start) == (MOST_EPISODES, 3)


def test_the_oldest_outages_beyond_the_limit_are_deleted(diary: Diary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harstream.forecast.client.diary.MOST_EPISODES", 2)
    for number in range(4):
        diary.add_away("hall", Away(number, number + 1))

    diary.trim()

    assert [away.start for away in diary.away("hall")] == [2, 3]


def test_a_broken_file_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 500)
    diary = Diary(tmp_path / FILE)

    diary.start()

    assert diary.cameras() == []
    assert len(list(tmp_path.glob(f"{FILE}.*broken*"))) + len(list(tmp_path.glob(f"*{FILE}*"))) >= 2
    diary.close()


def test_what_a_full_disk_refuses_is_written_later(small_disk: SmallDisk, caplog: pytest.LogCaptureFixture) -> None:
    diary = Diary(small_disk.folder / FILE)
    diary.start()
    small_disk.fill()
    for number in range(800):
        diary.add("hall", [(str(number), Episode("Eat" * 50, number, number + 1))])
    written = len(diary.episodes("hall"))

    small_disk.free()
    diary.retry()

    assert written < 800
    assert len(diary.episodes("hall")) == 800
    assert [record.levelname for record in caplog.records if str(diary.path) in record.message] == ["WARNING"]
    diary.close()


def test_it_knows_what_goes_on_until_it_ends(diary: Diary) -> None:
    diary.set_going_on("hall", "Eat", 10)
    diary.set_going_on("yard", "Work", 20)
    assert (diary.going_on(), diary.going_on("hall"), diary.going_on("attic")) == ("Work", "Eat", None)

    diary.set_going_on("yard", None, 20)
    assert diary.going_on() == "Eat"
    diary.forget(camera="hall")
    assert diary.going_on() is None
