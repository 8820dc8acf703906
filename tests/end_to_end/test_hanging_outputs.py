"""An output that hangs never holds recognition, is named, and does not delay the end."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from harstream.resilience.background_delivery import HANGS_AFTER
from tests.support.command import Configure, Harstream, Start
from tests.support.films import WriteFilm
from tests.support.light_model import QUICK
from tests.support.waiting import Eventually


@pytest.fixture
def busy(configure: Configure, film: WriteFilm, light_model: Path) -> tuple[object, ...]:
    """Returns options: an activity begins every two seconds."""
    configure(activities=QUICK)
    return "--source", film("busy.mp4", *[(1, 200), (1, 0)] * 60), "--model", light_model


def test_a_pipe_that_nobody_reads_holds_nothing(
    start: Start, busy: tuple[object, ...], tmp_path: Path, eventually: Eventually
) -> None:
    os.mkfifo(tmp_path / "events")
    running = start("run", *busy, "--no-web", "--events", "events")
    eventually(lambda: "▶ start" in running.output, "the first event on the terminal", 60)
    eventually(lambda: "events file hangs, recognition continues" in running.output, "the report", HANGS_AFTER + 10)
    seen = running.output.count("▶ start")
    eventually(lambda: running.output.count("▶ start") > seen, "the next event", 60)
    asked = time.monotonic()
    running.signal(signal.SIGTERM)
    assert running.wait(20) == 7
    assert time.monotonic() - asked < 5
    assert sum("events file hangs, recognition continues" in line for line in running.stderr) == 1
    assert any("it did not take its last" in line for line in running.stderr)


def test_a_reader_that_comes_late_gets_all_events(
    start: Start, busy: tuple[object, ...], tmp_path: Path, eventually: Eventually
) -> None:
    os.mkfifo(tmp_path / "events")
    running = start("run", *busy, "--no-web", "--events", "events")
    eventually(lambda: "events file hangs, recognition continues" in running.output, "the report", 90)
    with (tmp_path / "events").open() as pipe:
        eventually(lambda: "events file works again" in running.output, "the recovery", 10)
        running.signal(signal.SIGTERM)
        events = [json.loads(line) for line in pipe]
    assert running.wait(10) == 0
    assert events[0]["event_type"] == "start"
    assert [event["event_type"] for event in events].count("start") == running.output.count("▶ start")


def test_a_restart_for_a_new_config_goes_on_while_a_pipe_hangs(
    start: Start, busy: tuple[object, ...], tmp_path: Path, eventually: Eventually, new_port: Callable[[], int]
) -> None:
    os.mkfifo(tmp_path / "events")
    config = {
        "node": "one", "cameras": [{"name": "hall", "source": "busy.mp4"}], "model": str(busy[3]), "events": "events",
        "activities": QUICK, "mqtt": {"embedded_port": new_port()}, "web": {"enabled": False},
    }  # fmt: skip
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    running = start("run")
    eventually(lambda: "events file hangs, recognition continues" in running.output, "the report", 90)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config | {"node": "two"}))
    running.signal(signal.SIGHUP)
    eventually(lambda: "har/two/..." in running.output, "the restart", 30)
    running.signal(signal.SIGTERM)
    assert running.wait(20) in (0, 7)


@pytest.mark.parametrize("first", ["outbox.sqlite", "history.sqlite"])
def test_a_disk_that_hangs_holds_neither_recognition_nor_the_end(
    start: Start, busy: tuple[object, ...], hangs: Path, eventually: Eventually, first: str
) -> None:
    """`first`: the file whose write hangs first. The other one then is not in use when the service ends."""
    running = start("run", *busy, "--no-web")
    eventually(lambda: "▶ start" in running.output, "the first event on the terminal", 60)
    hangs.write_text(first)
    eventually(lambda: "state folder hangs, recognition continues" in running.output, "the report", 90)
    hangs.write_text(".sqlite")
    seen = running.output.count("▶ start")
    eventually(lambda: running.output.count("▶ start") > seen, "the next event", 60)
    asked = time.monotonic()
    running.signal(signal.SIGTERM)
    assert running.wait(20) == 7
    assert time.monotonic() - asked < 5
    assert sum("state folder hangs, recognition continues" in line for line in running.stderr) == 1
    assert any("it did not take its last" in line for line in running.stderr)


def test_a_disk_that_hung_for_a_while_has_all_events(
    start: Start, busy: tuple[object, ...], harstream: Harstream, hangs: Path, eventually: Eventually
) -> None:
    running = start("run", *busy, "--no-web")
    eventually(lambda: "▶ start" in running.output, "the first event on the terminal", 60)
    hangs.write_text(".sqlite")
    eventually(lambda: "state folder hangs, recognition continues" in running.output, "the report", 90)
    hangs.unlink()
    eventually(lambda: "state folder works again" in running.output, "the recovery", 10)
    running.signal(signal.SIGTERM)
    assert running.wait(20) == 0
    code, listed = harstream("history", "--format", "json")
    assert code == 0
    assert len(listed.stdout) == running.output.count("▶ start")
