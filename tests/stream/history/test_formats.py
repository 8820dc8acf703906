"""The history in the formats that other programs read. Every expected line is written out by hand."""

from __future__ import annotations

import csv
import io
import json
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from harstream.stream.app.history_report import Style, report
from harstream.stream.history.formats import CSV_COLUMNS, casas_lines, change_facts, csv_lines, facts, json_lines, table
from harstream.stream.history.store import PastActivity, Query, connect, write
from harstream.wire.values import CameraChange, CameraState, Confidence, Event, EventType
from tests.support.values import MakeEvent

pytestmark = pytest.mark.usefixtures("berlin_time")

NOON = 1_700_000_000.0  # 2023-11-14T22:13:20Z


def past(event: Event) -> PastActivity:
    return PastActivity(event, "Hallway", "lrcn", "1.0.0")


def test_json_has_the_keys_of_the_wire(make_event: MakeEvent) -> None:
    (line,) = json_lines([facts(past(make_event(EventType.END, seq=3)))])
    assert json.loads(line) == {
        "id": "01JD",
        "seq": 3,
        "event_type": "end",
        "camera": "hall",
        "area": "Hallway",
        "activity": "JumpingJack",
        "confidence": {"mean": 0.8123, "peak": 0.93, "last": 0.37},
        "started_at": "2023-11-14T22:13:21.120Z",
        "updated_at": "2023-11-14T22:13:22.220Z",
        "ended_at": "2023-11-14T22:13:29.520Z",
        "duration_s": 8.4,
        "end_reason": "low_confidence",
        "person": None,
        "model": {"name": "lrcn", "version": "1.0.0"},
        "historical": False,
    }


def test_a_running_activity_has_no_end_and_lasts_until_its_last_update(make_event: MakeEvent) -> None:
    fields = facts(past(make_event()))
    assert (fields["event_type"], fields["ended_at"], fields["end_reason"], fields["duration_s"]) == (
        "start",
        None,
        None,
        1.1,
    )


def test_csv_has_a_header_and_one_line_per_activity(make_event: MakeEvent) -> None:
    lines = list(csv_lines([facts(past(make_event(EventType.END, seq=3, historical=True)))], CSV_COLUMNS))
    assert lines == [
        "id,seq,event_type,camera,area,activity,confidence_mean,confidence_peak,confidence_last,started_at,updated_at,"
        "ended_at,duration_s,end_reason,model_name,model_version,historical,person",
        "01JD,3,end,hall,Hallway,JumpingJack,0.8123,0.93,0.37,2023-11-14T22:13:21.120Z,2023-11-14T22:13:22.220Z,"
        "2023-11-14T22:13:29.520Z,8.4,low_confidence,lrcn,1.0.0,true,",
    ]


def test_csv_of_no_activities_is_the_header_alone() -> None:
    assert len(list(csv_lines([], CSV_COLUMNS))) == 1


def test_a_comma_in_a_reason_stays_in_its_column() -> None:
    change = CameraChange("hall", NOON, CameraState.OFFLINE, 'no route, said "hall"')
    text = "\n".join(csv_lines([change_facts(change)], ("time", "camera", "state", "reason")))
    assert list(csv.reader(io.StringIO(text)))[1] == [
        "2023-11-14T22:13:20.000Z", "hall", "offline", 'no route, said "hall"',
    ]  # fmt: skip


def test_casas_lists_begins_and_ends_in_the_order_of_time(make_event: MakeEvent) -> None:
    long = make_event(EventType.END, activity="Jump Rope", started_at=NOON, ended_at=NOON + 60)
    short = make_event(EventType.END, camera="yard", activity="PushUps", started_at=NOON + 1.12, ended_at=NOON + 9.5)
    assert casas_lines([past(short), past(long)]) == [
        "2023-11-14 23:13:20.000000 hall ON Jump_Rope begin",
        "2023-11-14 23:13:21.120000 yard ON PushUps begin",
        "2023-11-14 23:13:29.500000 yard OFF PushUps end",
        "2023-11-14 23:14:20.000000 hall OFF Jump_Rope end",
    ]


def test_casas_ends_a_running_activity_at_its_last_update(make_event: MakeEvent) -> None:
    assert [line.split()[1:] for line in casas_lines([past(make_event())])] == [
        ["23:13:21.120000", "hall", "ON", "JumpingJack", "begin"],
        ["23:13:22.220000", "hall", "OFF", "JumpingJack", "end"],
    ]


