"""The disk is full for a while. The run goes on, says so once, and loses nothing without saying so."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Configure, Harstream, Start
from tests.support.films import WriteFilm
from tests.support.waiting import Eventually

pytestmark = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux can limit another process")

ACTIVITIES = 5


@pytest.mark.mosquitto
def test_a_disk_that_is_full_for_a_while_gives_one_line_at_its_start_and_one_at_its_end(
    start: Start, harstream: Harstream, configure: Configure, film: WriteFilm, light_model: Path, tmp_path: Path,
    subscribe: Callable[[int], Any], mosquitto: Any, eventually: Eventually,
) -> None:  # fmt: skip
    film("yard.mp4", *[part for _ in range(ACTIVITIES) for part in ((2, 200), (4, 0))])
    configure(
        cameras=[{"name": "yard", "source": "yard.mp4"}], state="state", events="events.jsonl", model=str(light_model),
        mqtt={"broker": mosquitto.url},
    )  # fmt: skip
    subscriber = subscribe(mosquitto.port)
    running = start("run")
    events = tmp_path / "events.jsonl"
    eventually(lambda: events.exists() and b'"end"' in events.read_bytes(), "an end", 20)
    _, hard = resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
    eventually(lambda: len(subscriber.of("camera/yard/event")) >= 6, "more events", 20)
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
