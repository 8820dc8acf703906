"""The disk is full for a while. The run goes on, says so once, and loses nothing without saying so."""

from __future__ import annotations

import json
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Configure, Harstream, Start
from tests.support.disk import SmallDisk
from tests.support.films import WriteFilm
from tests.support.light_model import QUICK
from tests.support.waiting import Eventually

pytestmark = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux can limit another process")

ACTIVITIES = 5
FILM = [(1.5, 200), (1.5, 0)] * ACTIVITIES


@pytest.mark.mosquitto
def test_a_disk_that_is_full_for_a_while_gives_one_line_at_its_start_and_one_at_its_end(
    start: Start, harstream: Harstream, configure: Configure, film: WriteFilm, light_model: Path, tmp_path: Path,
    subscribe: Callable[[int], Any], mosquitto: Any, eventually: Eventually,
) -> None:  # fmt: skip
    film("yard.mp4", *FILM)
    configure(
        cameras=[{"name": "yard", "source": "yard.mp4"}], state="state", events="events.jsonl", model=str(light_model),
        activities=QUICK, mqtt={"broker": mosquitto.url},
    )  # fmt: skip
    subscriber = subscribe(mosquitto.port)
    running = start("run")
    events = tmp_path / "events.jsonl"
    eventually(lambda: events.exists() and b'"end"' in events.read_bytes(), "an end", 20)
    _, hard = resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
    eventually(lambda: len(_ids(subscriber, "end")) >= 3, "more events", 20)
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, hard))
    assert running.wait(40) == 0

    def lines(part: str) -> list[str]:
        return [line for line in running.stderr if part in line]

    assert len(lines("events file fails")) == len(lines("events file works again")) == 1
    assert len(lines("the history")) == 2
    assert lines("; 0 entries were lost")
    published = [message.json["id"] for message in subscriber.of("camera/yard/event")]
    assert len(set(published)) == ACTIVITIES
    written = [json.loads(line)["id"] for line in events.read_text().splitlines()]
    missed = int(lines("events file works again")[0].rsplit(": ", 1)[1])
    assert len(written) + missed == len(published)
    code, listed = harstream("history", "--format", "json")
    assert code == 0
    assert len(listed.stdout) == ACTIVITIES


@pytest.mark.mosquitto
def test_a_start_on_a_full_disk_recognizes_and_publishes_and_writes_later(
    start: Start, harstream: Harstream, configure: Configure, film: WriteFilm, light_model: Path, small_disk: SmallDisk,
    subscribe: Callable[[int], Any], mosquitto: Any, eventually: Eventually,
) -> None:  # fmt: skip
    film("yard.mp4", *FILM)
    configure(
        cameras=[{"name": "yard", "source": "yard.mp4"}], state=str(small_disk.folder / "state"),
        events=str(small_disk.folder / "events.jsonl"), model=str(light_model),
        activities=QUICK, mqtt={"broker": mosquitto.url},
    )  # fmt: skip
    subscriber = subscribe(mosquitto.port)
    small_disk.fill()
    running = start("run")
    eventually(lambda: len(_ids(subscriber, "end")) >= 2, "events", 60)
    small_disk.free()
    assert running.wait(60) == 0
    published = {message.json["id"] for message in subscriber.of("camera/yard/event")}
    assert len(published) == ACTIVITIES
    for name in ("the outbox", "the history"):
        assert len([line for line in running.stderr if name in line and "WARNING" in line]) == 1
        assert [line for line in running.stderr if name in line and "can be written again" in line]
    code, listed = harstream("history", "--format", "json")
    assert code == 0
    assert {json.loads(line)["id"] for line in listed.stdout} == published


@pytest.mark.mosquitto
def test_a_kill_on_a_full_disk_loses_no_event(
    start: Start, configure: Configure, film: WriteFilm, light_model: Path, small_disk: SmallDisk,
    subscribe: Callable[[int], Any], mosquitto: Any, eventually: Eventually,
) -> None:  # fmt: skip
    film("yard.mp4", *FILM)
    configure(
        cameras=[{"name": "yard", "source": "yard.mp4"}], state=str(small_disk.folder / "state"),
        model=str(light_model),
        activities=QUICK, mqtt={"broker": mosquitto.url},
    )  # fmt: skip
    running = start("run")
    eventually(lambda: "▶ start" in running.output, "an event", 60)
    mosquitto.stop()
    small_disk.fill()
    seen = running.output.count("▶ start")
    eventually(lambda: running.output.count("▶ start") >= seen + 2, "events that wait", 60)
    running.signal(signal.SIGKILL)
    running.wait(10)
    mosquitto.start()
    subscriber = subscribe(mosquitto.port)
    again = start("run")
    eventually(lambda: len(_ids(subscriber, "start", historical=True)) >= 2, "the events of the killed run", 60)
    eventually(lambda: _ids(subscriber, "start", historical=True) <= _ids(subscriber, "end"), "their ends", 60)
    again.end()


def _ids(subscriber: Any, kind: str, **fields: object) -> set[str]:
    """Returns the ids of the received events of this kind."""
    events = [message.json for message in subscriber.of("camera/yard/event") if message.json["event_type"] == kind]
    return {event["id"] for event in events if all(event[name] == value for name, value in fields.items())}