def test_casas_joins_what_several_people_do_at_once(make_event: MakeEvent) -> None:
    """A tool pairs each end with the last begin of that activity."""
    one = make_event(EventType.END, activity="PushUps", person=1, started_at=NOON, ended_at=NOON + 60)
    other = make_event(EventType.END, activity="Punch", person=2, started_at=NOON + 10, ended_at=NOON + 20)
    again = make_event(EventType.END, activity="PushUps", person=2, started_at=NOON + 30, ended_at=NOON + 90)
    later = make_event(EventType.END, activity="PushUps", person=1, started_at=NOON + 90, ended_at=NOON + 95)
    assert [
        " ".join(line.split()[1:]) for line in casas_lines([past(each) for each in (one, other, again, later)])
    ] == [
        "23:13:20.000000 hall ON PushUps begin",
        "23:13:30.000000 hall ON Punch begin",
        "23:13:40.000000 hall OFF Punch end",
        "23:14:50.000000 hall OFF PushUps end",
        "23:14:50.000000 hall ON PushUps begin",
        "23:14:55.000000 hall OFF PushUps end",
    ]


def test_the_person_is_the_last_column_of_csv_and_a_key_of_json(make_event: MakeEvent) -> None:
    row = facts(past(make_event(EventType.END, person=2)))
    assert row["person"] == 2
    header, line = csv_lines([row], CSV_COLUMNS)
    assert (header.split(",")[-1], line.split(",")[-1]) == ("person", "2")


def test_the_table_has_a_column_for_people_only_if_there_are_any(make_event: MakeEvent) -> None:
    alone, second = past(make_event()), past(make_event(person=2))
    assert [column.header for column in table([alone]).columns][2:4] == ["camera", "activity"]
    shown = table([alone, second])
    assert [column.header for column in shown.columns][2:4] == ["camera", "person"]
    assert list(shown.columns[3].cells) == ["", "2"]


def test_casas_ends_one_activity_before_the_next_begins(make_event: MakeEvent) -> None:
    switched = make_event(EventType.END, activity="A", started_at=NOON, ended_at=NOON + 5)
    at_once = make_event(EventType.END, activity="B", started_at=NOON + 5, ended_at=NOON + 5)
    after = make_event(EventType.END, activity="C", started_at=NOON + 5, ended_at=NOON + 6)
    lines = casas_lines([past(switched), past(at_once), past(after)])
    assert [" ".join(line.split()[-2:]) for line in lines] == [
        "A begin", "A end", "B begin", "B end", "C begin", "C end",
    ]  # fmt: skip


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), max_size=8))
def test_casas_lines_are_read_back_as_the_same_activities(spans: list[tuple[float, float]]) -> None:
    """Reads the lines as CASAS tools do: a begin opens an activity, and the next end of that name closes it."""
    confidence = Confidence(0.5, 0.5, 0.5)
    lasting = [(NOON + round(start, 3), NOON + round(start, 3) + round(length, 3)) for start, length in spans]
    kept = [
        past(Event(EventType.END, str(n), 2, "hall", f"a{n}", 1, confidence, (), start, end, start, ended_at=end))
        for n, (start, end) in enumerate(lasting)
    ]
    opened: dict[str, datetime] = {}
    read: dict[str, tuple[datetime, datetime]] = {}
    last = datetime.min
    for line in casas_lines(kept):
        date, clock, _, _, activity, mark = line.split()
        moment = datetime.strptime(f"{date} {clock}", "%Y-%m-%d %H:%M:%S.%f")
        assert moment >= last
        last = moment
        if mark == "begin":
            opened[activity] = moment
        else:
            read[activity] = opened.pop(activity), moment
    assert not opened
    assert len(read) == len(kept)
    for n, (start, end) in enumerate(lasting):
        assert read[f"a{n}"][1] - read[f"a{n}"][0] == pytest.approx(
            timedelta(seconds=end - start), abs=timedelta(milliseconds=1)
        )


def test_the_table_shows_start_activity_duration_and_end_reason(make_event: MakeEvent) -> None:
    console = Console(width=120)
    with console.capture() as captured:
        console.print(table([past(make_event(EventType.END)), past(make_event(activity="[b]Run"))]))
    rows = [line.split() for line in captured.get().splitlines()[1:]]
    assert rows == [
        ["2023-11-14", "23:13:21", "hall", "JumpingJack", "8.4", "s", "81%", "low", "confidence"],
        ["2023-11-14", "23:13:21", "hall", "[b]Run", "1.1", "s", "81%", "still", "open"],
    ]


def test_a_table_is_limited_by_default_and_the_other_formats_are_complete(
    tmp_path: Path, make_event: MakeEvent
) -> None:
    with closing(connect(tmp_path / "history.sqlite")) as database:
        write(
            database,
            [
                past(make_event(EventType.END, id=f"{n:03}", started_at=NOON + n, ended_at=NOON + n + 1))
                for n in range(150)
            ],
        )

    def lines(style: Style, limit: int | None) -> list[str]:
        report(tmp_path / "history.sqlite", Query(limit=limit), style, tmp_path / "out")
        return (tmp_path / "out").read_text().splitlines()

    assert len(lines("table", None)) == 101
    assert len(lines("table", 120)) == 121
    whole = [json.loads(line)["id"] for line in lines("json", None)]
    assert whole == [f"{n:03}" for n in range(150)]
    assert len(lines("casas", None)) == 300
