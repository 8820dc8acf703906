"""The service is built from the configuration, and a reload reaches each of its parts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from rich.console import Console

from harstream.stream.app.assembly.service import RunnableService, build_service
from harstream.stream.config.camera import CameraConfig
from harstream.stream.config.model import Config
from harstream.stream.config.mqtt import MqttConfig
from harstream.stream.config.web import WebConfig
from harstream.stream.service.signals import RunSignals
from harstream.stream.sinks.systemd import Systemd
from harstream.wire.errors import HarstreamError
from tests.support.waiting import Eventually


@pytest.fixture
def config(tmp_path: Path, light_model: Path, new_port: Callable[[], int]) -> Config:
    return Config(
        model=str(light_model),
        device="cpu",
        state=tmp_path / "state",
        events=tmp_path / "events.jsonl",
        cameras=(CameraConfig(name="hall", source="scene", area="Hallway"),),
        mqtt=MqttConfig(embedded_port=new_port()),
        web=WebConfig(enabled=False),
    )


def built(config: Config, read: Callable[[], Config] | None = None) -> RunnableService:
    return build_service(config, Console(quiet=True), Systemd(""), read or (lambda: config))


def test_nothing_but_the_model_is_opened_before_the_start(config: Config) -> None:
    built(config)
    assert not config.state.exists()
    assert config.events is not None
    assert not config.events.exists()


def test_a_missing_file_is_refused_before_anything_is_opened(config: Config, tmp_path: Path) -> None:
    missing = CameraConfig(name="yard", source=str(tmp_path / "missing.mp4"))
    with pytest.raises(HarstreamError, match=r"missing\.mp4"):
        built(config.model_copy(update={"cameras": (*config.cameras, missing)}))
    assert not config.state.exists()


def test_a_page_is_built_only_if_it_is_enabled(config: Config) -> None:
    assert built(config).web is None
    assert built(config.model_copy(update={"web": WebConfig(port=0)})).web is not None


@pytest.mark.parametrize(("model", "is_box"), [("flow_tcn", True), ("lrcn", False)])
def test_a_camera_without_a_view_is_shown_what_the_model_was_made_for(
    model: str, is_box: bool, config: Config, eventually: Eventually
) -> None:
    service = built(config.model_copy(update={"model": model, "web": WebConfig(port=0)}))
    state = service.outputs.view
    assert state is not None
    with ExitStack() as stack:
        service.start(stack, stack.enter_context(RunSignals()), is_first=True)
        running = threading.Thread(target=service.run)
        running.start()
        stack.callback(running.join)
        stack.callback(service.shutdown.stop)
        eventually(lambda: state.views()[0].scores, "a window of the built-in scene", 40)
        if is_box:
            eventually(lambda: state.views()[0].subjects, "the box of what moves", 40)
            assert [each.person for each in state.views()[0].subjects] == [None]
        else:
            assert state.views()[0].subjects == ()


def test_a_reload_replaces_the_context_in_each_sink(config: Config) -> None:
    moved = CameraConfig(name="hall", source="scene", area="Stairs")
    attic = CameraConfig(name="attic", source="scene?seed=2", area="Attic")
    now = [config]
    service = built(config, lambda: now[0])
    outputs = service.outputs
    sinks = (outputs.mqtt, outputs.history, outputs.console, outputs.events_file)
    with ExitStack() as stack:
        service.start(stack, stack.enter_context(RunSignals()), is_first=True)
        assert service.reload() == "nothing changed"
        now[0] = config.model_copy(update={"cameras": (moved, attic)})
        service.reload()
        assert [dict(sink.context.areas) for sink in sinks if sink is not None] == [
            {"hall": "Stairs", "attic": "Attic"}
        ] * 4
        now[0] = config.model_copy(update={"cameras": (attic,)})
        service.reload()
        # The last messages of a removed camera still name its area.
        assert [sink.context.areas["hall"] for sink in sinks if sink is not None] == ["Stairs"] * 4
        assert not service.shutdown.is_restart


def test_a_reload_that_needs_other_parts_restarts_the_service(config: Config) -> None:
    service = built(config, lambda: config.model_copy(update={"node": "other"}))
    with ExitStack() as stack:
        service.start(stack, stack.enter_context(RunSignals()), is_first=True)
        assert "restarts" in service.reload()
    assert service.shutdown.is_restart
