"""A running service takes a taught model, and a model that was taught again, without a restart of the process."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.cameras.http_camera import http_camera
from tests.support.command import Harstream
from tests.support.films import WriteFilm
from tests.support.light_model import QUICK
from tests.support.waiting import Eventually

pytestmark = pytest.mark.mosquitto


def test_a_running_service_takes_what_was_taught(
    start: Callable[..., Any], harstream: Harstream, configure: Callable[..., None], row_model: Path, mosquitto: Any,
    subscribe: Any, eventually: Eventually, film: WriteFilm, tmp_path: Path,
) -> None:  # fmt: skip
    subscriber = subscribe(mosquitto.port)
    ordinary = film("ordinary.mp4", (4, 30), (4, 250), (4, 30), (4, 250))
    with http_camera(tmp_path) as camera:  # its picture becomes lighter, from level 40 to 220, every nine seconds
        rest: dict[str, Any] = {
            "cameras": [{"name": "hall", "source": f"http://{camera}/stream"}],
            "mqtt": {"broker": mosquitto.url, "embedded_port": 1883},
        }
        configure(model=str(row_model), **rest)
        running = start("run")
        eventually(lambda: subscriber.of("hall/observation"), "the camera", 40)

        def teach(activity: str, *levels: int) -> None:
            examples = [film(f"{activity}{level}.mp4", (2, level)) for level in levels]
            assert harstream("teach", "add", "--activity", activity, *examples)[0] == 0
            code, output = harstream("teach", "fit", "--ordinary", ordinary)
            assert code == 0, output.output

        def labels() -> list[str]:
            return list(subscriber.of("/labels")[-1].json["labels"])

        teach("Grey", 95, 110, 125, 140, 155)
        assert labels() == ["Dark", "Light"]
        configure(model="harstream-state/taught", activities=QUICK, **rest)
        running.signal(signal.SIGHUP)
        eventually(lambda: labels() == ["Dark", "Light", "Grey"], "the new label", 40)
        eventually(lambda: any(m.json["activity"] == "Grey" for m in subscriber.of("hall/event")), "an event of it", 40)
        assert '"Grey"' in subscriber.of("har_home/hall/config")[-1].payload  # an option in Home Assistant

        teach("Dim", 60, 62, 64, 66, 68)
        running.signal(signal.SIGHUP)
        eventually(lambda: labels() == ["Dark", "Light", "Dim", "Grey"], "what was taught again", 40)
        running.signal(signal.SIGHUP)
        eventually(lambda: "config reloaded: nothing changed" in running.output, "nothing new")
        running.signal(signal.SIGINT)
        assert running.wait(10) == 0


def test_examples_are_recorded_with_a_camera(
    start: Callable[..., Any], harstream: Harstream, configure: Callable[..., None], row_model: Path, tmp_path: Path,
    eventually: Eventually,
) -> None:  # fmt: skip
    with http_camera(tmp_path) as camera:
        configure(model=str(row_model), cameras=[{"name": "hall", "source": f"http://{camera}/stream"}])
        wanted = ("teach", "record", "--activity", "Dawn", "--number", 2, "--seconds", 1, "--pause", 0.2)
        code, running = harstream(*wanted)
        assert code == 0, running.output
        assert running.stdout[-1] == "Dawn has 2 examples in harstream-state/examples; 3 more are needed"
        assert len([*(tmp_path / "harstream-state/examples/Dawn").glob("hall_*.mp4")]) == 2
        interrupted = start("teach", "record", "--activity", "Dusk", "--number", 90, "--seconds", 1, "--pause", 0)
        eventually(lambda: [*(tmp_path / "harstream-state/examples").glob("Dusk/hall*.mp4")], "the first example")
        interrupted.signal(signal.SIGINT)
        assert interrupted.wait(10) == 130
        assert interrupted.complaints == []
        assert not [*(tmp_path / "harstream-state").rglob("*part*")]
