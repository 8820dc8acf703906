"""With --scope home, two cameras of a service have one forecast, which the other scope replaces."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import yaml

from tests.support.broker import Mosquitto, Subscribe
from tests.support.command import Start
from tests.support.waiting import Eventually

pytestmark = pytest.mark.mosquitto

HOME, CAMERAS = "har/home/forecast", ("camera/hall/forecast", "camera/yard/forecast")
ANNOUNCED = "homeassistant/device/har-forecast/home/config"


def test_the_home_has_one_forecast_until_the_scope_changes(
    start: Start, light_model: Path, mosquitto: Mosquitto, subscribe: Subscribe, eventually: Eventually, tmp_path: Path
) -> None:
    config = tmp_path / "home.yaml"
    values = {
        "cameras": [{"name": name, "source": "scene"} for name in ("hall", "yard")],
        "mqtt": {"broker": mosquitto.url, "discovery": "homeassistant"}, "web": {"enabled": False},
        "state": str(tmp_path / "state"),
    }  # fmt: skip
    config.write_text(yaml.safe_dump(values))
    subscriber = subscribe(mosquitto.port)
    start("run", "--model", light_model, "--config", config)
    home = start("forecast", "run", "--config", config, "--scope", "home")
    listener = start("listen", "--config", config)
    eventually(lambda: subscriber.of(HOME), "a forecast of the home", 60)
    eventually(lambda: subscriber.of(ANNOUNCED), "its announcement to Home Assistant", 30)
    message = subscriber.of(HOME)[-1].json
    assert (message["camera"], message["scope"], message["area"]) == (None, "home", None)
    assert not any(subscriber.of(camera) for camera in CAMERAS)
    eventually(lambda: "the home" in listener.output, "the line of `listen`", 30)

    home.signal(signal.SIGKILL)
    cameras = start("forecast", "run", "--config", config)

    eventually(lambda: all(subscriber.of(camera) for camera in CAMERAS), "forecasts of the cameras", 60)
    eventually(lambda: subscriber.of(HOME)[-1].payload == "", "the forecast of the home to be cleared", 30)
    eventually(lambda: subscriber.of(ANNOUNCED)[-1].payload == "", "its entities to be removed", 30)
    assert not cameras.complaints
