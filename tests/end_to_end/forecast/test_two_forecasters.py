"""Two forecasters of one node do not fight: the older one ends with exit code 8, and the newer one goes on."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import yaml

from tests.support.broker import Mosquitto, Subscribe
from tests.support.command import Start
from tests.support.waiting import Eventually

pytestmark = pytest.mark.mosquitto

FORECAST, STATUS = "camera/hall/forecast", "forecaster/status"


@pytest.mark.parametrize("has_own_state", [True, False])
def test_the_older_of_two_forecasters_ends(
    start: Start, light_model: Path, mosquitto: Mosquitto, subscribe: Subscribe, eventually: Eventually,
    tmp_path: Path, has_own_state: bool,
) -> None:  # fmt: skip
    """With one state folder, they have the same client id."""
    config = tmp_path / "home.yaml"
    values = {
        "cameras": [{"name": "hall", "source": "scene"}], "mqtt": {"broker": mosquitto.url}, "web": {"enabled": False},
        "state": str(tmp_path / "state"),
    }  # fmt: skip
    config.write_text(yaml.safe_dump(values))
    subscriber = subscribe(mosquitto.port)
    service = start("run", "--model", light_model, "--config", config)
    older = start("forecast", "run", "--config", config)
    eventually(lambda: subscriber.of(FORECAST), "a forecast of the older one", 60)
    own = ["--state", str(tmp_path / "other")] if has_own_state else []

    newer = start("forecast", "run", "--config", config, *own)

    assert older.wait(60) == 8
    said = " ".join(older.output.split())
    assert said.count("expected to be the only forecaster of node 'home'") == 1
    seen = len(subscriber.of(FORECAST))
    eventually(lambda: len(subscriber.of(FORECAST)) > seen, "the newer one to go on", 90)
    assert all(message.payload for message in subscriber.of(FORECAST))
    assert subscriber.of(STATUS)[-1].payload == "online"
    assert sum("takes over the node home" in line for line in newer.stderr) == has_own_state
    newer.signal(signal.SIGTERM)
    assert newer.wait(15) == 0
    assert not newer.complaints
    service.signal(signal.SIGINT)
    assert service.wait(15) == 0  # the service and a forecaster have ids and owner messages of their own
    assert not service.complaints
