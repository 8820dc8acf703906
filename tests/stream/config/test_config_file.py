"""The configuration file: its defaults, its mistakes with their lines, its secrets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from harstream.models.contract import DefaultView, ModelContract
from harstream.stream.config.camera import CameraConfig
from harstream.stream.config.file import load_config, with_overrides
from harstream.stream.config.json_schema import key_paths
from harstream.stream.config.model import Config
from harstream.stream.config.validation_context import ValidationContext
from harstream.stream.recognition.views.settings import ViewKind, ViewSettings
from harstream.wire.errors import ConfigError, ConfigFileError, ModelError

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
    """`mistakes(text)` returns the lines of the error about a text, without the file's name."""

    def mistakes(text: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(text)
        return [line.removeprefix(f"{file}:") for line in str(caught.value).splitlines()]

    return mistakes


def has_in_order(line: str, expected: str) -> bool:
    """Returns whether the line begins with the place, and has the parts after each | in this order."""
    place, *parts = expected.split(" | ")
    rest = line.removeprefix(place)
    for part in parts:
        _, found, rest = rest.partition(part)
        if not found:
            return False
    return line.startswith(place)


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "{}"])
def test_empty_file_gives_the_defaults(load: Load, text: str) -> None:
    assert load(text) == Config()


def test_values_of_the_file_override_the_defaults(load: Load) -> None:
    config = load("node: nuc1\ncameras:\n  - {name: hall, source: clip.mp4, area: Hallway}\nweb: {port: 9000}\n")
    assert config.node == "nuc1"
    assert config.cameras == (CameraConfig(name="hall", source="clip.mp4", area="Hallway"),)
    assert (config.web.port, config.web.enabled) == (9000, True)


@pytest.mark.parametrize(
    ("text", "made_for", "hall"),
    [
        ("cameras: [{name: hall, source: '0'}]", "picture", "picture"),
        ("cameras: [{name: hall, source: '0'}]", "motion", "motion"),
        ("view: null\ncameras: [{name: hall, source: '0', view: null}]", "motion", "motion"),
        ("view: picture\ncameras: [{name: hall, source: '0'}]", "motion", "picture"),
        ("view: person\ncameras: [{name: hall, source: '0', view: picture}]", "motion", "picture"),
        ("cameras: [{name: hall, source: '0', view: person}]", "motion", "person"),
    ],
)
def test_a_cameras_view_overrides_that_of_all_cameras_which_overrides_the_models(
    load: Load, text: str, made_for: DefaultView, hall: ViewKind
) -> None:
    config, contract = load(text), ModelContract("m", "1", ("Jump", "Walk"), view=made_for)
    assert config.view_settings(contract, config.cameras[0]) == ViewSettings(hall)
    assert config.view_settings(contract) == ViewSettings(config.view or made_for)
    assert config.following == ({"hall"} if hall == "person" else set())


def test_webcam_index_may_be_written_as_a_number(load: Load) -> None:
    assert load("cameras: [{name: hall, source: 1}]").cameras[0].source == "1"


