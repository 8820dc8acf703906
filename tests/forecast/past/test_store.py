"""What files contain goes into the diary once."""

from __future__ import annotations

from pathlib import Path

from harstream.forecast.client.diary import FILE, Diary
from harstream.forecast.learning.episodes import Away, Episode
from harstream.forecast.past.records import CameraAway, Record, Records
from harstream.forecast.past.store import store

RECORDS = Records(
    (Record("a", "hall", Episode("Eat", 10, 20)), Record("b", "bath", Episode("Wash", 30, 40, is_end_seen=False))),
    (CameraAway("hall", Away(50, 60)),),
)


def test_a_home_that_is_stored_twice_adds_nothing(tmp_path: Path) -> None:
    diary = Diary(tmp_path / FILE)
    diary.start()
    try:
        assert (store(RECORDS, diary), store(RECORDS, diary)) == (2, 0)
        assert diary.episodes("bath") == [Episode("Wash", 30, 40, is_end_seen=False)]
        assert diary.away("hall") == [Away(50, 60)]
    finally:
        diary.close()
