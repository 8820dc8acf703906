"""The configuration decides which sinks exist. They receive each notice in a fixed order."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from harstream.stream.app.assembly.outputs import Outputs, new_outputs
from harstream.stream.config.history import HistoryConfig
from harstream.stream.config.model import Config
from harstream.stream.config.mqtt import MqttConfig
from harstream.stream.config.web import WebConfig
from harstream.stream.recognition.onnx_runtime import load_engine
from harstream.stream.recognition.protocols import Engine
from harstream.stream.sinks.console import ConsoleSink
from harstream.stream.sinks.event_log import EventLog
from harstream.stream.sinks.systemd import Systemd


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine("lrcn", "cpu")


def outputs(config: Config, engine: Engine) -> Outputs:
    return new_outputs(config, engine, Console())


def event_sinks(built: Outputs) -> list[str]:
    return [sink.name for sink in built.event_sinks(Systemd(""))]


def frame_sinks(built: Outputs) -> list[str]:
    return [sink.name for sink in built.frame_sinks()]


def test_what_is_stored_comes_first_and_mqtt_next(tmp_path: Path, engine: Engine) -> None:
    built = outputs(Config(state=tmp_path, events=tmp_path / "events.jsonl"), engine)
    assert event_sinks(built) == ["state folder", "mqtt", "console", "metrics", "events file", "systemd"]


def test_slow_frame_sinks_come_last(tmp_path: Path, engine: Engine) -> None:
    config = Config(state=tmp_path, record=tmp_path / "film.mp4", display=True, mqtt=MqttConfig(snapshots=True))
    assert frame_sinks(outputs(config, engine)) == ["snapshots", "live view", "examples", "recorder", "window"]


def test_outputs_that_are_switched_off_are_left_out(tmp_path: Path, engine: Engine) -> None:
    config = Config(state=tmp_path, history=HistoryConfig(enabled=False), web=WebConfig(enabled=False))
    built = outputs(config, engine)
    assert event_sinks(built) == ["state folder", "mqtt", "console", "metrics", "systemd"]
    assert frame_sinks(built) == []


def test_events_go_to_the_log_if_it_is_json(tmp_path: Path, engine: Engine) -> None:
    assert isinstance(outputs(Config(state=tmp_path, log="json"), engine).console, EventLog)
    assert isinstance(outputs(Config(state=tmp_path), engine).console, ConsoleSink)


def test_nothing_is_opened_before_the_start(tmp_path: Path, engine: Engine) -> None:
    outputs(Config(state=tmp_path / "state", events=tmp_path / "e.jsonl", record=tmp_path / "f.mp4"), engine)
    assert list(tmp_path.iterdir()) == []
