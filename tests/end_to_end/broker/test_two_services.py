"""Two services with the same node name at one broker do not fight: the older one ends with exit code 8."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import yaml

from tests.support.broker import Mosquitto, Subscribe
from tests.support.command import Start
from tests.support.waiting import Eventually

pytestmark = pytest.mark.mosquitto


def write_config(folder: Path, name: str, url: str, client_id: str | None) -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(
        yaml.safe_dump(
            {
                "cameras": [{"name": "hall", "source": "scene"}],
                "mqtt": {"broker": url, "client_id": client_id},
                "web": {"enabled": False},
                "state": f"state-{name}",
            }
        )
    )
    return file


@pytest.mark.parametrize("client_id", [None, "shared"])
def test_the_older_of_two_services_ends(
    start: Start, light_model: Path, mosquitto: Mosquitto, subscribe: Subscribe, eventually: Eventually,
    tmp_path: Path, client_id: str | None,
) -> None:  # fmt: skip
    subscriber = subscribe(mosquitto.port)
    configs = [write_config(tmp_path, name, mosquitto.url, client_id) for name in ("first", "second")]
    older = start("run", "--model", light_model, "--config", configs[0])
    eventually(lambda: subscriber.of("/observation"), "the older service to recognize", 40)
    newer = start("run", "--model", light_model, "--config", configs[1])
    assert older.wait(60) == 8
    assert " ".join(older.output.split()).count("expected to be the only harstream with node 'home'") == 1
    assert "this one ends" in " ".join(older.output.split())
    seen = len(subscriber.of("/observation"))
    eventually(lambda: len(subscriber.of("/observation")) > seen + 5, "the newer service to go on", 40)
    assert subscriber.of("home/status")[-1].payload == "online"
    assert subscriber.of("hall/availability")[-1].payload == "online"
    newer.signal(signal.SIGINT)
    assert newer.wait(15) == 0
    assert sum("takes over the node home" in line for line in newer.stderr) == 1
    assert not any("WARN" in line for line in newer.stderr)