def test_discovery_can_be_switched_off(load: Load) -> None:
    assert load("mqtt: {discovery: null}").mqtt.discovery is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("node: home\nmodle: lrcn\n", "2:1: modle: | no such key | did you mean model?"),
        ("node: living room\n", "1:7: node: | expected 1 to 64 | A-Z and a-z | digits, _ and - | got 'living"),
        ("node: 2024\n", "1:7: node: | expected a text | quotes | got '2024'"),
        ("stride: 0\n", "1:9: stride: | expected 1 or more | got '0'"),
        ("stride: two\n", "1:9: stride: | expected a whole number | got 'two'"),
        ("node: home\ndevice: cudda\n",
         "2:9: device: | expected 'auto', 'cpu' or 'cuda' | got 'cudda' | did you mean cuda?"),
        ("web:\n  host: 0.0.0.0\n  port: 99999\n", "3:9: web.port: | expected 65535 or less | got '99999'"),
        ("web:\n  prot: 99\n", "2:3: web.prot: | no such key | did you mean port?"),
        ("port: 99\n", "1:1: port: | no such key | did you mean web.port?"),
        ("web: 8080\n", "1:6: web: | expected keys and values | got '8080'"),
        ("web:\n", "1:5: web: | expected keys and values | got nothing"),
        ("web: [a]\n", "1:6: web: | expected keys and values | got a list"),
        ("cameras: []\n", "1:10: cameras: | expected one entry at least | got a list"),
        ("cameras: {}\n", "1:10: cameras: | expected a list | got keys and values"),
        ("cameras:\n  - name: a\n    source: '0'\n  - name: b\n", "4:5: cameras.1.source: | key is needed"),
        ("cameras:\n  - {name: a, source: '0', sauce: 1}\n",
         "2:28: cameras.0.sauce: | no such key | did you mean source?"),
        ("cameras:\n  - {name: a, source: '0'}\n  - {name: a, source: '1'}\n",
         "3:12: cameras.1.name: | unique name | got 'a'"),
        ("cameras:\n  - {name: a, source: true}\n", "2:23: cameras.0.source: | expected a text | got"),
        ("cameras:\n  - {name: a, source: rtps://host/1}\n",
         "2:23: cameras.0.source: | expected a webcam's index | rtsp:// | scene"),
        ("cameras:\n  - name: a\n    source: scene?sed=1\n",
         "3:13: cameras.0.source: | expected scene?seed=1&sec | got"),
        ("mqtt:\n  broker: http://host\n", "2:11: mqtt.broker: | expected a broker | mqtt://host:1883"),
        ("mqtt:\n  broker: mqtt://::1:1883\n",
         "2:11: mqtt.broker: | expected a broker | mqtt://host:1883 | mqtts://user"
         ":password@host:8883 | @ : / ? # | %40 %3A %2F %3F %23 | got an IPv6 address without brackets"),
        ("mqtt:\n  discovery: homeassistant/#\n",
         "2:14: mqtt.discovery: | expected | discovery prefix | homeassistant | null | got"),
        ("activities:\n  hold: 1\n  gone: -1\n", "3:9: activities.gone: | expected 0 or more | got '-1'"),
        ("history:\n  days: 0\n", "2:9: history.days: | expected more than 0 | got '0'"),
        ("activities:\n  start_above: 80\n", "2:16: activities.start_above: | expected 1 or less | got '80'"),
        ("activities:\n  start_above: .nan\n", "2:16: activities.start_above: | expected 1 or less | got '.nan'"),
        ("activities: {start_above: 0.5, end_below: 0.6}\n",
         "1:43: activities.end_below: | expected end_below not above start_above | got 0.6"),
        ("activities:\n  overrides:\n    Jump: {start_above: 0.5, end_below: 0.6}\n",
         "3:41: activities.overrides.Jump.end_below: | expected end_below not above start_above | got 0.6"),
        ("activities:\n  overrides:\n    Jump: {hold: 2, end_below: 0.6}\n",
         "3:32: activities.overrides.Jump.end_below: | expected start_above beside end_below | got end_below alone"),
        ("cameras:\n  - {name: a, source: scene, activities: {hold: -1}}\n",
         "2:49: cameras.0.activities.hold: | expected 0 or more | got '-1'"),
        ("node: a\nweb: {}\nnode: b\n", "3:1: node: | already in line 1"),
        ("web:\n  port: 1\n  port: 2\n", "3:3: web.port: | already in line 2"),
        ("view: people\n", "1:7: view: | expected 'picture', 'motion' or 'person' | got 'people'"),
        ("cameras:\n  - {name: a, source: '0', crop: [0.5, 0, 0.2, 1]}\n",
         "2:34: cameras.0.crop: | expected [left, top, right, bottom] from 0 to 1 | got [0.5, 0.0, 0.2, 1.0]"),
        ("cameras:\n  - {name: a, source: '0', crop: [0, 0, 640, 480]}\n",
         "2:34: cameras.0.crop: | from 0 to 1 | got [0.0, 0.0, 640.0, 480.0]"),
        ("cameras:\n  - {name: a, source: '0', crop: [0, 0, .nan, 1]}\n", "2:34: cameras.0.crop: | from 0 to 1 | got"),
        ("cameras:\n  - {name: a, source: '0', crop: [0, 0, 1]}\n", "2:34: cameras.0.crop: | from 0 to 1 | got [0.0"),
        ("node: !secret a\n", "1:7: node: | expected no tag, or !file | got !secret"),
        ("node: !file nothing\n", "1:7: node: | cannot read !file nothing | no such file"),
        ("node: !file .\n", "1:7: node: | cannot read !file . | is a directory"),
        ("stride: !!int two\n", "1:9: stride: | expected a value of type int | got"),
        ("activities: &a\n  overrides: *a\n", "1:13: activities.overrides: | alias must not be inside"),
        ("{[a]: 1}\n", "1:2: | expected a word as the key | got a list or mapping"),
        ("<<: 3\n", "1:5: | expected keys and values | <<"),
    ],
)  # fmt: skip
def test_mistake_is_reported_with_its_line(mistakes: Callable[[str], list[str]], text: str, expected: str) -> None:
    (line,) = mistakes(text)
    assert has_in_order(line, expected)


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_file(
    mistakes: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOBODY_SET_THIS", raising=False)
    found = mistakes(
        "stride: 0\n"
        "node: '?'\n"
        "stride: 1\n"
        "mqtt: {broker: 'mqtt://me:${NOBODY_SET_THIS}@host'}\n"
        "cameras:\n"
        "  - {name: a, source: !file nothing}\n"
        "  - {name: a, source: rtps://host}\n"
        "  - {name: a}\n"
        "activities:\n"
        "  hold: -1\n"
    )
    assert [line.split(" ")[:2] for line in found] == [
        ["1:9:", "stride:"], ["2:7:", "node:"], ["3:1:", "stride:"], ["4:16:", "mqtt.broker:"],
        ["6:23:", "cameras.0.source:"], ["7:12:", "cameras.1.name:"], ["7:23:", "cameras.1.source:"],
        ["8:5:", "cameras.2.source:"], ["8:12:", "cameras.2.name:"], ["10:9:", "activities.hold:"],
    ]  # fmt: skip


def test_broken_yaml_is_reported_with_its_line(mistakes: Callable[[str], list[str]]) -> None:
    (line,) = mistakes("node: home\nmqtt: [1, 2\n")
    assert line.startswith("3:1: not valid YAML: ")
    (line,) = mistakes("node: home\nmqtt: \x07\n")
    assert line.startswith("2:7: not valid YAML: ")
    (line,) = mistakes("[" * 5000)
    assert line.startswith("1:1: not valid YAML: nested too deeply")


def test_a_date_may_be_a_name(load: Load) -> None:
    assert load("node: 2024-12-01").node == "2024-12-01"


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words", "node: !!python/name:os.system"])
def test_file_that_is_no_configuration_is_refused(load: Load, text: str) -> None:
    with pytest.raises(ConfigError):
        load(text)


def test_missing_file_is_a_config_error(file: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the configuration"):
        load_config(file)


def test_file_that_is_not_utf8_is_a_config_error(file: Path) -> None:
    file.write_bytes(b"node: \xff\n")
    with pytest.raises(ConfigError, match="expected UTF-8"):
        load_config(file)


def test_environment_variables_are_filled_in_anywhere(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMERA_PASSWORD", "s3cret")
    monkeypatch.setenv("WEB_PORT", "9000")
    config = load("cameras: [{name: a, source: 'rtsp://me:${CAMERA_PASSWORD}@host/1'}]\nweb: {port: '${WEB_PORT}'}\n")
    assert config.cameras[0].source == "rtsp://me:s3cret@host/1"
    assert config.web.port == 9000


def test_two_dollar_signs_give_one_plain_dollar_sign(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOM", "Attic")
    (camera,) = load("cameras: [{name: a, source: scene, area: '$${ROOM} ${ROOM} $ {'}]\n").cameras
    assert camera.area == "${ROOM} Attic $ {"


def test_a_file_beside_the_configuration_may_hold_a_value(
    load: Load, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file.parent / "secrets").mkdir()
    (file.parent / "secrets" / "hall").write_text("rtsp://me:s3c${ret@host/1\n")
    monkeypatch.chdir("/")
    assert load("cameras: [{name: a, source: !file secrets/hall}]").cameras[0].source == "rtsp://me:s3c${ret@host/1"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent / "secrets"))
    text = "cameras: [{name: a, source: !file '${CREDENTIALS_DIRECTORY}/hall'}]"
    assert load(text).cameras[0].source == "rtsp://me:s3c${ret@host/1"


@pytest.mark.parametrize(("content", "message"), [(b" \n", "got an empty file"), (b"\xff", "it is not UTF-8 text")])
def test_a_file_without_a_secret_is_a_mistake(
    mistakes: Callable[[str], list[str]], file: Path, content: bytes, message: str
) -> None:
    (file.parent / "secret").write_bytes(content)
    (line,) = mistakes("mqtt: {broker: !file secret}")
    assert line.startswith("1:16: mqtt.broker: ")
    assert message in line


def test_merge_key_copies_keys_from_elsewhere_in_the_file(load: Load, mistakes: Callable[[str], list[str]]) -> None:
    text = "activities: {overrides: {A: &a {start_above: 0.5, end_below: %s}, B: {%s<<: *a}}}"
    brought = load(text % (0.2, "start_above: 0.9, ")).activities.overrides["B"]
    assert brought.model_dump(exclude_none=True) == {"start_above": 0.9, "end_below": 0.2}
    assert len(mistakes(text % (0.7, ""))) == 2


def test_reading_one_key_ignores_mistakes_in_the_others(file: Path) -> None:
    file.write_text("mqtt: {broker: 'mqtt://me:${NO_SUCH_VARIABLE}@host'}\nstride: x\nstate: kept\n")
    assert load_config(file, keys=("state",)).state == Path("kept")
    for text in ("state: [1]\nstride: x\n", "stride: x\nstate: ${NO_SUCH_VARIABLE}\n", "- state\n"):
        file.write_text(text)
        with pytest.raises(ConfigFileError) as caught:
            load_config(file, keys=("state",))
        assert "stride" not in str(caught.value)


def test_a_secret_is_not_repeated_wherever_it_stands(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every key gets the secret as a value that does not fit there."""
    for secret in ("geheim-17", "rtps://geheim-17", "0.171717", "-171717", "171717", "scene?geheim-17"):
        monkeypatch.setenv("GEHEIM", secret)
        for path in key_paths():
            value: object = "${GEHEIM}"
            for key in reversed(path):
                value = {key: value}
            message = error_text(load, yaml.safe_dump(value))
            assert not any(part in message for part in ("geheim", "1717")), message
        for text in ("cameras: [{name: '${GEHEIM}', source: '${GEHEIM}'}, {name: '${GEHEIM}', source: '${GEHEIM}'}]",
                     "activities: {start_above: '${GEHEIM}', end_below: 0.9}", "{}: '${GEHEIM}'", "- '${GEHEIM}'",
                     "activities: {overrides: {A: {start_above: '${GEHEIM}', end_below: 0.9}}}"):  # fmt: skip
            message = error_text(load, text)
            assert not any(part in message for part in ("geheim", "1717")), message


@pytest.fixture
def misfits(file: Path) -> Callable[..., list[str]]:
    """`misfits(text)` checks a text against a model with the activities PushUps and PullUps and the threshold 0.6."""

    def misfits(text: str, must_exist: tuple[str, ...] = ("model", "cameras")) -> list[str]:
        file.write_text(text, encoding="utf-8")
        contract = ModelContract("light", "1", ("PushUps", "PullUps", "Idle"), ("Idle",), unknown_threshold=0.6)

        def contract_of(model: str) -> ModelContract:
            if model == "lrcn":
                raise ModelError("it is broken")
            return contract

        try:
            load_config(file, ValidationContext(contract_of, frozenset(must_exist)))
        except ConfigError as error:
            return [line.removeprefix(f"{file}:") for line in str(error).splitlines()]
        return []

    return misfits


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: lcrn",
         "1:8: model: | expected a shipped model | convlstm, flow_pose, flow_pose_look, flow_tcn, lrcn | "
         "`harstream export` | "
         "got 'lcrn' | "
         "did you mean lrcn?"),
        ("model: lrcn", "1:8: model: | expected a model that can be opened | it is broken"),
        ("activities: {overrides: {Pushups: {start_above: 0.5, end_below: 0.4}}}",
         "1:26: activities.overrides.Pushups: | model light | PushUps, PullUps | got 'Pushups' | "
         "did you mean PushUps?"),
        ("activities: {end_below: 0.7}",
         "1:25: activities.end_below: | expected end_below not above | model light (0.6) | got 0.7"),
        ("cameras: [{name: a, source: secne}]",
         "1:29: cameras.0.source: | expected a webcam's index | rtsp:// | no such file | got 'secne' | "
         "did you mean scene?"),
        ("cameras: [{name: a, source: 'me:s3cret@host'}]", "1:29: cameras.0.source: | no such file"),
    ],
)  # fmt: skip
def test_value_that_does_not_fit_model_or_disk_is_a_mistake_with_its_place(
    misfits: Callable[..., list[str]], text: str, message: str
) -> None:
    (line,) = misfits(text)
    assert has_in_order(line, message)
    assert "s3cret" not in line


def test_value_that_does_not_fit_is_reported_beside_other_mistakes(misfits: Callable[..., list[str]]) -> None:
    text = "model: lcrn\nstride: 0\nactivities:\n  overrides:\n    Sleeping: {start_above: 0.5, end_below: 0.4}\n"
    assert [line.split()[1] for line in misfits(text)] == ["model:", "stride:", "activities.overrides.Sleeping:"]


def test_value_that_the_command_line_replaces_is_not_checked(misfits: Callable[..., list[str]]) -> None:
    assert misfits("model: lcrn\ncameras: [{name: a, source: secne}]", must_exist=()) == []


def test_a_file_with_a_similar_name_is_suggested(misfits: Callable[..., list[str]], tmp_path: Path) -> None:
    (tmp_path / "yard.mp4").touch()
    (line,) = misfits(f"cameras: [{{name: a, source: {tmp_path}/yrad.mp4}}]")
    assert line.endswith(f"got '{tmp_path}/yrad.mp4'; did you mean {tmp_path}/yard.mp4?")


def error_text(load: Load, text: str) -> str:
    try:
        load(text)
    except ConfigError as error:
        return str(error)
    return ""


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
        "cameras:\n  - {source rtsp://me:s3cret@host/1}\n",
        "node: me:s3cret@host\n",
        "mqtt: mqtt://me:s3cret@host\n",
    ],
)
def test_password_is_not_repeated_in_errors(load: Load, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("MQTT_PASSWORD", "s3cret")
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert "s3cret" not in str(caught.value)


def test_options_of_the_command_line_override_the_file() -> None:
    config = with_overrides(Config(node="nuc1"), {"model": "convlstm", "stride": 2})
    assert (config.node, config.model, config.stride) == ("nuc1", "convlstm", 2)


def test_option_that_does_not_fit_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"^stride: "):
        with_overrides(Config(), {"stride": 0})


def test_password_of_an_option_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        with_overrides(Config(), {"mqtt": {"broker": "http://me:s3cret@host"}})
    assert "s3cret" not in str(caught.value)


def test_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Config().node = "other"


@pytest.mark.parametrize(
    ("encoding", "place", "named"),
    [("utf-16", "1:1", "UTF-16"), ("utf-16-le", "1:1", "UTF-16"), ("latin-1", "2:8", "Latin-1")],
)
def test_a_file_in_another_encoding_is_told_to_be_saved_as_utf_8(
    file: Path, encoding: str, place: str, named: str
) -> None:
    file.write_bytes("device: cpu\nnode: Küche\n".encode(encoding))
    with pytest.raises(ConfigFileError) as caught:
        load_config(file)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{file}:")
    assert f":{place}:" in line or encoding == "utf-16-le"
    assert named in line or encoding == "utf-16-le"
    assert "UTF-8" in line


def test_a_file_with_a_byte_order_mark_is_read(file: Path) -> None:
    file.write_text("node: hall\n", encoding="utf-8-sig")
    assert load_config(file).node == "hall"


@pytest.mark.parametrize(
    "text",
    [
        "activities: {hold: yes}",
        "web: {port: on}",
        "stride: true",
        "history: {days: yes}",
        "activities: {start_above: yes}",
    ],
)
def test_a_boolean_is_no_number(mistakes: Callable[[str], list[str]], text: str) -> None:
    (line,) = mistakes(text)
    assert "expected a number, got true" in line


def test_an_unset_variable_hides_no_other_mistake(mistakes: Callable[[str], list[str]]) -> None:
    lines = mistakes(
        "cameras:\n"
        "  - {name: a, source: '${NOT_SET}'}\n"
        "  - {name: b, source: !file '${NOT_SET}/x', holdd: 1}\n"
        "  - {name: c, source: 1}\n"
        "web: {port: '${NOT_SET}', enable: true}\n"
        "mqtt: {broker: '${NOT_SET}', discover: x}\n"
        "node: a b\n"
    )
    expected = ["NOT_SET", "NOT_SET", "holdd", "NOT_SET", "enable", "NOT_SET", "discover", "node"]
    assert [part for part, line in zip(expected, lines, strict=True) if part not in line] == []


def test_an_unset_variable_hides_no_mistake_of_the_list_around_it(mistakes: Callable[[str], list[str]]) -> None:
    unset, twice = mistakes("cameras:\n  - {name: a, source: '${NOT_SET}'}\n  - {name: a, source: 1}\n")
    assert "NOT_SET" in unset
    assert "unique name" in twice


@pytest.mark.parametrize(("first", "second"), [("hall", "Hall"), ("front-door", "front_door"), ("a_-b", "A-_B")])
def test_names_that_differ_only_by_case_and_hyphens_are_refused(
    mistakes: Callable[[str], list[str]], first: str, second: str
) -> None:
    (line,) = mistakes(f"cameras:\n  - {{name: {first}, source: 0}}\n  - {{name: {second}, source: 1}}\n")
    assert has_in_order(line, f"3:12: cameras.1.name: | case, - and _ | {second!r} beside {first!r}")


def test_a_title_may_have_any_letters_and_no_markup(load: Load, mistakes: Callable[[str], list[str]]) -> None:
    config = load("cameras: [{name: kueche, title: Küche Flur, source: 0}]")
    assert config.titles == {"kueche": "Küche Flur"}
    for title in ("<b>Hall</b>", "a & b", '"a\\nb"', '""', "x" * 65):
        (line,) = mistakes(f"cameras: [{{name: hall, title: {title}, source: 0}}]")
        assert has_in_order(line, "1:31: cameras.0.title: | printable characters without")
