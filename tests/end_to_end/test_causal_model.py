"""A causal network, exported with its state, recognizes in the whole service: film, state, scores, events, history."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command import Configure, Harstream
from tests.support.films import WriteFilm
from tests.support.light_model import QUICK

pytestmark = [pytest.mark.training, pytest.mark.timeout(120)]


def test_the_service_recognizes_a_film_with_it(
    causal_model: Path, film: WriteFilm, harstream: Harstream, configure: Configure, tmp_path: Path
) -> None:
    configure(model=str(causal_model), activities=QUICK, events="events.jsonl")
    film("evening.avi", (2, 5), (2.5, 220), (2.5, 5), codec="MJPG")
    code, running = harstream("run", "--source", "evening.avi", seconds=90)
    assert code == 0, running.output
    assert any("1 activities, 4 frames at 10 Hz" in line for line in running.stdout), running.output
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [event["activity"] for event in events if event["event_type"] == "start"] == ["Light"]
    (end,) = (event for event in events if event["event_type"] == "end")
    assert end["end_reason"] == "low_confidence"
    assert 1.5 < end["duration_s"] < 4
