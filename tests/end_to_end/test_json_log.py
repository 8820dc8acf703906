"""With `--log json`, or `log: json` in config.yaml, the command writes JSON lines and nothing else."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import Eventually

Start = Callable[..., Any]


def records(running: Any) -> list[dict[str, Any]]:
    """Returns all lines of the output. Fails for a line that is no JSON."""
    assert running.stdout == []
    return [json.loads(line) for line in list(running.stderr)]


def test_a_run_logs_its_start_and_its_events_in_json(
    harstream: Callable[..., Any], film: Callable[..., Path], light_model: Path
) -> None:
    film("yard.mp4", (2, 200))
    code, running = harstream("run", "--source", "yard.mp4", "--model", light_model, "--port", "0", "--log", "json")
    assert code == 0
    logged = records(running)
    assert all(record.keys() >= {"time", "level", "logger", "message"} for record in logged)
    beginning = " / ".join(record["message"] for record in logged)
    assert "model light on CPU: 1 activities, 5 frames at 10 Hz (0.4 s)" in beginning
    assert "live view http://127.0.0.1:" in beginning
    assert "MQTT mqtt://127.0.0.1:" in beginning
    events = [record for record in logged if "event" in record]
    assert [(one["message"], one["camera"], one["event"]["event_type"]) for one in events] == [
        ("start of Light", "file", "start"),
        ("end of Light", "file", "end"),
    ]


def test_a_mistake_is_reported_in_json(harstream: Callable[..., Any]) -> None:
    code, running = harstream("run", "--model", "no-such-model", "--log", "json")
    (record,) = records(running)
    assert (code, record["level"]) == (5, "ERROR")
    assert "no-such-model" in record["message"]


def test_an_unreachable_camera_is_named_in_a_field_and_its_password_is_not_logged(
    start: Start, configure: Callable[..., None], light_model: Path, new_port: Callable[[], int], secret: str,
    eventually: Eventually,
) -> None:  # fmt: skip
    address = f"rtsp://user:{secret}@127.0.0.1:{new_port()}/camera"
    cameras = [{"name": "hall", "source": address}, {"name": "yard", "source": "scene?seed=8"}]
    configure(cameras=cameras, model=str(light_model), log="json")
    running = start("run")
    eventually(lambda: "is offline, still retrying" in running.output, "the camera to be reported offline", 40)
    running.signal(signal.SIGTERM)
    assert running.wait(10) == 0
    (offline,) = (record for record in records(running) if "is offline, still retrying" in record["message"])
    assert (offline["camera"], offline["level"]) == ("hall", "WARNING")


@pytest.mark.mosquitto
def test_the_password_of_a_broker_that_refuses_the_login_is_not_logged(
    harstream: Callable[..., Any], stopped_mosquitto: Any, light_model: Path, secret: str
) -> None:
    stopped_mosquitto.require_login("harstream", "another")
    stopped_mosquitto.start()
    broker = f"mqtt://harstream:{secret}@127.0.0.1:{stopped_mosquitto.port}"
    options = ("--source", "scene", "--model", light_model, "--broker", broker, "--log", "json")
    code, running = harstream("run", *options)
    assert code == 6
    assert records(running)[-1]["level"] == "ERROR"


def test_a_reload_may_change_the_format_of_the_log(
    start: Start, configure: Callable[..., None], light_model: Path, eventually: Eventually
) -> None:
    settings: dict[str, Any] = {
        "cameras": [{"name": "hall", "source": "scene?seed=8"}], "model": str(light_model),
        "web": {"enabled": False, "port": 8080},
    }  # fmt: skip
    configure(**settings)
    running = start("run")
    eventually(lambda: "start   Light" in running.output, "the first event", 40)
    configure(**settings, log="json")
    running.signal(signal.SIGHUP)
    eventually(lambda: '"start of Light"' in running.output, "an event in JSON", 40)
    running.signal(signal.SIGTERM)
    assert running.wait(10) == 0


def test_a_mistake_in_a_config_with_json_log_is_reported_in_json(
    harstream: Callable[..., tuple[int, Any]], tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_text("log: json\nmodel: no-such-model\n")
    code, running = harstream("run")
    assert code == 3
    (line,) = running.stderr
    assert json.loads(line)["message"].startswith("config.yaml:2:8: model: expected a shipped model")
