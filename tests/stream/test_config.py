"""The configuration: defaults, mistakes with their lines, secrets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stream.config import CameraConfig, Config, load_config, overridden
from stream.errors import ConfigError

REPOSITORY = Path(__file__).parents[2]

Load = Callable[[str], Config]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


@pytest.fixture
def load(file: Path) -> Load:
    def load(text: str) -> Config:
        file.write_text(text, encoding="utf-8")
        return load_config(file)

    return load


@pytest.fixture
def mistakes(load: Load, file: Path) -> Callable[[str], list[str]]:
    """What is said about a text, a line each, without the file's name."""

    def mistakes(text: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(text)
        return [line.removeprefix(f"{file}:") for line in str(caught.value).splitlines()]

    return mistakes


def test_config_of_the_repository_says_the_defaults() -> None:
    assert load_config(REPOSITORY / "config.yaml") == Config()


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "{}"])
def test_empty_file_gives_the_defaults(load: Load, text: str) -> None:
    assert load(text) == Config()


def test_values_of_the_file_win_over_the_defaults(load: Load) -> None:
    config = load("node: nuc1\ncameras:\n  - {name: hall, source: clip.mp4, area: Hallway}\nweb: {port: 9000}\n")
    assert config.node == "nuc1"
    assert config.cameras == (CameraConfig(name="hall", source="clip.mp4", area="Hallway"),)
    assert (config.web.port, config.web.enabled) == (9000, True)


def test_webcam_index_may_be_written_as_a_number(load: Load) -> None:
    assert load("cameras: [{name: hall, source: 1}]").cameras[0].source == "1"


@pytest.mark.parametrize("off", ["null", "off", "false"])
def test_discovery_can_be_switched_off(load: Load, off: str) -> None:
    assert load(f"mqtt: {{discovery: {off}}}").mqtt.discovery is None


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("node: home\nmodle: lrcn\n", "2: modle: "),
        ("node: living room\n", "1: node: "),
        ("stride: 0\n", "1: stride: "),
        ("node: home\ndevice: gpu\n", "2: device: "),
        ("web:\n  host: 0.0.0.0\n  port: 99999\n", "3: web.port: "),
        ("cameras: []\n", "1: cameras: "),
        ("cameras:\n  - name: hall\n    source: '0'\n  - name: attic\n    sauce: '1'\n", "4: cameras.1.source: "),
        ("cameras:\n  - {name: a, source: '0'}\n  - {name: a, source: '1'}\n", "1: cameras: each camera needs a name"),
        ("cameras:\n  - {name: a, source: true}\n", "2: cameras.0.source: "),
        ("mqtt:\n  broker: http://host\n", "2: mqtt.broker: "),
        ("mqtt:\n  discovery: homeassistant/#\n", "2: mqtt.discovery: "),
        ("activities:\n  hold: 1\n  gone: -1\n", "3: activities.gone: "),
        ("history:\n  days: 0\n", "2: history.days: "),
        ("activities:\n  start_above: 80\n", "2: activities.start_above: "),
        ("activities:\n  start_above: .nan\n", "2: activities.start_above: "),
        (
            "activities:\n  overrides:\n    Jump: {start_above: 0.5, end_below: 0.6}\n",
            "3: activities.overrides.Jump: end_below must not be above start_above",
        ),
    ],
)  # fmt: skip
def test_mistake_is_told_with_its_line(mistakes: Callable[[str], list[str]], text: str, beginning: str) -> None:
    assert mistakes(text)[0].startswith(beginning)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(mistakes: Callable[[str], list[str]]) -> None:
    found = mistakes("stride: 0\nnode: '?'\nactivities:\n  hold: -1\n")
    assert [line.partition(":")[0] for line in found] == ["1", "2", "4"]


def test_broken_yaml_is_told_with_its_line(mistakes: Callable[[str], list[str]]) -> None:
    (line,) = mistakes("node: home\nmqtt: [1, 2\n")
    assert line.startswith("3: not valid YAML: ")


@pytest.mark.parametrize("text", ["node: 2024-13-01\n", "- a\n- b\n", "just words", "node: !!python/name:os.system"])
def test_file_that_is_no_configuration_is_refused(load: Load, text: str) -> None:
    with pytest.raises(ConfigError):
        load(text)


def test_missing_file_is_a_config_error(file: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the configuration"):
        load_config(file)


def test_file_that_is_not_utf8_is_a_config_error(file: Path) -> None:
    file.write_bytes(b"node: \xff\n")
    with pytest.raises(ConfigError, match="cannot read the configuration"):
        load_config(file)


def test_environment_is_filled_in_anywhere(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMERA_PASSWORD", "s3cret")
    monkeypatch.setenv("WEB_PORT", "9000")
    config = load("cameras: [{name: a, source: 'rtsp://me:${CAMERA_PASSWORD}@host/1'}]\nweb: {port: '${WEB_PORT}'}\n")
    assert config.cameras[0].source == "rtsp://me:s3cret@host/1"
    assert config.web.port == 9000


def test_environment_variable_that_is_not_set_is_named(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOBODY_SET_THIS", raising=False)
    with pytest.raises(ConfigError, match="NOBODY_SET_THIS"):
        load("mqtt: {broker: 'mqtt://me:${NOBODY_SET_THIS}@host'}\n")


@pytest.mark.parametrize(
    "text",
    [
        "mqtt: {broker: 'http://me:s3cret@host'}\n",
        "mqtt: {broker: 'mqtt://me:s3cret@host:port'}\n",
        "mqtt: {broker: 'mqtt://[me:s3cret@host'}\n",
        "mqtt: {broker: 'mqtt://me:${MQTT_PASSWORD}@'}\n",
        "mqtt:\n  broker: mqtt://me:s3cret@host: 1883\n",
        "cameras:\n  - {name: a b, source: 'rtsp://me:s3cret@host/1'}\n",
        "cameras:\n  - {name: a, source: 'rtsp://me:s3cret@host/1'}\n  - {name: a, source: '0'}\n",
        "cameras:\n  - {name: a, sauce: 'rtsp://me:s3cret@host/1'}\n",
        "cameras: rtsp://me:s3cret@host/1\n",
    ],
)
def test_password_is_not_repeated_in_errors(load: Load, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("MQTT_PASSWORD", "s3cret")
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert "s3cret" not in str(caught.value)


def test_options_of_the_command_line_win() -> None:
    config = overridden(Config(node="nuc1"), {"model": "convlstm", "stride": 2})
    assert (config.node, config.model, config.stride) == ("nuc1", "convlstm", 2)


def test_option_that_does_not_fit_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"^stride: "):
        overridden(Config(), {"stride": 0})


def test_password_of_an_option_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        overridden(Config(), {"mqtt": {"broker": "http://me:s3cret@host"}})
    assert "s3cret" not in str(caught.value)


def test_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Config().node = "other"  # type: ignore[misc]
