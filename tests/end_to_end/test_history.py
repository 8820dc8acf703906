"""The commands read the history of a run: after its end, after a kill and while it runs."""

from __future__ import annotations

import csv
import io
import json
import signal
import sqlite3
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Configure
from tests.support.light_model import QUICK
from tests.support.waiting import Eventually

CONFIG, SINK = 3, 7


@pytest.fixture(autouse=True)
def activities_start_and_end_quickly(configure: Configure) -> None:
    configure(activities=QUICK)


def parsed(lines: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


@pytest.mark.mosquitto
def test_an_open_activity_of_a_killed_run_is_ended_at_the_next_start(
    start: Callable[..., Any], harstream: Callable[..., Any], mosquitto: Any, subscribe: Callable[[int], Any],
    eventually: Eventually, film: Callable[..., Path], light_model: Path, tmp_path: Path, configure: Configure,
) -> None:  # fmt: skip
    configure(activities={"update": 1.0})
    film("yard.mp4", (1, 0), (0.2, 200))
    subscriber = subscribe(mosquitto.port)
    options = ("--broker", mosquitto.url, "--model", light_model)
    first = start("run", "--source", "scene?seed=8", *options)
    eventually(lambda: [one for one in subscriber.of("/event") if one.json["seq"] > 1], "an update", 40)
    (still_open,) = parsed(harstream("history", "--format", "json")[1].stdout)
    assert (still_open["camera"], still_open["ended_at"]) == ("scene", None)
    first.signal(signal.SIGKILL)
    eventually(first.is_over, "it to be dead")
    last = [one.json for one in subscriber.of("/event")][-1]

    code, second = harstream("run", "--source", "yard.mp4", *options, "--events", "events.jsonl")
    assert (code, second.complaints) == (0, [])
    eventually(lambda: subscriber.of("/event")[-1].json["event_type"] == "end", "the end")
    (end,) = [one.json for one in subscriber.of("/event") if one.json["event_type"] == "end"]
    assert {key: end[key] for key in ("id", "seq", "camera", "activity", "started_at", "historical", "end_reason")} == {
        "id": last["id"],
        "seq": last["seq"] + 1,
        "camera": "scene",
        "activity": "Light",
        "started_at": last["started_at"],
        "historical": True,
        "end_reason": "shutdown",
    }
    assert end["ended_at"] == end["updated_at"] == last["updated_at"]
    assert end["latency_ms"]["frame_to_publish"] is None
    # An update that the killed run had only just stored may be reported once more, with its own seq.
    reported = parsed((tmp_path / "events.jsonl").read_text().splitlines())
    assert {event["id"] for event in reported} == {last["id"]}
    assert [event["event_type"] for event in reported].count("end") == 1
    assert [one.payload for one in subscriber.of("scene/availability")][-1] == "offline"
    assert subscriber.of("scene/activity")[-1].json["activity"] == "unknown"
    # The end is reported once: a third run has nothing to end.
    (ended,) = parsed(harstream("history", "--format", "json")[1].stdout)
    assert (ended["id"], ended["historical"], ended["end_reason"]) == (last["id"], True, "shutdown")
    assert harstream("run", "--source", "yard.mp4", *options)[0] == 0
    assert len([one for one in subscriber.of("/event") if one.json["event_type"] == "end"]) == 1
    changes = parsed(harstream("history", "--changes", "--camera", "scene", "--format", "json")[1].stdout)
    assert [(change["state"], change["reason"]) for change in changes] == [
        ("live", None),
        ("offline", "harstream was killed"),
    ]


def test_a_run_can_be_read_in_every_format(
    harstream: Callable[..., Any], film: Callable[..., Path], light_model: Path, tmp_path: Path
) -> None:
    film("yard.mp4", (1, 200), (1, 0), (1, 200))
    assert harstream("run", "--source", "yard.mp4", "--model", light_model)[0] == 0
    both = parsed(harstream("history", "--format", "json")[1].stdout)
    assert [(one["activity"], one["end_reason"]) for one in both] == [
        ("Light", "low_confidence"),
        ("Light", "camera_offline"),
    ]
    table = harstream("history")[1].stdout
    assert [line.split()[2:4] for line in table] == [["camera", "activity"], ["file", "Light"], ["file", "Light"]]
    rows = list(csv.DictReader(io.StringIO("\n".join(harstream("history", "--format", "csv")[1].stdout))))
    assert [row["started_at"] for row in rows] == [one["started_at"] for one in both]
    code, quiet = harstream("history", "--format", "casas", "--limit", "1", "--out", "house.txt")
    assert (code, quiet.output) == (0, "")
    lines = (tmp_path / "house.txt").read_text().splitlines()
    assert [line.split()[2:] for line in lines] == [["file", "ON", "Light", "begin"], ["file", "OFF", "Light", "end"]]
    assert len(harstream("history", "--limit", "1")[1].stdout) == 2
    assert harstream("history", "--format", "json", "--since", "1h", "--camera", "hall")[1].stdout == []
    assert harstream("history", "--since", "1h", "--camera", "file")[1].complaints == []
    assert harstream("history", "--format", "json", "--until", "1h")[1].stdout == []
    assert len(harstream("history", "--state", "harstream-state", "--format", "json", "--since", "1h")[1].stdout) == 2
    changes = parsed(harstream("history", "--changes", "--format", "json")[1].stdout)
    assert [(one["state"], one["reason"]) for one in changes] == [("live", None), ("offline", "the file ended")]


def test_an_unknown_name_is_reported_with_the_known_ones(
    harstream: Callable[..., Any], film: Callable[..., Path], light_model: Path
) -> None:
    film("yard.mp4", (1, 200))
    assert harstream("run", "--source", "yard.mp4", "--model", light_model)[0] == 0
    for options, expected in (
        (("--camera", "flie"), "this history has nothing of camera 'flie'; it has file; did you mean file?"),
        (("--activity", "Dusk"), "this history has nothing of activity 'Dusk'; it has Light"),
        (("--camera", "hall", "--changes"), "this history has nothing of camera 'hall'; it has file"),
    ):
        code, running = harstream("history", "--format", "json", *options)
        assert (code, running.stdout, running.complaints) == (0, [], [f"harstream: {expected}"])


def test_the_live_view_of_a_second_run_shows_the_first(
    start: Callable[..., Any], harstream: Callable[..., Any], eventually: Eventually,
    film: Callable[..., Path], light_model: Path,
) -> None:  # fmt: skip
    film("yard.mp4", (1, 200))
    film("night.mp4", (60, 0))
    assert harstream("run", "--source", "yard.mp4", "--model", light_model)[0] == 0
    running = start("run", "--source", "night.mp4", "--model", light_model, "--port", "0")
    eventually(lambda: "live view http://127.0.0.1:" in running.output, "the live view's address", 40)
    address = next(line.split()[-1] for line in running.stdout if line.startswith("live view"))
    with urllib.request.urlopen(f"{address}api/events?since=1h", timeout=10) as answer:
        assert [event["activity"] for event in json.load(answer)] == ["Light"]
    running.signal(signal.SIGTERM)
    assert running.wait(10) == 0


def test_nothing_is_kept_if_the_history_is_disabled(
    harstream: Callable[..., Any], configure: Callable[..., None], film: Callable[..., Path], light_model: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    configure(history={"enabled": False}, activities=QUICK)
    film("yard.mp4", (1, 200))
    assert harstream("run", "--source", "yard.mp4", "--model", light_model)[0] == 0
    assert not (tmp_path / "harstream-state" / "history.sqlite").exists()


def test_an_invalid_query_gives_a_one_line_error(harstream: Callable[..., Any], tmp_path: Path) -> None:
    def line(*arguments: str) -> tuple[int, str]:
        code, running = harstream("history", *arguments)
        assert (running.stdout, len(running.complaints)) == ([], 1), running.output
        return code, running.complaints[0]

    code, message = line()
    assert (code, message.startswith("harstream: there is no history in harstream-state")) == (CONFIG, True)
    assert "`harstream run`" in message
    assert "history.enabled is false" in message
    code, message = line("--since", "yesterday")
    assert (code, message.startswith("harstream: --since: expected 2h (ago;")) == (CONFIG, True)
    code, message = line("--changes", "--format", "casas")
    assert (code, "leave out --activity and --format casas" in message) == (CONFIG, True)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "history.sqlite").write_text("no database at all " * 100)
    code, message = line("--state", "broken")
    assert (code, "got: file is not a database" in message) == (SINK, True)
    assert "`harstream run` moves it aside" in message


def test_a_broken_history_is_moved_aside_and_the_run_continues(
    harstream: Callable[..., Any], film: Callable[..., Path], light_model: Path, tmp_path: Path
) -> None:
    state = tmp_path / "harstream-state"
    state.mkdir()
    (state / "history.sqlite").write_text("no database at all " * 100)
    film("yard.mp4", (1, 200))
    code, running = harstream("run", "--source", "yard.mp4", "--model", light_model)
    assert (code, running.complaints) == (0, [])
    (warning,) = [line for line in running.stderr if "WARNING" in line]
    assert "the history harstream-state/history.sqlite cannot be read (file is not a database)" in warning
    assert "moved to harstream-state/history.sqlite.broken-" in warning
    with closing(sqlite3.connect(state / "history.sqlite")) as database:
        assert database.execute("SELECT count(*) FROM activities").fetchone() == (1,)


def test_a_full_disk_gives_a_one_line_error(
    harstream: Callable[..., Any], film: Callable[..., Path], light_model: Path
) -> None:
    film("yard.mp4", (1, 200))
    assert harstream("run", "--source", "yard.mp4", "--model", light_model)[0] == 0
    code, running = harstream("history", "--format", "csv", "--out", "/dev/full")
    assert code == SINK
    (line,) = running.complaints
    assert "/dev/full, got: no space left on device" in line
