"""Past activities are read from the files of harstream and of public data sets."""

from __future__ import annotations

import time
from datetime import UTC
from pathlib import Path

import pytest

from harstream.forecast.learning.episodes import Away, Episode
from harstream.forecast.past.read import Format, read_home
from harstream.forecast.past.records import CameraAway, Record, without_overlaps
from harstream.stream.history.formats import casas_lines, change_facts, facts, json_lines
from harstream.stream.history.store import PastActivity
from harstream.wire.errors import ConfigFileError
from harstream.wire.values import CameraChange, CameraState, Confidence, EndReason, Event, EventType
from tests.forecast.client.household import CONTEXT

NOON = 1_700_000_000.0


def past(id_: str, camera: str, activity: str, start: float, end: float | None, **more: object) -> PastActivity:
    kind = EventType.UPDATE if end is None else EventType.END
    event = Event(
        kind, id_, 2, camera, activity, 0, Confidence(0.9, 0.9, 0.9), (), start, end or start + 5, start,
        ended_at=end, end_reason=more.get("reason", EndReason.LOW_CONFIDENCE) if end else None,  # type: ignore[arg-type]
    )  # fmt: skip
    return PastActivity(event, "Hall", CONTEXT.contract.name, "1")


HISTORY = [
    past("a", "hall", "Eat", NOON, NOON + 60),
    past("b", "hall", "Sleep", NOON + 100, NOON + 900, reason=EndReason.CAMERA_OFFLINE),
    past("c", "bath", "Wash", NOON + 50, NOON + 80),
    past("d", "hall", "Eat", NOON + 2000, None),
]


def test_the_history_in_json_is_read_with_its_ids_and_outages(tmp_path: Path) -> None:
    changes = [
        CameraChange("hall", NOON + 900, CameraState.OFFLINE),
        CameraChange("hall", NOON + 950, CameraState.CONNECTING),
        CameraChange("hall", NOON + 1900, CameraState.LIVE),
        CameraChange("bath", NOON + 3000, CameraState.OFFLINE),
    ]
    (tmp_path / "history.json").write_text("\n".join(json_lines(map(facts, HISTORY))))
    (tmp_path / "changes.json").write_text("\n".join(json_lines(map(change_facts, changes))))
    home = read_home(tmp_path, Format.AUTO, UTC)
    assert home.episodes == (
        Record("a", "hall", Episode("Eat", NOON, NOON + 60)),
        Record("c", "bath", Episode("Wash", NOON + 50, NOON + 80)),
        Record("b", "hall", Episode("Sleep", NOON + 100, NOON + 900, is_end_seen=False)),
    )
    assert home.away == (CameraAway("hall", Away(NOON + 900, NOON + 1900)),)
    assert home.incomplete == 1  # it still goes on


def test_the_history_in_the_format_of_casas_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        (tmp_path / "history.txt").write_text("\n".join(casas_lines(HISTORY[:3])))
        home = read_home(tmp_path / "history.txt", Format.AUTO, None)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert home.episodes_of("hall") == [Episode("Eat", NOON, NOON + 60), Episode("Sleep", NOON + 100, NOON + 900)]
    assert home.episodes_of("bath") == [Episode("Wash", NOON + 50, NOON + 80)]


def test_a_casas_activity_that_ends_at_another_sensor_is_of_the_home(tmp_path: Path) -> None:
    lines = (
        "2010-11-04 00:03:50.209589 M003 ON Sleeping begin",
        "2010-11-04 00:03:57 M003 OFF",
        "2010-11-04 05:40:43.642664 M002 OFF Sleeping end",
        "2010-11-04 05:41 M004 ON Bed_to_Toilet begin",
    )
    (tmp_path / "aruba").write_text("\n".join(lines))
    home = read_home(tmp_path / "aruba", Format.AUTO, UTC)
    [record] = home.episodes
    assert (record.camera, record.episode.activity) == ("home", "Sleeping")
    assert record.episode.end - record.episode.start == pytest.approx(5 * 3600 + 36 * 60 + 53.433075)
    assert home.incomplete == 1


def test_a_table_of_starts_and_ends_is_read(tmp_path: Path) -> None:
    text = """Start time          	End time            	Activity
--------------------	--------------------	--------
1970-01-01 00:01:00		1970-01-01 00:02:00		Sleeping
1970-01-01 00:03:00		1970-01-01 00:04:00		Spare_Time/TV
1970-01-01 00:09:00		1970-01-01 00:05:00		Eating
"""
    (tmp_path / "ADLs.txt").write_text(text)
    home = read_home(tmp_path / "ADLs.txt", Format.AUTO, UTC)
    assert home.episodes_of("home") == [Episode("Sleeping", 60, 120), Episode("Spare_Time/TV", 180, 240)]
    assert home.incomplete == 1


def test_numbered_activities_are_read_with_their_names(tmp_path: Path) -> None:
    (tmp_path / "x.activity_names").write_text("1\tleave house\n6\tbrush-teeth\n")
    (tmp_path / "x.activities").write_text("1000\t60\t6\n2000\t500\t1\n")
    home = read_home(tmp_path / "x.activities", Format.AUTO, UTC)
    assert home.episodes_of("home") == [Episode("brush-teeth", 1000, 1060), Episode("leave house", 2000, 2500)]


def test_the_one_that_began_last_goes_on_and_the_outer_one_resumes() -> None:
    records = [
        Record("sleep", "hall", Episode("Sleep", 0, 100)),
        Record("toilet", "hall", Episode("Toilet", 40, 60, is_end_seen=False)),
        Record("wash", "hall", Episode("Wash", 50, 55)),
        Record("tv", "bath", Episode("TV", 10, 20)),
        Record("read", "hall", Episode("Read", 90, 120)),
    ]
    assert [(each.id, each.episode.start, each.episode.end) for each in without_overlaps(records)] == [
        ("sleep", 0, 40), ("tv", 10, 20), ("toilet", 40, 50), ("wash", 50, 55), ("toilet/2", 55, 60),
        ("sleep/2", 60, 90), ("read", 90, 120),
    ]  # fmt: skip
    seen = {each.id: each.episode.is_end_seen for each in without_overlaps(records)}
    assert seen["toilet"]  # it was interrupted
    assert not seen["toilet/2"]


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        (Format.JSON, '{"time": 5', "JSON"),
        (Format.JSON, "[1]", "object"),
        (Format.JSON, '{"id": "a", "activity": "Eat"}', "camera"),
        (Format.CASAS, "2010-11-04 00:03 M003 ON Sleeping starts", "begin or end"),
        (Format.CASAS, "yesterday noon M003 ON", "local time"),
        (Format.ADLS, "2010-11-04 00:03 2010-11-04 00:05", "an activity"),
        (Format.ACTIVITIES, "ten\t5\t6", "seconds"),
        (Format.ACTIVITIES, "10\t5\t7", "activity_names"),
        (Format.ACTIVITIES, "1e300\t5\t6", "seconds"),
    ],
)
def test_a_bad_line_is_named_with_its_file_and_number(tmp_path: Path, form: Format, text: str, expected: str) -> None:
    (tmp_path / "x.activity_names").write_text("6\tEat\n")
    file = tmp_path / "x.activities"
    file.write_text(f"\n{text}\n")
    with pytest.raises(ConfigFileError) as error:
        read_home(file, form, UTC)
    assert str(error.value).startswith(f"{file}:2: expected ")
    assert expected in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_missing_or_empty_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    for name in ("empty", "none"):
        with pytest.raises(ConfigFileError, match=name):
            read_home(tmp_path / name, Format.AUTO, UTC)
