"""The history is written in each format, and a mistyped name is noticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harstream.stream.app.history_report import LONGEST_TABLE, report
from harstream.stream.history.sink import HistorySink
from harstream.stream.history.store import Query
from harstream.wire.context import Context
from harstream.wire.errors import ConfigError, SinkError
from harstream.wire.values import CameraState, EventType
from tests.support.values import NOON, MakeEvent, MakeNotice


@pytest.fixture
def history(tmp_path: Path, context: Context, make_event: MakeEvent, make_notice: MakeNotice) -> Path:
    """Returns a history of three activities in the hall and a change of its camera."""
    file = tmp_path / "history.sqlite"
    sink = HistorySink(file, context, days=36_500)
    sink.start()
    for number in range(3):
        start = NOON + 100 * number
        ended = make_event(EventType.END, id=f"A{number}", started_at=start, updated_at=start + 9, ended_at=start + 9)
        sink.handle(make_notice(ended, time=start + 9))
    sink.handle(make_notice(time=NOON + 500, state=CameraState.OFFLINE, reason="unplugged"))
    sink.close()
    return file


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_json_has_a_line_for_each_activity_oldest_first(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(history, Query(), "json", None)
    assert [json.loads(line)["id"] for line in lines(capsys)] == ["A0", "A1", "A2"]


def test_a_limit_keeps_the_newest_activities(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(history, Query(limit=2), "json", None)
    assert [json.loads(line)["id"] for line in lines(capsys)] == ["A1", "A2"]


def test_csv_begins_with_the_names_of_its_columns(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(history, Query(), "csv", None)
    head, *rows = lines(capsys)
    assert {"camera", "activity"} <= set(head.split(","))
    assert len(rows) == 3


def test_casas_has_two_lines_per_activity(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(history, Query(), "casas", None)
    assert len([line for line in lines(capsys) if "JumpingJack" in line]) == 6


def test_a_table_shows_each_activity_and_has_a_limit(
    history: Path, context: Context, make_event: MakeEvent, make_notice: MakeNotice, capsys: pytest.CaptureFixture[str]
) -> None:
    report(history, Query(), "table", None)
    assert capsys.readouterr().out.count("JumpingJack") == 3
    sink = HistorySink(history, context, days=36_500)
    sink.start()
    for number in range(LONGEST_TABLE):
        sink.handle(make_notice(make_event(EventType.END, id=f"B{number:03}")))
    sink.close()
    report(history, Query(), "table", None)
    assert capsys.readouterr().out.count("JumpingJack") == LONGEST_TABLE


def test_changes_of_cameras_are_written_instead_of_activities(
    history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report(history, Query(), "json", None, changes=True)
    (change,) = (json.loads(line) for line in lines(capsys))
    assert (change["camera"], change["state"], change["reason"]) == ("hall", "offline", "unplugged")


@pytest.mark.parametrize(("query", "style"), [(Query(activity="Lunges"), "json"), (Query(), "casas")])
def test_changes_have_no_activity(history: Path, query: Query, style: str) -> None:
    with pytest.raises(ConfigError) as caught:
        report(history, query, style, None, changes=True)  # type: ignore[arg-type]
    assert all(part in str(caught.value) for part in ("--changes", "--activity", "--format casas"))


def test_an_unknown_name_gives_a_hint_on_stderr(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(history, Query(camera="hal", activity="JumpingJacks"), "json", None)
    written = capsys.readouterr()
    assert written.out == ""
    assert all(part in written.err for part in ("camera 'hal'", "it has hall", "did you mean hall?"))
    assert all(part in written.err for part in ("activity 'JumpingJacks'", "did you mean JumpingJack?"))


def test_a_known_name_without_a_match_gives_no_hint(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(history, Query(camera="hall", since=NOON + 10_000), "json", None)
    assert capsys.readouterr() == ("", "")


def test_an_out_file_gets_the_whole_report(history: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(history, Query(), "json", tmp_path / "out.jsonl")
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 3
    assert capsys.readouterr().out == ""


def test_an_out_file_that_cannot_be_written_is_an_error(history: Path, tmp_path: Path) -> None:
    with pytest.raises(SinkError) as caught:
        report(history, Query(), "json", tmp_path / "missing" / "out.jsonl")
    assert all(part in str(caught.value) for part in ("out.jsonl", "no such file"))


def test_a_history_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no history"):
        report(tmp_path / "history.sqlite", Query(), "json", None)
