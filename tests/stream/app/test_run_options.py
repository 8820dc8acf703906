from __future__ import annotations

from pathlib import Path

import pytest

from harstream.stream.app.run_options import RunOptions, camera_name
from harstream.wire.masking import Secrets


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_options_override_the_file(folder: Path) -> None:
    web = "web: {host: 0.0.0.0, auth: none, port: 1}"
    (folder / "config.yaml").write_text(f"model: lrcn\n{web}\nmqtt: {{observations: false}}\n")
    options = RunOptions(source=("scene", "rtsp://host/1"), model="flow_tcn", broker="mqtt://host", port=9)
    config = options.with_config_found().read(Secrets())
    assert (config.model, config.web.host, config.web.port, config.web.enabled) == ("flow_tcn", "0.0.0.0", 9, True)
    assert (config.mqtt.broker, config.mqtt.observations) == ("mqtt://host", False)
    assert [(camera.name, camera.source) for camera in config.cameras] == [
        ("scene", "scene"), ("camera2", "rtsp://host/1"),
    ]  # fmt: skip


def test_defaults_apply_without_options_and_file() -> None:
    config = RunOptions(no_web=True).with_config_found().read(Secrets())
    assert (config.model, config.web.enabled, config.cameras[0].source) == ("flow_tcn", False, "0")


def test_a_camera_of_the_command_line_is_named_after_its_kind() -> None:
    sources = ("scene?seed=8", "0", "rtsp://host/1", "yard.mp4")
    assert [camera_name(source, index) for index, source in enumerate(sources)] == [
        "scene",
        "camera2",
        "camera3",
        "file4",
    ]
